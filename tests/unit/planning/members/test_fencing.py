"""A lost agent is cut off by the fence command only where that was asked for, and its success is what counts."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, FenceAgent, SaveVolume
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.spec import DatabaseSpec, NodeLossAction, Strategy
from statefuldb.model.volume import Ending, Fencing, Intent, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.members.fencing import BY_COMMAND
from statefuldb.planning.planner import plan
from unit.planning.members.test_strays import serving
from unit.planning.world import CLUSTER, OPERATOR, desired, observed, offer, running, spec, storage, tasks

FENCING = replace(OPERATOR, fences=True)
LOST_AT = 900.0


def wanted(action: NodeLossAction, after_seconds: int) -> DatabaseSpec:
    place = replace(storage(Strategy.DFS), on_node_loss=action, on_node_loss_after_seconds=after_seconds)
    return spec(Strategy.DFS, storage=place)


REATTACH = wanted(NodeLossAction.REATTACH, 300)


def lost(state: TaskState = TaskState.UNREACHABLE) -> Observed:
    return lost_again(serving(Strategy.DFS), state, LOST_AT)


def lost_again(record: VolumeRecord, state: TaskState, seen_at: float, since: float | None = None) -> Observed:
    """Return the sight of a lost member; `since` is when its master says to have lost its agent."""
    told = {
        task_id: replace(status, seen_at_seconds=seen_at, unreachable_at_seconds=since)
        for task_id, status in tasks(record, state).items()
    }
    return observed(volumes=(record,), tasks=told)


def fenced(record: VolumeRecord, about: float | None, by: str = "ops") -> VolumeRecord:
    return replace(record, fencing=Fencing(incarnation=1, by=by, lost_at_seconds=about))


def moves(decided: Plan) -> bool:
    return any(isinstance(action, AcceptOffers) for action in decided.actions)


def entry_after(decided: Plan) -> VolumeRecord:
    (saved,) = [action.volume for action in decided.actions if isinstance(action, SaveVolume)]
    return saved


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


@pytest.mark.parametrize("by", [BY_COMMAND, "ops"])
def test_what_was_fenced_and_came_back_is_fenced_anew_before_it_moves(by: str) -> None:
    seen = lost()
    # Nobody else offers, so nothing is launched while it is cut off.
    cut = plan(desired(wanted(NodeLossAction.REATTACH, 60)), seen, (), FENCING)
    record = entry_after(cut) if by == BY_COMMAND else fenced(seen.volumes[0], None)
    assert not moves(plan(desired(REATTACH), replace(seen, volumes=(record,)), (), FENCING))
    # Its agent is back, and a person lets it in again: it serves on.
    back = plan(desired(REATTACH), running(record), (offer("agent-2"),), FENCING)
    assert not moves(back)
    served = entry_after(back)
    assert served.fencing is None
    assert by in back.announcements[0].message
    decided = plan(desired(REATTACH), lost_again(served, TaskState.UNREACHABLE, 999.0), (offer("agent-2"),), FENCING)
    assert not decided.actions, "it is cut off 300 s after it was lost anew"


@pytest.mark.parametrize("state", [TaskState.UNREACHABLE, TaskState.UNKNOWN, TaskState.LOST])
def test_a_proof_of_one_loss_is_none_of_another_that_the_operator_did_not_see_begin(state: TaskState) -> None:
    record = fenced(serving(Strategy.DFS), 500.0)
    since = 900.0 if state is TaskState.UNREACHABLE else None
    # It was back while no operator looked. A clock that was set back, too, tells of another time than before.
    for seen_at in (100.0, 999.0):
        anew = lost_again(record, state, seen_at, since)
        decided = plan(desired(REATTACH), anew, (offer("agent-2"),), FENCING)
        assert not moves(decided)
        assert entry_after(decided).fencing is None
        launched = plan(desired(REATTACH), lost_again(fenced(record, None), state, 1.0), (offer("agent-2"),), FENCING)
        assert {v.law for v in violations(launched, anew, CLUSTER)} == {"one_writer"}


def test_a_proof_holds_for_its_loss_whoever_tells_of_it() -> None:
    record = fenced(serving(Strategy.DFS), 500.0)
    # Another operator was told of the loss later, by a clock of its own.
    for seen_at in (100.0, 999.0):
        seen = lost_again(record, TaskState.UNREACHABLE, seen_at, 500.0)
        decided = plan(desired(REATTACH), seen, (offer("agent-2"),), FENCING)
        assert moves(decided)
        assert not violations(decided, seen, CLUSTER)


def test_a_persons_word_is_about_the_loss_that_was_shown_when_it_was_given() -> None:
    record = fenced(serving(Strategy.DFS), None)
    seen = lost_again(record, TaskState.UNREACHABLE, 999.0, 500.0)
    noted = entry_after(plan(desired(REATTACH), seen, (), FENCING))
    assert noted.fencing == Fencing(incarnation=1, by="ops", lost_at_seconds=500.0)
    kept = replace(seen, volumes=(noted,))
    assert not plan(desired(REATTACH), kept, (), FENCING).actions
    assert moves(plan(desired(REATTACH), kept, (offer("agent-2"),), FENCING))
    owed = {t: replace(s, owed_since_seconds=950.0) for t, s in seen.tasks.items()}
    assert not plan(desired(REATTACH), replace(seen, tasks=owed), (), FENCING).actions, "Mesos has yet to say"


def test_a_persons_word_is_not_taken_out_by_what_was_heard_before_the_connection_was_lost() -> None:
    """A task was last heard of as running, by an operator or a subscription of before its agent was lost."""
    record = fenced(serving(Strategy.DFS), None)
    over = replace(record, ending=Ending(incarnation=1, state=TaskState.UNREACHABLE, at_seconds=900.0))
    for entry, replicas in ((record, 1), (over, 0), (over, 1)):
        seen = running(entry)
        away = replace(seen, mesos=replace(seen.mesos, connected=False))
        old = replace(seen, tasks={t: replace(s, owed_since_seconds=950.0) for t, s in seen.tasks.items()})
        for unsure in (away, old):
            decided = plan(desired(replace(REATTACH, replicas=replicas)), unsure, (offer("agent-2"),), FENCING)
            assert not decided.actions, "nobody would fence it a second time unasked"
            assert decided.waiting[0].reason is Reason.AWAITING_RECONCILIATION
        assert entry_after(plan(desired(REATTACH), seen, (), FENCING)).fencing is None


def test_an_end_that_rests_on_fencing_is_none_once_the_task_is_back() -> None:
    record = fenced(serving(Strategy.DFS), None)
    stopped = desired(replace(REATTACH, replicas=0))
    over = entry_after(plan(stopped, lost_again(record, TaskState.UNREACHABLE, 999.0, 500.0), (), FENCING))
    assert over.ended
    assert not plan(stopped, lost_again(over, TaskState.UNREACHABLE, 999.0, 500.0), (), FENCING).actions
    for seen in (running(over), lost_again(over, TaskState.UNREACHABLE, 999.0, 900.0)):
        decided = plan(desired(REATTACH), seen, (offer("agent-2"),), FENCING)
        assert not moves(decided)
        taken_back = entry_after(decided)
        assert not taken_back.ended
        assert taken_back.fencing is None
    anew = lost_again(over, TaskState.UNREACHABLE, 999.0, 900.0)
    unstamped = replace(anew, volumes=(replace(over, fencing=fenced(record, None).fencing),))
    launched = plan(desired(REATTACH), unstamped, (offer("agent-2"),), FENCING)
    assert {v.law for v in violations(launched, anew, CLUSTER)} == {"one_writer"}


def test_an_end_that_the_agent_told_stands_whatever_was_fenced() -> None:
    record = fenced(serving(Strategy.DFS), 500.0)
    over = replace(record, ending=Ending(incarnation=1, state=TaskState.KILLED, at_seconds=900.0))
    late = observed(volumes=(over,), tasks=tasks(over, TaskState.RUNNING))
    decided = plan(desired(REATTACH), late, (offer("agent-2"),), FENCING)
    assert not [a for a in decided.actions if isinstance(a, SaveVolume)], "it is stopped as a stray"


def test_data_is_not_removed_by_a_proof_that_was_outlived() -> None:
    record = replace(fenced(serving(Strategy.DFS), 500.0), intent=Intent.DELETE, owner_uid="of one that is gone")
    anew = lost_again(record, TaskState.UNREACHABLE, 999.0, 900.0)
    decided = plan(None, anew, (offer("agent-2"),), FENCING)
    assert not moves(decided)
    assert not plan(None, replace(anew, volumes=(entry_after(decided),)), (offer("agent-2"),), FENCING).actions


def beside_a_stray(record: VolumeRecord, state: TaskState) -> tuple[Observed, TaskId]:
    """Return the sight of a member in `state` whose incarnation 2 is being stopped, and that one's task id."""
    assert record.launch is not None
    stray = replace(record, launch=replace(record.launch, incarnation=2))
    (killing,) = tasks(stray, TaskState.KILLING)
    stopping = replace(tasks(stray, TaskState.KILLING)[killing], seen_at_seconds=999.0)
    told = {**lost_again(record, state, LOST_AT).tasks, killing: stopping}
    return observed(volumes=(record,), tasks=told), killing


