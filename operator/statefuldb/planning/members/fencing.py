"""Fencing by command: what moves a member of a lost agent on without a person, where its manifest asks for that.

A time-out alone is never proof. It only says when the fence command is run; the command's success, recorded in the
ledger, is the proof (docs/design.md section 8, "Fencing on DFS", (b)). Like a person's word it is about one loss of the
agent, and is over with that: an agent that is back is let in again, and what it runs serves on.
"""

from dataclasses import replace

from statefuldb.model.actions import Action, FenceAgent, SaveVolume
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.observed import TaskState, TaskStatus
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.spec import NodeLossAction
from statefuldb.model.volume import Fencing, VolumeRecord
from statefuldb.planning.commands import CHECK_MASTER
from statefuldb.planning.context import Context, Step, status_of

BY_COMMAND = "fence command"
LOOK_AGAIN_SECONDS = 15.0


def due_in_seconds(context: Context, record: VolumeRecord, status: TaskStatus) -> float | None:
    """Return in how long the fence command is to be run for a lost member, 0 for now; None where it is not.

    Of what was heard before the connection was lost the agent may have recovered since: it is not cut off by that.
    """
    storage = context.spec.storage
    if _heard_before(context, status):
        return None
    if not context.operator.fences or storage.dfs is None or storage.on_node_loss is not NodeLossAction.REATTACH:
        return None
    if record.launch is None or not record.launch.agent.named:
        return None
    return max(0.0, status.seen_at_seconds + storage.on_node_loss_after_seconds - context.now)


def by_command(record: VolumeRecord, status: TaskStatus) -> Step:
    """Return the step that cuts the lost agent off, and only then writes down that it is."""
    assert record.launch is not None
    assert record.task_id is not None
    assert record.dfs is not None
    cut = FenceAgent(key=record.key, task_id=record.task_id, agent=record.launch.agent, dfs=record.dfs)
    proof = Fencing(incarnation=record.launch.incarnation, by=BY_COMMAND, lost_at_seconds=status.lost_at_seconds)
    fenced = replace(record, fencing=proof)
    what = f"{record.launch.agent.hostname} is cut off from {record.dfs.mount_point}"
    return Step(
        actions=(cut, SaveVolume(volume=fenced, why=what)),
        announcements=(Announcement(reason=EventReason.AGENT_FENCED, message=what),),
    )


def about(record: VolumeRecord, status: TaskStatus) -> VolumeRecord:
    """Return the entry with the loss noted that a person's word is about: the one that is told of now."""
    if record.fenced is None or record.fenced.lost_at_seconds is not None:
        return record
    return replace(record, fencing=replace(record.fenced, lost_at_seconds=status.lost_at_seconds))


def noted(record: VolumeRecord, status: TaskStatus) -> tuple[Action, ...]:
    """Return the action that writes that loss down. While an answer is owed, Mesos has yet to say which one it is."""
    known = about(record, status) if status.owed_since_seconds is None else record
    return (SaveVolume(volume=known, why=f"{record.task_id} is cut off"),) if known != record else ()


def outlived(context: Context, record: VolumeRecord) -> Step | None:
    """Take out a proof of fencing once its task is back, or was lost anew, and an end that rests on nothing else.

    What was heard before the connection was lost may be of before that loss: then Mesos has to say so first.
    """
    status, fenced = status_of(record, context.observed.tasks), record.fenced
    if status is None or fenced is None or status.state.over or (record.ended and not _ended_by_it(record)):
        return None
    if not status.state.alive and fenced.lost_at_seconds in (None, status.lost_at_seconds):
        return None
    if _heard_before(context, status):
        return Step(waiting=(_unanswered(record),)) if status.state.alive or record.ended else None
    came = "is back" if status.state.alive else "was lost anew"
    what = f"{record.task_id} {came}: that it was cut off ({fenced.by}) counts no longer"
    return Step(
        actions=(SaveVolume(volume=replace(record, fencing=None, ending=None), why=what),),
        announcements=(Announcement(reason=EventReason.AGENT_FENCED, message=what),),
    )


def _heard_before(context: Context, status: TaskStatus) -> bool:
    """Whether a status is of before the connection was lost."""
    return not context.observed.mesos.connected or status.owed_since_seconds is not None


def _unanswered(record: VolumeRecord) -> Waiting:
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.AWAITING_RECONCILIATION,
        message=f"{record.task_id} is said to be cut off; Mesos has yet to say what became of it",
        fix=CHECK_MASTER,
        look_again_seconds=LOOK_AGAIN_SECONDS,
    )


def _ended_by_it(record: VolumeRecord) -> bool:
    """Whether the recorded end is not an agent's word."""
    return record.ending is not None and record.ending.state not in {state for state in TaskState if state.over}
