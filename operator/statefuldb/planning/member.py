"""One member that should run: from its ledger entry and what Mesos and its keeper say to its next step."""

from dataclasses import replace

from statefuldb.model.actions import Action, KillTask, SaveVolume
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.observed import TaskState, TaskStatus
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.spec import ResourcesSpec, RiskClass
from statefuldb.model.volume import Ending, VolumeRecord
from statefuldb.planning.context import Context, Step, status_of
from statefuldb.planning.launch import STOP_GRACE_SECONDS, launch
from statefuldb.planning.serving import serve
from statefuldb.planning.storage import strategy_of
from statefuldb.planning.surplus import trim
from statefuldb.planning.template import restart_request, template_of

RECONCILE_PATIENCE_SECONDS = 15.0


def run(context: Context, record: VolumeRecord) -> Step:
    """Return the next step of a member that should run."""
    stray = _strays(context, record)
    if stray is not None:
        return stray
    status = status_of(record, context.observed.tasks)
    if record.ended:
        return launch(context, record)
    if status is None:
        return Step(waiting=(_unanswered(context, record),))
    if status.state.over:
        return Step(actions=(record_ending(context, record, status),), announcements=_ended(status))
    if not status.state.alive:
        return _undecided(context, record, status)
    if status.state is TaskState.KILLING:
        return Step(waiting=(stopping(record),))
    assert record.launch is not None
    if record.launch.template != template_of(context.spec, restart_request(context, record.launch)):
        return Step(actions=(restart(context, record, status),))
    served = serve(context, record)
    if status.state is TaskState.RUNNING and not served.actions:
        return trim(context, record, served)
    return served


def record_ending(context: Context, record: VolumeRecord, status: TaskStatus) -> SaveVolume:
    """Return the action that writes down that a launch is over, before Mesos is told that we know."""
    asked_for = status.state is TaskState.KILLED or status.state is TaskState.DROPPED
    return SaveVolume(
        volume=replace(
            record,
            ending=Ending(
                incarnation=status.id.incarnation,
                state=status.state,
                reason=status.reason,
                message=status.message,
                at_seconds=context.now,
            ),
            failures=0 if asked_for else record.failures + 1,
        ),
        why=f"incarnation {status.id.incarnation} is over: {status.state}",
    )


def stop(context: Context, record: VolumeRecord, why: str) -> Step:
    """Return the next step towards a member that does not run; an empty step once its end is recorded."""
    stray = _strays(context, record)
    if stray is not None:
        return stray
    status = status_of(record, context.observed.tasks)
    if record.ended:
        return Step()
    if status is None:
        return Step(waiting=(_unanswered(context, record),))
    if status.state.over:
        return Step(actions=(record_ending(context, record, status),), announcements=_ended(status))
    if not status.state.alive:
        return Step(waiting=(_lost(record, status),))
    if status.state is TaskState.KILLING:
        return Step(waiting=(stopping(record),))
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


def restart(context: Context, record: VolumeRecord, status: TaskStatus) -> KillTask:
    """Return the clean stop that lets a member be launched again with what was edited."""
    assert record.launch is not None
    spec, launched = context.spec, record.launch
    changes = []
    if launched.cpus_milli != spec.resources.cpus_milli:
        changes.append(f"cpus {launched.cpus_milli}m -> {spec.resources.cpus_milli}m")
    if launched.memory_bytes != spec.resources.memory_bytes:
        changes.append(f"memory {launched.memory_bytes} -> {spec.resources.memory_bytes} bytes")
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
        why=f"restart {record.key.name}-{record.identity.ordinal}: {what}",
        risk=RiskClass.RESTART,
    )


def stopping(record: VolumeRecord) -> Waiting:
    """Return the wait for a clean stop."""
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.STOPPING,
        message=f"incarnation {record.incarnation} is stopping (up to {STOP_GRACE_SECONDS} s)",
        look_again_seconds=STOP_GRACE_SECONDS / 2,
    )


def _strays(context: Context, record: VolumeRecord) -> Step | None:
    """Kill incarnations that came back after they were replaced or recorded as over (law `one_writer`).

    One that is recorded as over can still be said to run, by a status that was long on its way: the answer to KILL
    tells. Nothing is launched beside one that is alive.
    """
    actions: list[Action] = []
    alive = False
    for task_id, status in sorted(context.observed.tasks.items(), key=lambda item: str(item[0])):
        mine = (task_id.uid, task_id.ordinal) == (record.identity.uid, record.identity.ordinal)
        current = task_id == record.task_id and not record.ended
        if not mine or current or not status.state.alive:
            continue
        alive = True
        if status.state is TaskState.KILLING:
            continue
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
        return Step(actions=tuple(actions))
    return Step(waiting=(stopping(record),)) if alive and record.ended else None


def _undecided(context: Context, record: VolumeRecord, status: TaskStatus) -> Step:
    """A task of which nobody knows whether it writes: its strategy says what would prove that it does not."""
    offered = any(
        r.persistence is not None and r.persistence.id == record.persistence_id
        for offer in context.offers
        for r in offer.resources
    )
    if strategy_of(record.strategy).reattaches_after(record, status.state, offered):
        return launch(context, record)
    return Step(waiting=(_lost(record, status),))


def _lost(record: VolumeRecord, status: TaskStatus) -> Waiting:
    name = f"{record.key.name}-{record.identity.ordinal}"
    host = record.agent.hostname if record.agent else "its agent"
    seen = f"{status.state}: {host} is out of reach and may still be writing"
    if strategy_of(record.strategy).capabilities.reattachable:
        confirm = (
            f"statefuldb fence {record.key.name} -n {record.key.namespace} "
            f"--member {record.identity.ordinal} --confirm {record.task_id}"
        )
        return Waiting(
            ordinal=record.identity.ordinal,
            reason=Reason.FENCING_REQUIRED,
            message=f"{seen}; {name} moves only after {host} was cut off from the file system",
            fix=f"cut {host} off at the file server, then say so: {confirm}",
            wants_offers=True,
        )
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.AGENT_LOST,
        message=f"{seen}; its data is on that agent",
        fix=f"bring {host} back; the member goes on by itself",
        wants_offers=True,
    )


def _unanswered(context: Context, record: VolumeRecord) -> Waiting:
    assert record.launch is not None
    young = context.now - record.launch.at_seconds < RECONCILE_PATIENCE_SECONDS
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
