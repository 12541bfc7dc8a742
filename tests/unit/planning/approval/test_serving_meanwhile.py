"""What a member does while its stop waits for approval: it serves, and is looked after as any other that does."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import EnsureSecret, KillTask, SaveVolume, SendCredentials
from statefuldb.model.conditions import ConditionType, EventReason, Reason
from statefuldb.model.identity import OperationId
from statefuldb.model.keeper import KeeperPhase
from statefuldb.model.observed import KeeperView, Observed, OperationState, OperationStatus, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.resources import Unavailability
from statefuldb.model.spec import DatabaseSpec, DesiredState, ReconcileSpec, RiskClass, Strategy
from statefuldb.model.volume import Ending, VolumeRecord
from unit.planning.approval.approving import PLAN_ONLY
from unit.planning.world import decide, keeper, running, serving_on, spec

EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))
CAUTIOUS = ReconcileSpec(auto_approve=frozenset({RiskClass.NON_DISRUPTIVE}))


def edited(strategy: Strategy, reconcile: ReconcileSpec = CAUTIOUS) -> DatabaseSpec:
    """Return a spec for which a member is restarted."""
    wanted = spec(strategy, reconcile=reconcile)
    return replace(wanted, engine=replace(wanted.engine, config={"max_connections": "50"}))


def stopped(strategy: Strategy, reconcile: ReconcileSpec = CAUTIOUS) -> DatabaseSpec:
    return spec(strategy, reconcile=reconcile, state=DesiredState.STOPPED)


def another_password(seen: Observed) -> Observed:
    assert seen.secret is not None
    return replace(seen, secret=replace(seen.secret, revision="8"))


def maintained(record: VolumeRecord, lasting: float | None = None) -> Observed:
    """Return a member that serves while its agent is about to be away."""
    assert record.launch is not None
    away = Unavailability(start_seconds=1_050.0, duration_seconds=lasting)
    return running(record, maintenance={record.launch.agent.id: away})


def available(decided: Plan) -> bool | None:
    return next(c.status for c in decided.conditions if c.type is ConditionType.AVAILABLE)


@EVERY_STRATEGY
def test_a_password_that_was_changed_is_set_and_a_secret_that_is_lost_is_made_again(strategy: Strategy) -> None:
    record, _, _ = serving_on(strategy)
    seen = running(record)
    for wanted in (edited(strategy), stopped(strategy)):
        changed = decide(wanted, another_password(seen))
        assert [type(action) for action in changed.actions] == [SendCredentials]
        assert [type(action) for action in changed.held_back] == [KillTask]
        assert {w.reason for w in changed.waiting} == {Reason.SETTING_CREDENTIALS, Reason.APPROVAL_REQUIRED}
        lost = decide(wanted, replace(seen, secret=None))
        assert [type(action) for action in lost.actions] == [SaveVolume, EnsureSecret]
        assert [type(action) for action in lost.held_back] == [KillTask]


@EVERY_STRATEGY
def test_a_first_server_is_written_down_and_gets_its_account_under_the_same_plan(strategy: Strategy) -> None:
    record, _, _ = serving_on(strategy)
    seen = replace(running(replace(record, initialised=False, token=0)), secret=None)
    first = decide(edited(strategy), seen)
    learned, secret = first.actions
    assert isinstance(learned, SaveVolume)
    assert learned.volume.initialised
    assert isinstance(secret, EnsureSecret)
    after = decide(edited(strategy), replace(running(learned.volume), database=seen.database))
    assert not after.actions
    assert first.approval == after.approval


@EVERY_STRATEGY
def test_one_whose_planned_stop_waits_is_available(strategy: Strategy) -> None:
    record, _, _ = serving_on(strategy)
    for wanted, seen in (
        (edited(strategy), running(record)),
        (stopped(strategy), running(record)),
        (spec(strategy, reconcile=CAUTIOUS), maintained(record)),
        (edited(strategy), maintained(record)),
    ):
        decided = decide(wanted, seen)
        assert not decided.actions
        assert [type(action) for action in decided.held_back] == [KillTask]
        assert [(member.phase, member.ready) for member in decided.members] == [("Running", True)]
        assert available(decided)
        ready = next(c for c in decided.conditions if c.type is ConditionType.READY)
        assert (ready.status, ready.reason) == (False, Reason.APPROVAL_REQUIRED)


@EVERY_STRATEGY
def test_that_a_person_has_to_act_comes_first_and_what_is_wrong_with_it_is_told_too(strategy: Strategy) -> None:
    record, _, _ = serving_on(strategy)
    assert record.task_id is not None
    unheard = {record.task_id: KeeperView(task_id=record.task_id, status=None, error="timed out")}
    seen = replace(running(record), at_seconds=1_060.0, keepers=unheard)
    for wanted in (edited(strategy), stopped(strategy)):
        conditions = {c.type: (c.status, c.reason) for c in decide(wanted, seen).conditions}
        assert conditions[ConditionType.READY] == (False, Reason.APPROVAL_REQUIRED)
        assert conditions[ConditionType.STALLED] == (True, Reason.APPROVAL_REQUIRED)
        assert conditions[ConditionType.DEGRADED] == (True, Reason.KEEPER_UNREACHABLE)


@EVERY_STRATEGY
def test_a_server_that_is_recorded_as_over_is_not_looked_after(strategy: Strategy) -> None:
    record, _, _ = serving_on(strategy)
    over = replace(record, ending=Ending(incarnation=1, state=TaskState.GONE, at_seconds=900.0))
    decided = decide(stopped(strategy, PLAN_ONLY), running(over))
    assert [type(action) for action in decided.held_back] == [KillTask]
    assert not decided.actions
    assert not any(member.ready for member in decided.members)


def test_one_whose_stop_for_maintenance_waits_is_looked_at_once_the_window_is_over() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    wanted = spec(reconcile=CAUTIOUS)
    assert decide(wanted, maintained(record, lasting=600.0)).look_again_after_seconds == pytest.approx(650.0)
    assert decide(wanted, maintained(record)).look_again_after_seconds is None
    failed = replace(record, failures=1)
    assert decide(wanted, maintained(failed, lasting=600.0)).look_again_after_seconds == pytest.approx(60.0)


@EVERY_STRATEGY
def test_what_cannot_be_set_keeps_no_approved_stop_from_being_sent(strategy: Strategy) -> None:
    """The edit may be what helps: an account that cannot be set must not keep the server from its new options."""
    record, _, _ = serving_on(strategy)
    seen = another_password(running(record))
    for wanted in (edited, stopped):
        held = decide(wanted(strategy), seen)
        assert held.approval is not None
        for reconcile in (replace(CAUTIOUS, approved_plan=held.approval.hash), ReconcileSpec()):
            (kill,) = decide(wanted(strategy, reconcile), seen).actions
            assert isinstance(kill, KillTask)


@EVERY_STRATEGY
def test_what_needs_approval_too_is_not_done_meanwhile(strategy: Strategy) -> None:
    record, _, _ = serving_on(strategy)
    decided = decide(edited(strategy, PLAN_ONLY), another_password(running(record)))
    assert not decided.actions
    assert EventReason.CREDENTIALS_SET not in {told.reason for told in decided.announcements}
    assert [type(action) for action in decided.held_back] == [KillTask]


def test_what_its_keeper_refuses_meanwhile_is_written_down() -> None:
    record, _, _ = serving_on(Strategy.DFS)
    refused = keeper(record, phase=KeeperPhase.REFUSED, reason="unknown variable 'frobnicate'")
    decided = decide(edited(Strategy.DFS), replace(running(record), keepers=refused))
    (noted,) = decided.actions
    assert isinstance(noted, SaveVolume)
    assert noted.volume.launch is not None
    assert "frobnicate" in noted.volume.launch.refusal
    assert Reason.KEEPER_REFUSED in {wait.reason for wait in decided.waiting}


def test_what_became_of_its_last_operation_is_told_meanwhile() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    wanted = spec(reconcile=CAUTIOUS)
    wanted = replace(wanted, storage=replace(wanted.storage, size_bytes=2 * wanted.storage.size_bytes))
    sent = OperationId(uid=record.identity.uid, ordinal=0, offer="o1", position=1, kind="grow_volume")
    failed = OperationStatus(id=sent, state=OperationState.FAILED, agent_id="id-of-agent-1", message="no space")
    seen = replace(maintained(record), operations=(failed,))
    (wait,) = [w for w in decide(wanted, seen).waiting if w.reason is Reason.AWAITING_DISK]
    assert "no space" in wait.message


@EVERY_STRATEGY
def test_what_is_written_down_meanwhile_makes_no_other_plan_of_it(strategy: Strategy) -> None:
    """A size that was edited with the configuration was learned by then: who approved the first hash was too late."""
    record, beside, _ = serving_on(strategy)
    wanted = edited(strategy)
    wanted = replace(wanted, storage=replace(wanted.storage, size_bytes=2 * wanted.storage.size_bytes))
    first = decide(wanted, running(record), beside)
    saved = next((action.volume for action in first.actions if isinstance(action, SaveVolume)), record)
    assert first.approval is not None
    assert decide(wanted, running(saved), beside).approval == first.approval
