"""Giving back what is left of a member whose data goes: directory, volume and reservations, then the entry itself."""

from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, Action, DeleteSecret, ForgetVolume, SaveVolume
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.identity import connection_secret_name
from statefuldb.model.observed import TaskState
from statefuldb.model.operations import Operation
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import RiskClass
from statefuldb.model.volume import VolumePhase, VolumeRecord
from statefuldb.planning.commands import command
from statefuldb.planning.context import Context, Step
from statefuldb.planning.ledger import damage
from statefuldb.planning.members import asked_back
from statefuldb.planning.members.undecided_tasks import PROOF_SECONDS
from statefuldb.planning.removal.erasing import erase
from statefuldb.planning.storage import strategy_of
from statefuldb.planning.storage.holding import holds_volume, is_ours


def give_back(context: Context, record: VolumeRecord) -> Step:
    """Give everything back: the directory first, then volume and reservations, then the entry itself."""
    strategy = strategy_of(record.strategy)
    erased = record.launch is not None and record.launch.erase and _finished(record)
    written = record.launch is not None or record.initialised
    if written and strategy.erases_directory() and record.directory and not erased:
        return erase(context, record)
    for offer in context.offers:
        if operations := strategy.release(record, offer):
            return _released(context, record, offer, operations)
    return _nothing_held(context, record, written=written)


def _released(context: Context, record: VolumeRecord, offer: AgentOffer, operations: tuple[Operation, ...]) -> Step:
    # What was asked for in vain before that, while its member ran, is no reason to wait.
    asked = record if record.phase is VolumePhase.RELEASING else replace(record, giving_back=None)
    if (left := asked_back.pause_seconds(context, asked)) > 0:
        wait = Waiting(
            ordinal=record.identity.ordinal,
            reason=Reason.RELEASING,
            message=f"{offer.hostname} holds what is to be given back of {record.name}",
            look_again_seconds=left,
        )
        return Step(waiting=(asked_back.explained(asked, wait),), announcements=_in_vain(asked))
    return Step(
        actions=(
            SaveVolume(volume=_asked(context, asked_back.counted(context, _found_on(asked, offer))), why="release"),
            AcceptOffers(
                agent=offer.agent,
                offer_ids=offer.offer_ids,
                operations=operations,
                what=f"destroy and unreserve {record.name}",
                ordinal=record.identity.ordinal,
                risk=RiskClass.DESTRUCTIVE,
            ),
        )
    )


def _found_on(record: VolumeRecord, offer: AgentOffer) -> VolumeRecord:
    """Return the entry with the agent that offers its volume: it is waited for by the name that its host has now."""
    if not holds_volume(record, offer):
        return record
    launched = replace(record.launch, agent=offer.agent) if record.launch is not None else None
    return replace(record, agent=offer.agent, launch=launched)


def _in_vain(record: VolumeRecord) -> tuple[Announcement, ...]:
    """Return the Event of what is not given back: nobody reads a status of a database that is gone."""
    if not (said := asked_back.failure(record)):
        return ()
    text = f"{Reason.RELEASING}: {said}; {asked_back.REMEDY}"
    return (Announcement(reason=EventReason.WAITING, message=text, warning=True, about_uid=record.owner_uid),)


def _asked(context: Context, record: VolumeRecord) -> VolumeRecord:
    """Return the entry of what this framework asks to be given back now, or found nothing of."""
    return replace(
        record,
        phase=VolumePhase.RELEASING,
        released_at_seconds=context.now,
        released_by_framework=context.observed.mesos.framework_id or "",
    )


def _nothing_held(context: Context, record: VolumeRecord, *, written: bool) -> Step:
    """Return the step where no offer holds anything of the member: the entry goes once that is sure."""
    # On a static reservation a volume is all that a member owns.
    holds = record.reservations or (written and record.persistence_id is not None)
    without = _seen_without(context, record)
    if not holds or set(_hosts(record)) <= without:
        return Step(actions=_forget(context, record))
    if without & {*record.elsewhere, *record.superseded}:
        # Agents need not offer at the same time: which of them have shown that nothing is left is kept.
        elsewhere = tuple(host for host in record.elsewhere if host not in without)
        superseded = tuple(host for host in record.superseded if host not in without)
        looked = replace(record, elsewhere=elsewhere, superseded=superseded, giving_back=None)
        why = f"nothing of {record.name} is left on {', '.join(sorted(without))}"
        return Step(actions=(SaveVolume(volume=looked, why=why),))
    if _seems_gone(context, record):
        looked = _asked(context, record)
        return Step(actions=(SaveVolume(volume=looked, why=f"nothing is left of {record.name}: look once more"),))
    if record.phase is VolumePhase.RELEASING and record.released_at_seconds > context.now:
        # The clock was set back since: no offer would count as newer until that time has come again.
        looked = replace(record, released_at_seconds=context.now)
        return Step(actions=(SaveVolume(volume=looked, why="the clock was set back: look once more"),))
    if (left := _unheard_seconds(context, record)) > 0:
        return Step(waiting=(_not_heard(record, left),))
    return Step(
        waiting=(
            Waiting(
                ordinal=record.identity.ordinal,
                reason=Reason.RELEASING,
                message=f"waiting for an offer of {', '.join(_hosts(record))} that shows {record.name}",
                fix="bring that agent back, or look for its resources with "
                f"`{command(record.key.namespace, 'volumes', 'list')}`",
                wants_offers=True,
                hosts=_hosts(record),
            ),
        )
    )


