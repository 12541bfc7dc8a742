"""An incarnation that runs although the ledger says that it is over (law `one_writer`)."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, KillTask, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.observed import TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, VolumeRecord
from statefuldb.planning.members.strays import STOP_AGAIN_SECONDS
from statefuldb.planning.planner import plan
from unit.planning.world import OPERATOR, desired, observed, offer, spec, tasks


def serving(strategy: Strategy) -> VolumeRecord:
    saved = plan(desired(spec(strategy)), observed(), (offer(),), OPERATOR).actions[0]
    assert isinstance(saved, SaveVolume)
    return replace(saved.volume, initialised=True, token=1)


@pytest.mark.parametrize("replicas", [1, 0])
def test_an_incarnation_recorded_as_over_that_runs_is_stopped_and_nothing_is_launched_beside_it(replicas: int) -> None:
    record = serving(Strategy.HOST_PATH)
    over = replace(record, ending=Ending(incarnation=1, state="TASK_GONE", at_seconds=900.0))
    wanted = desired(spec(Strategy.HOST_PATH, replicas=replicas))
    (kill,) = plan(
        wanted, observed(volumes=(over,), tasks=tasks(over, TaskState.RUNNING)), (offer(),), OPERATOR
    ).actions
    assert isinstance(kill, KillTask)
    assert kill.task_id == over.task_id

    def stopping(since: float) -> Plan:
        (said,) = tasks(over, TaskState.KILLING).values()
        seen = observed(volumes=(over,), tasks={said.id: replace(said, seen_at_seconds=since)})
        return plan(wanted, seen, (offer(),), OPERATOR)

    killing = stopping(999.0)
    assert not killing.actions
    assert killing.waiting[0].reason is Reason.STOPPING
    assert killing.look_again_after_seconds is not None
    # A status that came after that of the end is never followed by another, and neither is one of the future.
    for since in (1_000.0 - STOP_AGAIN_SECONDS, 4_600.0):
        (again,) = stopping(since).actions
        assert isinstance(again, KillTask)
    gone = plan(wanted, observed(volumes=(over,), tasks=tasks(over, TaskState.GONE)), (offer(),), OPERATOR)
    assert any(isinstance(a, AcceptOffers) for a in gone.actions) is bool(replicas)
