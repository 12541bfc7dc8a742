"""A lost agent is cut off by the fence command only where that was asked for, and its success is what counts."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, FenceAgent, SaveVolume
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.spec import DatabaseSpec, NodeLossAction, Strategy
from statefuldb.planning.fencing import BY_COMMAND
from statefuldb.planning.planner import plan
from unit.planning.test_strays import serving
from unit.planning.world import OPERATOR, desired, observed, offer, spec, storage, tasks

FENCING = replace(OPERATOR, fences=True)
LOST_AT = 900.0


def wanted(action: NodeLossAction, after_seconds: int) -> DatabaseSpec:
    place = replace(storage(Strategy.DFS), on_node_loss=action, on_node_loss_after_seconds=after_seconds)
    return spec(Strategy.DFS, storage=place)


def lost(state: TaskState = TaskState.UNREACHABLE) -> Observed:
    record = serving(Strategy.DFS)
    told = {task_id: replace(s, seen_at_seconds=LOST_AT) for task_id, s in tasks(record, state).items()}
    return observed(volumes=(record,), tasks=told)


@pytest.mark.parametrize("state", [TaskState.UNREACHABLE, TaskState.LOST, TaskState.GONE_BY_OPERATOR])
def test_the_command_runs_first_and_its_success_is_written_down_after_it(state: TaskState) -> None:
    seen = lost(state)
    decided = plan(desired(wanted(NodeLossAction.REATTACH, 60)), seen, (offer(),), FENCING)
    cut, saved = decided.actions
    assert isinstance(cut, FenceAgent)
    assert isinstance(saved, SaveVolume)
    assert saved.volume.fencing is not None
    assert saved.volume.fencing.by == BY_COMMAND
    fenced = replace(seen, volumes=(saved.volume,))
    again = plan(desired(wanted(NodeLossAction.REATTACH, 60)), fenced, (offer("agent-2"),), FENCING)
    assert any(isinstance(action, AcceptOffers) for action in again.actions)


def test_before_its_time_the_command_is_only_announced() -> None:
    decided = plan(desired(wanted(NodeLossAction.REATTACH, 300)), lost(), (offer(),), FENCING)
    assert not decided.actions
    assert decided.waiting[0].reason is Reason.FENCING_REQUIRED
    assert "300 s after the loss" in decided.waiting[0].message
    assert decided.look_again_after_seconds == pytest.approx(200.0)
    said = {c.type: c.status for c in decided.conditions}
    assert said[ConditionType.STALLED] is False, "nobody has to act"
    assert said[ConditionType.RECONCILING] is True
    assert said[ConditionType.DEGRADED] is True


@pytest.mark.parametrize(
    ("action", "operator"),
    [(NodeLossAction.WAIT, FENCING), (NodeLossAction.REATTACH, OPERATOR)],
    ids=["not asked for", "no command"],
)
def test_without_wish_or_command_a_person_has_to_confirm(action: NodeLossAction, operator: object) -> None:
    decided = plan(desired(wanted(action, 0)), lost(), (offer(),), operator)  # type: ignore[arg-type]
    assert not decided.actions
    assert "statefuldb -n shop fence" in decided.waiting[0].fix
    assert {c.type: c.status for c in decided.conditions}[ConditionType.STALLED] is True


def test_nobody_is_cut_off_by_what_was_heard_before_the_connection_was_lost() -> None:
    seen = lost()
    asked = desired(wanted(NodeLossAction.REATTACH, 0))
    away = replace(seen, mesos=replace(seen.mesos, connected=False))
    old = replace(seen, tasks={t: replace(s, owed_since_seconds=950.0) for t, s in seen.tasks.items()})
    for unsure in (away, old):
        decided = plan(asked, unsure, (offer(),), FENCING)
        assert not decided.actions, "the agent may have recovered since"
        assert decided.waiting[0].reason is Reason.FENCING_REQUIRED
    assert plan(asked, seen, (offer(),), FENCING).actions
