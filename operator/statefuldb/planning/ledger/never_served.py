"""Members that never served as far as the ledger knows: where they may have served all the same.

That a server is there is written down before anybody is told of it. But a ledger can be restored from a backup of the
moments before, and then what it says is over, or never came to hold data, may hold what was written for months. Mesos
lists what attempts have left, and which attempt it was: such a member goes on where the last one was, and nothing is
begun elsewhere. Where that one never served, nothing is lost by it.

Where a person has said that there was a restore, this holds however the attempt ended, and while its agent is away,
until the member is known to serve. Where no agent holds a volume of such a member, a later attempt may have served on
one that is away: then a person is waited for, and so is one where a database had no entry at the time of the backup.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from statefuldb.model.conditions import Reason
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import Observed, Offers, TaskState, TaskStatus
from statefuldb.model.plan import Waiting
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.commands import CHECK_MASTER
from statefuldb.planning.context import Context, status_of
from statefuldb.planning.storage.holding import holds_volume, is_ours, made_for

LOOK_AGAIN_SECONDS = 5.0
# With it an agent calls dropped, and a master gone, what the agent knows nothing of: a power cut may have taken that.
_FORGOTTEN = "REASON_RECONCILIATION"
_SAID_BY_AGENTS = frozenset(state for state in TaskState if state.over) - {TaskState.GONE}
ANEW = "delete the database and its data, and apply it again"
_OR_ANEW = f"or, if you know that nobody ever wrote to it, {ANEW}"
_BRING_BACK = f"bring back agents that are away; {_OR_ANEW}"


def doubted(record: VolumeRecord, tasks: Mapping[TaskId, TaskStatus]) -> bool:
    """Whether it is looked up what a member's attempts have left. On a DFS the directory itself tells whose it is."""
    status = status_of(record, tasks)
    over = record.ended or (status is not None and not status.state.alive)
    begun = record.intent is Intent.USE and record.launch is not None and not record.initialised
    return begun and over and record.strategy is not Strategy.DFS


def last_number(observed: Observed, record: VolumeRecord) -> int:
    """Return the highest number of an attempt of which agents hold something, 0 where they hold nothing."""
    return max(_left(observed, record).values(), default=0)


def offers_for(context: Context, record: VolumeRecord) -> Offers | Waiting:
    """Return those of the offers on which a member may be launched: all, or where a doubted one's last attempt was.

    A wait, where the master does not say what attempts have left, or what another life of the name is doing.
    """
    observed, offers = context.observed, context.offers
    known = {each.identity for each in observed.volumes}
    strangers = [found for found in observed.found if found.identity not in known]
    if not record.initialised and (wait := unanswered(observed, record.identity.ordinal, strangers)) is not None:
        return wait
    if observed.reserved is None and doubted(record, observed.tasks):
        return Waiting(
            ordinal=record.identity.ordinal,
            reason=Reason.AWAITING_RECONCILIATION,
            message=f"the master does not say what earlier attempts of {record.member} have left",
            fix=CHECK_MASTER,
            look_again_seconds=LOOK_AGAIN_SECONDS,
        )
    only = _served_by(context, record)
    if only is None:
        return offers
    # Beside a volume that is not offered yet another one would be made.
    kept = any(held.hostname == only and _has_volume(held, record) for held in observed.reserved or ())
    if not kept and record.strategy is Strategy.PERSISTENT_VOLUME and _restored(context, record):
        return _nowhere(record, only)
    return tuple(o for o in offers if o.hostname == only and (not kept or _has_volume(o, record)))


def _nowhere(record: VolumeRecord, host: str) -> Waiting:
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.VOLUME_MISSING,
        message=f"{record.member} was being begun on {host} when the backup of the API was made, and no agent that "
        "Mesos lists holds a volume of it: it may have served, there or on another agent that is away now",
        fix=_BRING_BACK,
        look_again_seconds=LOOK_AGAIN_SECONDS,
    )


def unanswered(observed: Observed, ordinal: int, carried: Iterable[VolumeRecord]) -> Waiting | None:
    """Return the wait for Mesos to say what becomes of the tasks that carry these entries, None where it has."""
    if all(status_of(entry, observed.tasks) is not None for entry in carried):
        return None
    return Waiting(
        ordinal=ordinal,
        reason=Reason.AWAITING_RECONCILIATION,
        message="Mesos lists a task of this name and has not answered for it yet",
        look_again_seconds=LOOK_AGAIN_SECONDS,
    )


