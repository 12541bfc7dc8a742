"""Launches of an earlier framework of ours: what Mesos says of them to this one proves nothing."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, FenceAgent, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.observed import Observed, TaskState, TaskStatus
from statefuldb.model.operations import Destroy
from statefuldb.model.spec import NodeLossAction, Strategy
from statefuldb.model.volume import Fencing, Intent, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from unit.planning.members.test_undecided_tasks import renamed, serving
from unit.planning.world import CLUSTER, OPERATOR, desired, observed, spec, status

EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))
LATER = replace(observed().mesos, framework_id="framework-2")


def seen_later(record: VolumeRecord, state: TaskState, *, settling: bool) -> Observed:
    """Return the sight of a member that framework-1 launched, as framework-2 has it."""
    assert record.task_id is not None
    said: TaskStatus = replace(status(record.task_id, state), uuid=None, settling=settling)
    return observed(volumes=(record,), tasks={said.id: said}, mesos=LATER)


@EVERY_STRATEGY
def test_a_launch_is_recorded_with_its_framework(strategy: Strategy) -> None:
    record, _ = serving(strategy)
    assert record.launch is not None
    assert record.launch.framework_id == "framework-1"
    assert record.launch.by_another("framework-2")
    assert not record.launch.by_another("framework-1")
    assert not replace(record.launch, framework_id="").by_another("framework-2")


@EVERY_STRATEGY
def test_nothing_follows_a_launch_that_its_agent_may_still_run(strategy: Strategy) -> None:
    record, idle = serving(strategy)
    seen = seen_later(record, TaskState.UNKNOWN, settling=True)
    decided = plan(desired(spec(strategy)), seen, (idle,), OPERATOR)
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.reason is Reason.AWAITING_RECONCILIATION
    assert wait.look_again_seconds is not None


@EVERY_STRATEGY
def test_data_is_not_deleted_under_a_launch_that_its_agent_may_still_run(strategy: Strategy) -> None:
    record, idle = serving(strategy)
    record = replace(record, intent=Intent.DELETE, owner_uid="of one that is gone")
    for state, settling in ((TaskState.UNKNOWN, True), (TaskState.UNREACHABLE, False)):
        assert not plan(None, seen_later(record, state, settling=settling), (idle,), OPERATOR).actions
    # As soon as it is proved over, it is.
    decided = plan(None, seen_later(record, TaskState.GONE, settling=False), (idle,), OPERATOR)
    (ended,) = decided.actions
    assert isinstance(ended, SaveVolume)
    released = plan(None, observed(volumes=(ended.volume,), mesos=LATER), (idle,), OPERATOR)
    if strategy is Strategy.PERSISTENT_VOLUME:
        _, accepted = released.actions
        assert isinstance(accepted, AcceptOffers)
        assert any(isinstance(operation, Destroy) for operation in accepted.operations)


def test_an_offered_volume_proves_nothing_until_its_agent_has_another_id() -> None:
    record, idle = serving(Strategy.PERSISTENT_VOLUME)
    seen = seen_later(record, TaskState.UNREACHABLE, settling=False)
    waiting = plan(desired(spec()), seen, (idle,), OPERATOR)
    assert not waiting.actions
    assert waiting.look_again_after_seconds is not None
    decided = plan(desired(spec()), seen, (renamed(idle),), OPERATOR)
    assert [type(action) for action in decided.actions] == [SaveVolume, AcceptOffers]
    assert not violations(decided, seen, CLUSTER)


def test_the_law_forbids_a_launch_on_a_volume_that_an_earlier_framework_may_have_in_use() -> None:
    record, idle = serving(Strategy.PERSISTENT_VOLUME)
    assert record.launch is not None
    seen = seen_later(record, TaskState.UNKNOWN, settling=True)
    mistaken = replace(record, launch=replace(record.launch, framework_id="framework-2"))
    unaware = replace(seen, volumes=(mistaken,), tasks={t: replace(s, settling=False) for t, s in seen.tasks.items()})
    decided = plan(desired(spec()), unaware, (idle,), OPERATOR)
    assert not violations(decided, unaware, CLUSTER)
    assert [broken.law for broken in violations(decided, seen, CLUSTER)] == ["one_writer"]


def test_whoever_is_cut_off_from_a_shared_file_system_is_not_waited_for() -> None:
    record, idle = serving(Strategy.DFS)
    seen = seen_later(replace(record, fencing=Fencing(incarnation=1, by="a person")), TaskState.UNKNOWN, settling=True)
    decided = plan(desired(spec(Strategy.DFS)), seen, (idle,), OPERATOR)
    assert [type(action) for action in decided.actions] == [SaveVolume, AcceptOffers]


def test_an_agent_that_is_registered_is_not_cut_off_for_an_earlier_framework() -> None:
    record, _ = serving(Strategy.DFS)
    wanted = spec(Strategy.DFS)
    reattach = replace(wanted.storage, on_node_loss=NodeLossAction.REATTACH, on_node_loss_after_seconds=0)
    wanted, fences = replace(wanted, storage=reattach), replace(OPERATOR, fences=True)
    lost = plan(desired(wanted), seen_later(record, TaskState.UNREACHABLE, settling=False), (), fences)
    assert any(isinstance(action, FenceAgent) for action in lost.actions)
    assert not plan(desired(wanted), seen_later(record, TaskState.UNKNOWN, settling=True), (), fences).actions