def _finished(record: VolumeRecord) -> bool:
    return record.ending is not None and record.ending.state == TaskState.FINISHED


def _seen_without(context: Context, record: VolumeRecord) -> frozenset[str]:
    """Return the hosts whose agents have offered, since the release was sent, nothing of this member's.

    The master offers what will be there once its agent has obeyed. One that is cut off at that moment never does, and
    comes back with all that it had: its own word is waited for. A framework of ours that has ended since is not given
    it, and the next one waits until the agent was found to be gone, or must have heard. Nor is everything offered to
    us: another framework of the role may run on a part of it. The master's list says what there is.
    """
    if record.phase is not VolumePhase.RELEASING:
        return frozenset()
    since = record.released_at_seconds + (PROOF_SECONDS if _by_another(context, record) else 0.0)
    offers = [o for o in context.offers if o.received_at_seconds > since]
    listed = context.observed.reserved
    if listed is None or any(is_ours(r, record.identity) for o in (*listed, *offers) for r in o.resources):
        return frozenset()
    obeying = {
        operation.agent_id
        for operation in context.observed.operations
        if (operation.id.uid, operation.id.ordinal) == (record.identity.uid, record.identity.ordinal)
        and operation.state.open
    }
    return frozenset(offer.hostname for offer in offers if offer.agent_id not in obeying)


def _by_another(context: Context, record: VolumeRecord) -> bool:
    """Whether an earlier framework of ours asked for what is held to be given back."""
    return record.released_by_framework not in ("", context.observed.mesos.framework_id)


def _unheard_seconds(context: Context, record: VolumeRecord) -> float:
    """Return for how long an agent may not have heard yet of what an earlier framework asked."""
    if record.phase is not VolumePhase.RELEASING or not _by_another(context, record):
        return 0.0
    return record.released_at_seconds + PROOF_SECONDS - context.now


def _not_heard(record: VolumeRecord, left: float) -> Waiting:
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.RELEASING,
        message=f"an earlier framework of ours asked {', '.join(_hosts(record))} to give {record.name} back, and has "
        f"ended before it was told: believed once {PROOF_SECONDS:g} s have passed",
        look_again_seconds=left,
        wants_offers=True,
        hosts=_hosts(record),
    )


def _seems_gone(context: Context, record: VolumeRecord) -> bool:
    """Whether what was recorded seems never to have been made, or to be gone already: a host of it offers, and no part.

    What is offered now may be older than the attempt; offers of all its hosts that are newer than this look decide,
    each when it comes. Where there was data its agent has to say so: another one on that host knows nothing of what its
    disks hold.
    """
    shown = {offer.hostname for offer in context.offers}
    itself = record.agent is not None and any(offer.agent_id == record.agent.id for offer in context.offers)
    if record.phase is VolumePhase.RELEASING or (record.initialised and not itself):
        return False
    return bool(shown.intersection(_hosts(record)))


def _hosts(record: VolumeRecord) -> tuple[str, ...]:
    """Return every host where something may be reserved for this member."""
    agent = record.launch.agent if record.launch is not None else record.agent
    own = (agent.hostname,) if agent is not None else ()
    return tuple(dict.fromkeys((*own, *record.elsewhere, *record.superseded)))


def _forget(context: Context, record: VolumeRecord) -> tuple[Action, ...]:
    observed = context.observed
    others = [*damage.unsure(observed), *(r for r in observed.volumes if r.name != record.name)]
    forget = ForgetVolume(volume=record)
    # One that is being deleted begins nothing more, however long somebody else's finalizer holds it.
    used = observed.database is not None and not observed.database.deleting
    if others or used:
        return (forget,)
    key = record.key
    return (DeleteSecret(name=connection_secret_name(key.name), key=key), forget)
