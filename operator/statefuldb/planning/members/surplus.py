"""Reserved and not used: what launches leave over, here and on other agents, and giving it back (law `no_leak`).

Nothing is given back before the member runs without it, and nothing counts as given back before an offer shows it.
"""

from collections.abc import Iterable
from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.observed import Offers
from statefuldb.model.operations import Reserve, Unreserve
from statefuldb.model.plan import Waiting
from statefuldb.model.resources import AgentOffer, Resource, milli_of_bytes
from statefuldb.model.volume import Launch, VolumeRecord
from statefuldb.planning.context import Context, Step
from statefuldb.planning.members import asked_back
from statefuldb.planning.storage.bundle import Claim, surplus
from statefuldb.planning.storage.holding import holds_volume, is_ours


def leaves_surplus(record: VolumeRecord, offer: AgentOffer, claim: Claim) -> bool:
    """Whether more is reserved for this member on `offer` than the claim consumes."""
    reserved = sum(_ours(record, o.resources) for o in claim.operations if isinstance(o, Reserve))
    return _ours(record, offer.resources) + reserved > _ours(record, claim.resources)


def withheld(record: VolumeRecord, offer: AgentOffer) -> bool:
    """Whether less is offered of what was reserved for this member than its last launch used.

    Another framework of the role may run on the rest, and once it ends nobody uses that: what is reserved instead is
    then one too many.
    """
    if record.launch is None or not record.initialised or not record.reservations:
        return False
    return any(_held(record, (offer,), name) < used for name, used in _used(record.launch).items())


def _used(launch: Launch) -> dict[str, int]:
    """Return what a launch takes of a member's reservations beside its volume: scalars in thousandths, and ports."""
    memory = milli_of_bytes(launch.memory_bytes)
    return {"cpus": launch.cpus_milli, "mem": memory, "ports": len({launch.port, launch.keeper_port})}


def _held(record: VolumeRecord, offers: Offers, name: str) -> int:
    return _ours(record, (r for offer in offers for r in offer.resources if r.name == name))


def _ours(record: VolumeRecord, resources: Iterable[Resource]) -> int:
    """Return how much of resources is reserved for this member: thousandths of scalars, and ports."""
    ours = [r for r in resources if is_ours(r, record.identity)]
    return sum(r.amount_milli for r in ours) + sum(end - begin + 1 for r in ours for begin, end in r.ranges)


def left_elsewhere(record: VolumeRecord, offer: AgentOffer, claim: Claim) -> tuple[str, ...]:
    """Return the hosts where earlier attempts may have left reservations, for a launch on `offer`.

    An agent that offers the volume of the last attempt is the one of then, whatever its host is called now.
    """
    moves = claim.reserved_for(record.identity) and not holds_volume(record, offer)
    before = record.agent.hostname if record.agent is not None and moves else offer.hostname
    return tuple(sorted({*record.elsewhere, before} - {offer.hostname}))


def trim(context: Context, record: VolumeRecord, served: Step) -> Step:
    """Return `served` with the next step that gives back what this running member does not use, if there is any."""
    assert record.launch is not None
    hosts = [*record.elsewhere, *((record.launch.agent.hostname,) if record.launch.leaves_surplus else ())]
    for offer in context.offers:
        left_over = _left_over(record, offer)
        if left_over:
            if (left := asked_back.pause_seconds(context, record)) > 0:
                paused = replace(_wait(record, hosts or [offer.hostname]), wants_offers=False, look_again_seconds=left)
                return replace(served, waiting=(*served.waiting, paused))
            unreserve = _unreserve(record, offer, left_over)
            noted = SaveVolume(volume=asked_back.counted(context, record), why=unreserve.what)
            return replace(served, actions=(noted, unreserve))
    if not hosts:
        return served
    cleared = _cleared(context, record)
    if cleared != record:
        done = replace(cleared, giving_back=None)
        saved = SaveVolume(volume=done, why=f"{record.member} has nothing reserved that it does not use")
        return replace(served, actions=(saved,))
    return replace(served, waiting=(*served.waiting, _wait(record, hosts)))


def _wait(record: VolumeRecord, hosts: list[str]) -> Waiting:
    """Return the wait for an offer of what is left over. It says the same while none is asked for."""
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.RECONCILING,
        message=f"waiting for an offer of {', '.join(hosts)} to give back what {record.member} no longer uses",
        wants_offers=True,
        hosts=tuple(hosts),
    )
    return asked_back.explained(record, wait)


def _left_over(record: VolumeRecord, offer: AgentOffer) -> tuple[Resource, ...]:
    """Return what is offered of this member's reservations beside its volumes, unless the member uses it.

    An agent that has just come back can offer a bundle before it reports that the task on it is over: where the
    member's port or volume is among what is offered, its task is not running.
    """
    assert record.launch is not None
    left_over = surplus(record.identity, offer)
    ours = [r for r in offer.resources if is_ours(r, record.identity)]
    port = record.launch.port
    idle = any(b <= port <= e for r in ours for b, e in r.ranges) or any(
        r.persistence is not None and r.persistence.id == record.persistence_id for r in ours
    )
    return () if idle and offer.hostname == record.launch.agent.hostname else left_over


def _unreserve(record: VolumeRecord, offer: AgentOffer, left_over: tuple[Resource, ...]) -> AcceptOffers:
    return AcceptOffers(
        agent=offer.agent,
        offer_ids=offer.offer_ids,
        operations=(Unreserve(resources=left_over),),
        what=f"unreserve what {record.member} no longer uses on {offer.hostname}",
        ordinal=record.identity.ordinal,
    )


def _cleared(context: Context, record: VolumeRecord) -> VolumeRecord:
    """Return the record without the hosts that now offer nothing to be given back.

    A volume that was made there for an attempt that never came to hold data stays noted, and goes with the entry:
    nothing but a deletion or a release ever destroys a volume.
    """
    assert record.launch is not None
    shown = {offer.hostname: offer for offer in context.offers}
    volumes = {
        host
        for host in record.elsewhere
        if host in shown and any(is_ours(r, record.identity) for r in shown[host].resources)
    }
    own = record.launch.agent.hostname
    cleared = own in shown and not _withheld_still(context, record)
    return replace(
        record,
        elsewhere=tuple(host for host in record.elsewhere if host not in shown),
        superseded=tuple(sorted({*record.superseded, *volumes})),
        launch=replace(record.launch, leaves_surplus=record.launch.leaves_surplus and not cleared),
    )


def _withheld_still(context: Context, record: VolumeRecord) -> bool:
    """Whether the member's agent holds more for it than it uses, offered or not, as far as the master says."""
    assert record.launch is not None
    listed = context.observed.reserved
    if listed is None:
        return True
    here = tuple(held for held in listed if held.hostname == record.launch.agent.hostname)
    return any(_held(record, here, name) > used for name, used in _used(record.launch).items())
