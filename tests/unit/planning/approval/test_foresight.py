"""What `plan -f` says before anything happens: the same planner, rolled forward."""

from dataclasses import replace

import pytest

from statefuldb.model.observed import Observed
from statefuldb.model.spec import (
    DesiredState,
    DiskType,
    PersistentVolumeSpec,
    ReconcileMode,
    ReconcileSpec,
    ResourcesSpec,
    RiskClass,
    Strategy,
)
from statefuldb.model.volume import Ending, Intent, VolumePhase
from statefuldb.planning.approval.foresight import Foresight, asks
from statefuldb.planning.approval.foresight import foresee as foresee_by
from statefuldb.planning.desired import Desired
from statefuldb.planning.planner import plan
from unit.planning.members.test_strays import serving
from unit.planning.world import MIB, OPERATOR, database, desired, observed, secret, spec, storage


def foresee(wanted: Desired, seen: Observed) -> Foresight:
    return foresee_by(wanted, seen, OPERATOR, plan)


EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))


def running(strategy: Strategy) -> Observed:
    record = serving(strategy)
    return observed(volumes=(replace(record, phase=VolumePhase.IN_USE),), secret=secret(record))


@EVERY_STRATEGY
def test_a_new_database_from_its_finalizer_to_its_account(strategy: Strategy) -> None:
    foreseen = foresee(desired(spec(strategy)), observed(database=database(finalizers=())))
    said = [step.description for step in foreseen.actions]
    assert "deletion" in said[0]
    assert "launch orders-0 (incarnation 1) on an agent that offers enough" in said[1]
    assert said[-1].startswith("set the application's account")
    assert not any(asks(step.risk, ReconcileSpec()) for step in foreseen.actions)
    assert not foreseen.waiting


@EVERY_STRATEGY
def test_an_edit_of_memory_is_a_stop_and_a_relaunch(strategy: Strategy) -> None:
    wanted = spec(strategy, resources=ResourcesSpec(cpus_milli=500, memory_bytes=768 * MIB))
    foreseen = foresee(desired(wanted), running(strategy))
    steps = foreseen.actions
    assert [step.risk for step in steps][:2] == [RiskClass.RESTART, RiskClass.NON_DISRUPTIVE]
    assert "restart orders-0: memory" in steps[0].description
    assert "incarnation 2" in steps[1].description
    assert not foreseen.waiting


@pytest.mark.parametrize("disk", [DiskType.ROOT, DiskType.PATH])
def test_a_larger_volume_is_foreseen_on_each_kind_of_disk_that_can_grow(disk: DiskType) -> None:
    """Simulator, seed 2218: without it the plan to approve was another one whenever an offer showed the difference."""
    larger = replace(
        storage(Strategy.PERSISTENT_VOLUME),
        size_bytes=3072 * MIB,
        persistent_volume=PersistentVolumeSpec(disk_type=disk),
    )
    foreseen = foresee(desired(spec(storage=larger)), running(Strategy.PERSISTENT_VOLUME))
    said = [step.description for step in foreseen.actions]
    assert "restart orders-0: storage" in said[0]
    assert "grow orders-0" in said[1]
    assert "launch orders-0 (incarnation 2)" in said[2]
    assert not foreseen.waiting


def test_a_larger_volume_is_foreseen_where_the_member_runs_whatever_is_retained_elsewhere() -> None:
    """Simulator, seed 42723: with an offer the plan to approve had a restart in it, and without one it had not."""
    seen = running(Strategy.PERSISTENT_VOLUME)
    (mine,) = seen.volumes
    assert mine.agent is not None
    kept = replace(
        mine,
        name="orders-0-00000000",
        owner_uid="00000000-2222-3333-4444-555555555555",
        identity=replace(mine.identity, uid="00000000-2222-3333-4444-555555555555"),
        intent=Intent.RETAIN,
        phase=VolumePhase.RETAINED,
        ending=Ending(incarnation=1, state="TASK_KILLED"),
        agent=replace(mine.agent, id="other", hostname="other"),
    )
    larger = replace(storage(Strategy.PERSISTENT_VOLUME), size_bytes=3072 * MIB)
    foreseen = foresee(desired(spec(storage=larger)), replace(seen, volumes=(kept, mine)))
    assert "restart orders-0: storage" in foreseen.actions[0].description
    assert not foreseen.waiting


@EVERY_STRATEGY
def test_what_is_as_it_should_be_needs_nothing(strategy: Strategy) -> None:
    assert foresee(desired(spec(strategy)), running(strategy)) == Foresight()


def test_what_is_foreseen_is_what_an_approval_is_asked_for() -> None:
    cautious = ReconcileSpec(auto_approve=frozenset({RiskClass.NON_DISRUPTIVE}))
    stop = spec(state=DesiredState.STOPPED, reconcile=cautious)
    (step,) = foresee(desired(stop), running(Strategy.PERSISTENT_VOLUME)).actions
    assert asks(step.risk, cautious)
    plan_only = ReconcileSpec(mode=ReconcileMode.PLAN_ONLY)
    steps = foresee(desired(spec(reconcile=plan_only)), observed()).actions
    assert steps
    assert all(asks(step.risk, plan_only) for step in steps)


@EVERY_STRATEGY
def test_retained_data_is_said_to_be_taken_up_again(strategy: Strategy) -> None:
    kept = replace(
        serving(strategy),
        owner_uid="99999999-2222-3333-4444-555555555555",
        intent=Intent.RETAIN,
        phase=VolumePhase.RETAINED,
        ending=Ending(incarnation=1, state="TASK_KILLED"),
    )
    foreseen = foresee(desired(spec(strategy)), observed(volumes=(kept,)))
    assert foreseen.actions[0].description.startswith("re-adopt")
    assert any("incarnation 2" in step.description for step in foreseen.actions)
    assert not foreseen.waiting
