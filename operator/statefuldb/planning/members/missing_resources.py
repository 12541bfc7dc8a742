"""A member's own resources do not come: another framework has them, they are gone, or their agent is away or set aside.

Reservations and volumes belong to the role: whoever else is in it is offered them too.
"""

from dataclasses import replace

from statefuldb.model.conditions import Reason
from statefuldb.model.observed import ForeignTask, Sighting
from statefuldb.model.plan import Waiting
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.context import Context

LOOK_AGAIN_SECONDS = 60.0


def explained(context: Context, record: VolumeRecord, wait: Waiting) -> Waiting:
    """Return the wait for a member's own resources with what the master says of them, where that was looked up."""
    if not record.bound and (wait.reason is not Reason.NO_SUITABLE_OFFER or not record.initialised):
        return wait
    again = replace(wait, look_again_seconds=wait.look_again_seconds or LOOK_AGAIN_SECONDS)
    seen = sighting(context, record)
    if seen is None:
        return again
    if not record.bound:
        return _nowhere(again, seen)
    if seen.used_by:
        return _taken(record, again, seen.used_by)
    host = record.agent.hostname if record.agent is not None else ""
    if record.persistence_id is not None and not seen.volume_on and host in seen.hosts:
        return _without_volume(record, again, host, seen)
    if host not in seen.hosts:
        message = f"{wait.message}; no agent on {host} is registered now"
        fix = wait.fix if wait.reason is not Reason.AWAITING_VOLUME_OFFER else _bring_back(host)
        return replace(again, message=message, fix=fix)
    if host in seen.set_aside:
        return replace(
            again,
            reason=Reason.MAINTENANCE,
            message=f"the agent on {host} is deactivated or drained: Mesos offers nothing of it",
            fix=f"{reactivation(host)}; the member goes on by itself",
        )
    if seen.offered_to:
        return replace(
            again,
            reason=Reason.RESERVATION_TAKEN,
            message=f"{_what(record)} on {host} is held by framework {', '.join(seen.offered_to)} in an offer, since "
            f"it is in the role {record.mesos_role} too",
            fix="end that framework, or have the masters take such offers back (--offer_timeout), and keep the role to "
            "the operator alone; the member goes on by itself",
        )
    return again


def _without_volume(record: VolumeRecord, wait: Waiting, host: str, seen: Sighting) -> Waiting:
    """Return the wait for a volume that its host no longer has; where its agent is another one, it may still exist."""
    missing = replace(
        wait,
        reason=Reason.VOLUME_MISSING,
        message=f"{host} is registered and no longer has volume {record.persistence_id}: somebody destroyed it",
        fix="restore a backup into a new database; who may destroy volumes is for the masters' ACLs to say",
    )
    if record.agent is None or record.agent.id in seen.agent_ids:
        return missing
    return replace(
        missing,
        message=f"{host} is registered as another agent than {record.agent.id}, and without volume "
        f"{record.persistence_id}: its work directory is another one, or empty, or somebody destroyed the volume",
        fix=f"start the agent on {host} with the work directory that it had (is its disk mounted?): the member goes on "
        "by itself; or, where that is lost, restore a backup into a new database",
    )


def _nowhere(wait: Waiting, seen: Sighting) -> Waiting:
    """Return the wait of a member that may run on many agents, where there is none that could be offered."""
    if wait.refusals or seen.hosts - seen.set_aside:
        return wait
    if not seen.hosts:
        return replace(wait, message=f"{wait.message}; no agent is registered now", fix="start an agent again")
    hosts = ", ".join(sorted(seen.hosts))
    return replace(
        wait,
        reason=Reason.MAINTENANCE,
        message=f"every agent is deactivated or drained ({hosts}): Mesos offers nothing of them",
        fix="reactivate one of them (REACTIVATE_AGENT) when its maintenance is over; the member goes on by itself",
    )


def sighting(context: Context, record: VolumeRecord) -> Sighting | None:
    """Return what the master says of a member's resources, where that was looked up."""
    return next((s for s in context.observed.sightings if s.identity == record.identity), None)


def reactivation(host: str) -> str:
    """Return what helps where an agent was drained or deactivated."""
    return f"reactivate the agent on {host} (REACTIVATE_AGENT) when its maintenance is over"


def _taken(record: VolumeRecord, wait: Waiting, tasks: tuple[ForeignTask, ...]) -> Waiting:
    said = ", ".join(f"task {t.task_id} of framework {t.framework_name} ({t.framework_id})" for t in tasks)
    return replace(
        wait,
        reason=Reason.RESERVATION_TAKEN,
        message=f"{_what(record)} on {tasks[0].hostname} is used by {said}, which is in the role {record.mesos_role} "
        "too",
        fix="stop that task, and keep the role to the operator alone; the member goes on by itself",
    )


def _bring_back(host: str) -> str:
    """Return what helps where no agent is registered: one starts again only once its machine is up for Mesos, too."""
    return (
        f"start the agent on {host} again, after STOP_MAINTENANCE where its machine is down for maintenance; the "
        "member goes on by itself"
    )


def _what(record: VolumeRecord) -> str:
    return f"volume {record.persistence_id}" if record.persistence_id is not None else f"reservation {record.name}"
