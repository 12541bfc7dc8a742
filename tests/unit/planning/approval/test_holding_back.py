"""What needs approval is held back whole: no ledger entry is written for an effect that does not take place."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, FenceAgent, KillTask, SaveVolume
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.errors import FieldError
from statefuldb.model.observed import TaskState
from statefuldb.model.operations import Destroy
from statefuldb.model.spec import NodeLossAction, ReconcileSpec, RiskClass, Strategy
from statefuldb.model.volume import Ending, Intent, VolumePhase
from statefuldb.planning.planner import plan
from unit.planning.members.test_fencing import FENCING, lost, wanted
from unit.planning.members.test_strays import serving
from unit.planning.world import OPERATOR, desired, keeper, observed, offer, secret, spec, tasks

CAUTIOUS = ReconcileSpec(auto_approve=frozenset({RiskClass.NON_DISRUPTIVE, RiskClass.RESTART}))


def test_fencing_that_is_held_back_is_not_recorded_as_done() -> None:
    cautious = replace(wanted(NodeLossAction.REATTACH, 0), reconcile=CAUTIOUS)
    decided = plan(desired(cautious), lost(), (offer(),), FENCING)
    assert not decided.actions
    assert [type(action) for action in decided.held_back] == [FenceAgent, SaveVolume]
    assert decided.approval is not None
    approved = replace(cautious, reconcile=replace(CAUTIOUS, approved_plan=decided.approval.hash))
    assert plan(desired(approved), lost(), (offer(),), FENCING).actions == decided.held_back


def test_while_a_spec_is_refused_the_plan_says_that_it_approves_nothing() -> None:
    """Simulator, seed 91 of then: a size that was refused, and the approval of the present plan in the same spec."""
    cautious = replace(wanted(NodeLossAction.REATTACH, 0), reconcile=CAUTIOUS)
    refused = FieldError(path="spec.storage.size", value="1Gi", allowed="2Gi or more: storage never shrinks")
    decided = plan(replace(desired(cautious), errors=(refused,)), lost(), (offer(),), FENCING)
    (wait,) = [wait for wait in decided.waiting if wait.reason is Reason.APPROVAL_REQUIRED]
    assert wait.fix.startswith("put spec.storage.size right first, a refused spec approves nothing; then set ")


def test_what_waits_for_approval_of_a_restart_serves_meanwhile() -> None:
    record = serving(Strategy.PERSISTENT_VOLUME)
    running = observed(
        volumes=(record,), tasks=tasks(record, TaskState.RUNNING), keepers=keeper(record), secret=secret(record)
    )
    cautious = ReconcileSpec(auto_approve=frozenset({RiskClass.NON_DISRUPTIVE}))
    edited = spec(reconcile=cautious)
    edited = replace(edited, engine=replace(edited.engine, config={"max_connections": "150"}))
    decided = plan(desired(edited), running, (), OPERATOR)
    assert [type(action) for action in decided.held_back] == [KillTask]
    assert [member.ready for member in decided.members] == [True]
    available = next(c for c in decided.conditions if c.type is ConditionType.AVAILABLE)
    assert available.status


def test_a_release_without_a_launch_waits_for_the_offer_that_shows_its_volume() -> None:
    record = serving(Strategy.PERSISTENT_VOLUME)
    found = replace(
        record, owner_uid="gone", intent=Intent.DELETE, launch=None, reservations=("r1",), phase=VolumePhase.RETAINED
    )
    seen = observed(database=None, volumes=(found,))
    decided = plan(None, seen, (), OPERATOR)
    assert not decided.actions
    assert decided.wants_offers


@pytest.mark.parametrize("strategy", [Strategy.HOST_PATH, Strategy.DFS])
def test_a_directory_that_was_found_by_its_marker_is_erased_on_release(strategy: Strategy) -> None:
    found = replace(serving(strategy), owner_uid="gone", intent=Intent.DELETE, launch=None, phase=VolumePhase.RETAINED)
    decided = plan(None, observed(database=None, volumes=(found,)), (offer(),), OPERATOR)
    (accepted,) = [action for action in decided.actions if isinstance(action, AcceptOffers)]
    assert accepted.risk is RiskClass.DESTRUCTIVE


def test_a_clock_that_was_set_back_keeps_no_member_down() -> None:
    record = replace(
        serving(Strategy.PERSISTENT_VOLUME),
        failures=9,
        ending=Ending(incarnation=1, state=TaskState.FAILED, at_seconds=1_000_000_000.0),
    )
    decided = plan(desired(spec(Strategy.PERSISTENT_VOLUME)), observed(volumes=(record,)), (), OPERATOR)
    assert "times in a row" not in decided.waiting[0].message
    assert not any(isinstance(o, Destroy) for a in decided.actions if isinstance(a, AcceptOffers) for o in a.operations)
