"""One member that should run: from its ledger entry and what Mesos and its keeper say to its next step."""

from dataclasses import replace

from statefuldb.model.actions import KillTask, SaveVolume
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.keeper import KeeperPhase
from statefuldb.model.observed import TaskState, TaskStatus
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.quantity import render_bytes
from statefuldb.model.spec import ResourcesSpec, RiskClass
from statefuldb.model.volume import Ending, VolumeRecord, kept
from statefuldb.planning.context import Context, Step, status_of
from statefuldb.planning.ledger import behind
from statefuldb.planning.members import fencing, maintenance, resizing, volume_growth
from statefuldb.planning.members.launch import STOP_GRACE_SECONDS, launch
from statefuldb.planning.members.serving import noted_refusal, serve
from statefuldb.planning.members.strays import stopping, strays
from statefuldb.planning.members.surplus import trim
from statefuldb.planning.members.template import restart_request, template_of
from statefuldb.planning.members.undecided_tasks import settled, undecided

RECONCILE_PATIENCE_SECONDS = 15.0


def run(context: Context, record: VolumeRecord) -> Step:
    """Return the next step of a member that should run."""
    if (first := _first(context, record)) is not None:
        return first
    status = status_of(record, context.observed.tasks)
    if record.ended:
        return launch(context, record)
    if status is None:
        return Step(waiting=(_unanswered(context, record),))
    if status.state.over:
        return Step(actions=(record_ending(context, record, status),), announcements=_ended(status))
    if not status.state.alive:
        return undecided(context, record, status)
    if status.state is TaskState.KILLING:
        return Step(waiting=(stopping(status.id),))
    kept = _keep_running(context, record, status)
    stop_now = maintenance.stop_before(context, record, status, kept, STOP_GRACE_SECONDS)
    return stop_now or maintenance.announced(context, record, kept)


def _first(context: Context, record: VolumeRecord) -> Step | None:
    """Return what comes before all else: an entry that says what is true, and nothing of the member's beside it."""
    return (
        fencing.outlived(context, record)
        or behind.taken_up(context, record)
        or strays(context, record)
        or behind.caught_up(context, record)
    )


def _keep_running(context: Context, record: VolumeRecord, status: TaskStatus) -> Step:
    """Return the next step of a member that runs and stays where it is.

    A restart comes before what the running server still lacks, which may not be had without it.
    """
    assert record.launch is not None
    served = serve(context, record)
    if record.launch.template != template_of(context.spec, restart_request(context, record.launch)):
        lacking = resizing.lacking(context, record)
        if lacking is None:
            return Step(actions=(restart(context, record, status),), report=served.report, meanwhile=served)
        return replace(served, waiting=(*served.waiting, lacking))
    if status.state is TaskState.RUNNING and not served.actions:
        grown = volume_growth.while_running(context, record, status, served, STOP_GRACE_SECONDS)
        return grown if grown.actions else trim(context, record, grown)
    return served


def record_ending(context: Context, record: VolumeRecord, status: TaskStatus) -> SaveVolume:
    """Return the action that writes down that a launch is over, before Mesos is told that we know."""
    view = context.observed.keepers.get(status.id)
    if view is not None and view.status is not None and view.status.phase is KeeperPhase.REFUSED:
        # It was over before anybody looked at why.
        noted = noted_refusal(record, view.status)
        if noted is not None and noted.volume.task_id != record.task_id:
            return noted
        record = noted.volume if noted is not None else record
    # An offer that went as it was accepted is nobody's failure, and neither is a stop that was asked for.
    dropped = status.state is TaskState.DROPPED and status.reason == "REASON_INVALID_OFFERS"
    asked_for = status.state is TaskState.KILLED or dropped
    return SaveVolume(
        volume=replace(
            record,
            ending=Ending(
                incarnation=status.id.incarnation,
                state=status.state,
                reason=status.reason,
                message=kept(status.message),
                at_seconds=context.now,
            ),
            failures=0 if asked_for else record.failures + 1,
        ),
        why=f"incarnation {status.id.incarnation} is over: {status.state}",
    )


def stop(context: Context, record: VolumeRecord, why: str) -> Step:
    """Return the next step towards a member that does not run; an empty step once its end is recorded."""
    if (first := _first(context, record)) is not None:
        return first
    status = status_of(record, context.observed.tasks)
    if record.ended:
        return Step()
    if status is None:
        return Step(waiting=(_unanswered(context, record),))
    if status.state.over:
        return Step(actions=(record_ending(context, record, status),), announcements=_ended(status))
    if not status.state.alive:
        return settled(context, record, status)
    if status.state is TaskState.KILLING:
        return Step(waiting=(stopping(status.id),))
    kill = KillTask(
        task_id=status.id,
        agent_id=status.agent_id,
        grace_seconds=STOP_GRACE_SECONDS,
        why=why,
        risk=RiskClass.RESTART,
    )
    return Step(
        actions=(kill,),
        announcements=(Announcement(reason=EventReason.MEMBER_STOPPING, message=why),),
    )


def stop_unwanted(context: Context, record: VolumeRecord) -> Step:
    """Return the next step towards the end of a database's own member: it serves while its stop waits for approval."""
    step = stop(context, record, f"stop {record.key.name}-{record.identity.ordinal}: not wanted now, its data is kept")
    stops = any(isinstance(action, KillTask) and action.task_id == record.task_id for action in step.actions)
    return replace(step, meanwhile=serve(context, record)) if stops and not record.ended else step


def restart(context: Context, record: VolumeRecord, status: TaskStatus) -> KillTask:
    """Return the clean stop that lets a member be launched again with what was edited."""
    assert record.launch is not None
    spec, launched = context.spec, record.launch
    changes = []
    if launched.cpus_milli != spec.resources.cpus_milli:
        changes.append(f"cpus {launched.cpus_milli}m -> {spec.resources.cpus_milli}m")
    if launched.memory_bytes != spec.resources.memory_bytes:
        memory = (render_bytes(launched.memory_bytes), render_bytes(spec.resources.memory_bytes))
        changes.append(f"memory {memory[0]} -> {memory[1]}")
    as_launched = ResourcesSpec(cpus_milli=launched.cpus_milli, memory_bytes=launched.memory_bytes)
    if launched.template != template_of(replace(spec, resources=as_launched), launched.restarted_at):
        changes.append("changed engine configuration")
    asked = restart_request(context, launched)
    if asked != launched.restarted_at:
        changes.append(f"asked for at {asked}")
    what = ", ".join(changes)
    return KillTask(
        task_id=status.id,
        agent_id=status.agent_id,
        grace_seconds=STOP_GRACE_SECONDS,
        why=f"restart {record.member}: {what}",
        risk=RiskClass.RESTART,
    )


def _unanswered(context: Context, record: VolumeRecord) -> Waiting:
    assert record.launch is not None
    # A launch in the future is of a clock that has been set back since: that long is not waited for.
    young = 0 <= context.now - record.launch.at_seconds < RECONCILE_PATIENCE_SECONDS
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.LAUNCHING if young else Reason.AWAITING_RECONCILIATION,
        message=f"Mesos has not answered yet for {record.task_id}",
        fix="" if young else "check that the agent is registered; nothing is launched until it is known",
        look_again_seconds=RECONCILE_PATIENCE_SECONDS,
    )


def _ended(status: TaskStatus) -> tuple[Announcement, ...]:
    text = f"{status.id} is over: {status.state} {status.message or status.reason}".strip()
    failed = status.state not in (TaskState.KILLED, TaskState.FINISHED)
    return (Announcement(reason=EventReason.MEMBER_ENDED, message=text, warning=failed),)