def test_nothing_follows_a_proved_end_beside_another_launch_that_is_still_stopping() -> None:
    """A keeper tells of a launch that the ledger did not know: that one is followed, and its own launch stopped."""
    record = replace(fenced(serving(Strategy.DFS), LOST_AT), incarnation=2)
    seen, killing = beside_a_stray(record, TaskState.UNREACHABLE)
    decided = plan(desired(REATTACH), seen, (offer("agent-2"),), FENCING)
    assert not any(isinstance(action, AcceptOffers) for action in decided.actions)
    assert [(w.reason, "incarnation 2" in w.message) for w in decided.waiting] == [(Reason.STOPPING, True)]
    killed = {**seen.tasks, killing: replace(seen.tasks[killing], state=TaskState.KILLED)}
    assert moves(plan(desired(REATTACH), replace(seen, tasks=killed), (offer("agent-2"),), FENCING))


def test_another_launch_that_is_still_stopping_holds_up_nothing_else() -> None:
    record = replace(serving(Strategy.DFS), incarnation=2)
    ended, _ = beside_a_stray(record, TaskState.FAILED)
    assert entry_after(plan(desired(REATTACH), ended, (offer("agent-2"),), FENCING)).ended
    lost_beside, _ = beside_a_stray(record, TaskState.UNREACHABLE)
    told = plan(desired(wanted(NodeLossAction.WAIT, 0)), lost_beside, (offer("agent-2"),), FENCING)
    assert Reason.FENCING_REQUIRED in [wait.reason for wait in told.waiting]
    cut = plan(desired(wanted(NodeLossAction.REATTACH, 60)), lost_beside, (offer("agent-2"),), FENCING)
    assert any(isinstance(action, FenceAgent) for action in cut.actions)
