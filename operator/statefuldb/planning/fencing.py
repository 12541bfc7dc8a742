"""Fencing by command: what moves a member of a lost agent on without a person, where its manifest asks for that.

A time-out alone is never proof. It only says when the fence command is run; the command's success, recorded in the
ledger, is the proof (docs/design.md section 8, "Fencing on DFS", (b)).
"""

from dataclasses import replace

from statefuldb.model.actions import FenceAgent, SaveVolume
from statefuldb.model.conditions import EventReason
from statefuldb.model.observed import TaskStatus
from statefuldb.model.plan import Announcement
from statefuldb.model.spec import NodeLossAction
from statefuldb.model.volume import Fencing, VolumeRecord
from statefuldb.planning.context import Context, Step

BY_COMMAND = "fence command"


def due_in_seconds(context: Context, status: TaskStatus) -> float | None:
    """Return in how long the fence command is to be run for a lost member, 0 for now; None where it is not.

    Of what was heard before the connection was lost the agent may have recovered since: it is not cut off by that.
    """
    storage = context.spec.storage
    if not context.observed.mesos.connected or status.owed_since_seconds is not None:
        return None
    if not context.operator.fences or storage.dfs is None or storage.on_node_loss is not NodeLossAction.REATTACH:
        return None
    return max(0.0, status.seen_at_seconds + storage.on_node_loss_after_seconds - context.now)


def by_command(record: VolumeRecord) -> Step:
    """Return the step that cuts the lost agent off, and only then writes down that it is."""
    assert record.launch is not None
    assert record.task_id is not None
    assert record.dfs is not None
    cut = FenceAgent(key=record.key, task_id=record.task_id, agent=record.launch.agent, dfs=record.dfs)
    fenced = replace(record, fencing=Fencing(incarnation=record.launch.incarnation, by=BY_COMMAND))
    what = f"{record.launch.agent.hostname} is cut off from {record.dfs.mount_point}"
    return Step(
        actions=(cut, SaveVolume(volume=fenced, why=what)),
        announcements=(Announcement(reason=EventReason.AGENT_FENCED, message=what),),
    )