def unwritten(context: Context, ordinal: int) -> Waiting | None:
    """Return the wait of a member whose first entry may have been written, and lost, between a backup and its restore.

    On a DFS the directory itself tells whose it is.
    """
    if not is_older(context) or context.spec.storage.strategy is Strategy.DFS:
        return None
    name = context.observed.key.name
    return Waiting(
        ordinal=ordinal,
        reason=Reason.VOLUME_MISSING,
        message=f"{name} is older than the last restore of the API and has no ledger entry: it may have been begun "
        "since the backup, on an agent that is away now",
        fix=_BRING_BACK,
        look_again_seconds=LOOK_AGAIN_SECONDS,
    )


def is_older(context: Context) -> bool:
    """Say whether the database was created before the last restore."""
    database = context.observed.database
    return database is not None and database.created_at_seconds < context.operator.restored_at


def explained(context: Context, record: VolumeRecord, wait: Waiting) -> Waiting:
    """Return the wait for an offer with the reason why only one agent will do, where that is so.

    What a first attempt has left in a local directory, only a person can say.
    """
    host = _served_by(context, record)
    if host is not None:
        why = f"an attempt of {record.member} on {host} may have served"
    elif record.strategy is Strategy.HOST_PATH and record.agent is not None and not record.initialised:
        host = record.agent.hostname
        why = f"{record.member} was begun on {host}, and stays there"
    else:
        return wait
    return replace(wait, message=f"{wait.message}; {why}", fix=f"{wait.fix}; {_OR_ANEW}", hosts=(host,))


def _served_by(context: Context, record: VolumeRecord) -> str | None:
    """Return the host that may hold data of a doubted member, None where there is none. It outlives its agent's id.

    What a later attempt than the entry knows has left is there, or what the last one has left, if its end went unheard.
    """
    observed = context.observed
    if not doubted(record, observed.tasks) or record.launch is None:
        return None
    restored = _restored(context, record)
    doubtful = restored or _went_unheard(record)
    own = record.launch.agent.hostname
    # A volume tells its agent whatever the host of that is called by now.
    last = {own, *(held.hostname for held in observed.reserved or () if holds_volume(record, held))}
    known = _known(observed, record)
    left = _left(observed, record)
    served = {host: number for host, number in left.items() if number > known or (doubtful and host in last)}
    if not served and restored:
        return own
    return max(served, key=lambda host: (served[host], host), default=None)


def _went_unheard(record: VolumeRecord) -> bool:
    """Say whether the last attempt is over by no word of an agent that knew of it."""
    ending = record.ending
    if ending is None:
        return False
    # What is read back from the API is a text.
    return ending.state not in _SAID_BY_AGENTS or (ending.state, ending.reason) == (TaskState.DROPPED, _FORGOTTEN)


def _restored(context: Context, record: VolumeRecord) -> bool:
    """Say whether what is known of a member's attempts is out of a backup.

    An attempt since the restore that failed too says nothing of those before it.
    """
    return is_older(context) or _known(context.observed, record) < context.operator.restored_at


def _known(observed: Observed, record: VolumeRecord) -> int:
    return max((stored.incarnation for stored in observed.volumes if stored.name == record.name), default=0)


def _has_volume(offer: AgentOffer, record: VolumeRecord) -> bool:
    made = (made_for(resource) for resource in offer.resources)
    return any(volume is not None and volume.identity == record.identity for volume in made)


def _left(observed: Observed, record: VolumeRecord) -> dict[str, int]:
    """Return the hosts that hold something of a member's, each with the number of the last attempt that it is of."""
    left: dict[str, int] = {}
    for offer in observed.reserved or ():
        for resource in (r for r in offer.resources if is_ours(r, record.identity)):
            volume = made_for(resource)
            attempt = TaskId.parse(resource.labels.reservation) if resource.labels is not None else None
            numbers = (volume.sequence if volume else 0, attempt.incarnation if attempt else 0)
            left[offer.hostname] = max(left.get(offer.hostname, 0), *numbers)
    return left
