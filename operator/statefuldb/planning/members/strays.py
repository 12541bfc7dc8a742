"""Incarnations that run although they were replaced or recorded as over, and clean stops that are under way."""

from statefuldb.model.actions import Action, KillTask, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import TaskState, TaskStatus
from statefuldb.model.plan import Waiting
from statefuldb.model.spec import RiskClass
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.context import Context, Step
from statefuldb.planning.members.launch import STOP_GRACE_SECONDS

STOP_AGAIN_SECONDS = STOP_GRACE_SECONDS / 2


def stopping(task_id: TaskId) -> Waiting:
    """Return the wait for a clean stop."""
    return Waiting(
        ordinal=task_id.ordinal,
        reason=Reason.STOPPING,
        message=f"incarnation {task_id.incarnation} is stopping (up to {STOP_GRACE_SECONDS} s)",
        look_again_seconds=STOP_AGAIN_SECONDS,
    )


def strays(context: Context, record: VolumeRecord) -> Step | None:
    """Kill incarnations that came back after they were replaced or recorded as over (law `one_writer`).

    One that is recorded as over can still be said to run, by a status that was long on its way: the answer to KILL
    tells. So it is with one that was said to be stopping, for longer than that is believed. Nothing is launched beside
    one that is alive (`beside`).

    One that was launched after what the entry says is rather what another operator has launched meanwhile than one of
    before a restore: the entry is written as it is first, which is refused where it is not the stored one.
    """
    actions: list[Action] = []
    later = False
    for task_id, status in _others(context, record):
        if status.state is TaskState.KILLING and 0 <= context.now - status.seen_at_seconds < STOP_AGAIN_SECONDS:
            continue
        later = later or task_id.incarnation > record.incarnation
        actions.append(
            KillTask(
                task_id=task_id,
                agent_id=status.agent_id,
                # Beside a successor every moment counts; alone it may end cleanly.
                grace_seconds=STOP_GRACE_SECONDS if record.ended else 0,
                why=f"incarnation {task_id.incarnation} came back after it was "
                f"{'over' if record.ended else 'replaced'}",
                risk=RiskClass.NON_DISRUPTIVE,
            )
        )
    if actions:
        stored = SaveVolume(volume=record, why=f"{record.name} is still what the ledger says")
        return Step(actions=(*((stored,) if later else ()), *actions))
    return beside(context, record) if record.ended else None


def beside(context: Context, record: VolumeRecord) -> Step | None:
    """Return the wait for the end of what else of a member is alive: nothing is launched before that."""
    waiting = tuple(stopping(task_id) for task_id, _ in _others(context, record))
    return Step(waiting=waiting) if waiting else None


def _others(context: Context, record: VolumeRecord) -> list[tuple[TaskId, TaskStatus]]:
    """Return what of a member is alive and is not the current launch, in a fixed order."""
    member = (record.identity.uid, record.identity.ordinal)
    current = record.task_id if not record.ended else None
    alive = [(t, s) for t, s in context.observed.tasks.items() if (t.uid, t.ordinal) == member and s.state.alive]
    return sorted(((t, s) for t, s in alive if t != current), key=lambda item: str(item[0]))
