"""Choosing an agent: what a member needs, which offer holds it, and why the others do not."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from statefuldb.model.conditions import Reason
from statefuldb.model.identity import ReservationLabels, TaskId
from statefuldb.model.observed import Offers
from statefuldb.model.plan import Waiting
from statefuldb.model.resources import MILLI, AgentOffer, milli_of_bytes
from statefuldb.model.spec import AgentAttribute, DiskType, Strategy
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.context import Context
from statefuldb.planning.ledger import never_served
from statefuldb.planning.members import maintenance, missing_resources
from statefuldb.planning.storage import StorageStrategy, strategy_of
from statefuldb.planning.storage.bundle import Claim, Needs, Refusal
from statefuldb.planning.storage.holding import made_for, within
from statefuldb.planning.storage.host_path import PINNED
from statefuldb.planning.storage.strategy import Place

PORTS_PER_MEMBER = 2

_REMEDIES = {
    "role": "leave spec.placement.mesosRole out, or let it name the operator's own role (`--mesos-role`)",
    "attribute": "start an agent with what spec.placement.attributes asks for, or change that",
    "mount": "start the agents that have the mount with the attribute named (docs/mesos.md, On the agents)",
}


def needs_of(context: Context, record: VolumeRecord) -> Needs:
    """Return what one member needs of an agent."""
    spec = context.spec
    size_bytes = record.size_bytes if record.initialised else spec.storage.size_bytes
    volume = spec.storage.persistent_volume
    return Needs(
        cpus_milli=spec.resources.cpus_milli,
        mem_milli=milli_of_bytes(spec.resources.memory_bytes),
        port_count=PORTS_PER_MEMBER,
        labels=None
        if record.strategy is Strategy.DFS
        else ReservationLabels(
            identity=record.identity,
            namespace=record.key.namespace,
            name=record.key.name,
            reservation=reservation_of(record),
        ),
        principal=context.operator.principal,
        disk_milli=milli_of_bytes(size_bytes),
        disk_type=volume.disk_type if volume else DiskType.ROOT,
        persistence_id=record.persistence_id,
        create_volume=not record.initialised,
    )


def reservation_of(record: VolumeRecord) -> str:
    """Name the RESERVE attempt after the launch it belongs to: neither is ever used twice."""
    return str(
        TaskId(
            uid=record.identity.uid,
            ordinal=record.identity.ordinal,
            incarnation=record.incarnation + 1,
        )
    )


def choose(context: Context, record: VolumeRecord) -> tuple[AgentOffer, Claim, VolumeRecord] | Waiting:
    """Return the best offer with its claim, or a Waiting that counts why each was refused."""
    strategy = strategy_of(record.strategy)
    refusals: list[Refusal] = []
    offers = never_served.offers_for(context, record)
    if isinstance(offers, Waiting):
        return offers
    for offer in in_order(record, offers):
        attempt = _placed(context, strategy, record, offer)
        claim = fits(context, attempt, needs_of(context, attempt), offer)
        if isinstance(claim, Refusal):
            refusals.append(claim)
        else:
            return offer, claim, attempt
    wait = never_served.explained(context, record, _no_offer(context, record, refusals))
    wait = missing_resources.explained(context, record, wait)
    return maintenance.away(context, record, wait)


def fits(context: Context, record: VolumeRecord, needs: Needs, offer: AgentOffer) -> Claim | Refusal:
    """Return the claim on what a member needs of an offer, or why that agent will not do.

    Attributes say where a member is placed. Data that is bound to an agent stays there, whatever they say later.
    """
    if not within(offer.role, record.mesos_role):
        return Refusal(code="role", message=f"{offer.hostname} offers to {offer.role}")
    return (
        _refused_by_attributes(() if record.bound else context.spec.placement.attributes, offer)
        or maintenance.refusal(context, record, offer)
        or strategy_of(record.strategy).claim(context.spec, record, needs, offer)
    )


def _placed(context: Context, strategy: StorageStrategy, record: VolumeRecord, offer: AgentOffer) -> VolumeRecord:
    """Return the record with a place for its data.

    While nothing is known to have been written, the last attempt's volume is taken up where this agent offers it (the
    ledger may know an earlier one only), and any other agent gets a volume with a new id.
    """
    if record.initialised:
        return record
    offered = [v for v in map(made_for, offer.resources) if v is not None and v.identity == record.identity]
    if offered:
        return replace(record, persistence_id=str(max(offered, key=lambda v: v.sequence)))
    place = _place(context, strategy, record, offer)
    return replace(
        record,
        directory=place.directory,
        root=place.root,
        persistence_id=place.persistence_id,
        agent=None if record.strategy is Strategy.PERSISTENT_VOLUME else record.agent,
    )


def _place(context: Context, strategy: StorageStrategy, record: VolumeRecord, offer: AgentOffer) -> Place:
    """Return where new data goes: beside a directory that another entry of this name has not let go of yet.

    What an earlier attempt began on this host stays where it is, though one of the same path lies on another host.
    """
    usual = strategy.place(context.spec, record.key, record)
    beside = strategy.place(replace(context.spec, bootstrap_empty=True), record.key, record)
    begun = record.directory == usual.directory and _is_on(record, offer.hostname)
    taken = {
        other.directory
        for other in context.observed.volumes
        if other.name != record.name and not (begun and _is_elsewhere(other, offer.hostname))
    }
    # What was placed beside stays there, too: an earlier attempt may have begun its directory.
    return beside if usual.directory in taken or record.directory == beside.directory else usual


def _is_on(record: VolumeRecord, hostname: str) -> bool:
    return record.agent is not None and record.agent.hostname == hostname


def _is_elsewhere(record: VolumeRecord, hostname: str) -> bool:
    """Whether a local directory is known to be on another host."""
    return record.strategy is Strategy.HOST_PATH and record.agent is not None and not _is_on(record, hostname)


def in_order(record: VolumeRecord, offers: Offers) -> list[AgentOffer]:
    """Return offers as they are tried: the agent used before, then that with most free cpu, then by name.

    Shared data that fails again goes around all agents: the mount, or the server, of the one used before may be at
    fault. How often it has failed says which is next.
    """
    around = record.strategy is Strategy.DFS and record.failures > 1
    ranked = sorted(
        offers,
        key=lambda o: (not around and not _is_on(record, o.hostname), -o.amount_milli("cpus"), o.hostname),
    )
    following = (record.failures - 1) % len(ranked) if around and ranked else 0
    return [*ranked[following:], *ranked[:following]]


def _refused_by_attributes(wanted: tuple[AgentAttribute, ...], offer: AgentOffer) -> Refusal | None:
    for attribute in wanted:
        if offer.attributes.get(attribute.name) != attribute.value:
            return Refusal(
                code="attribute",
                message=f"{offer.hostname} lacks {attribute.name}:{attribute.value}",
            )
    return None


def _no_offer(context: Context, record: VolumeRecord, refusals: list[Refusal]) -> Waiting:
    counts = Counter(refusal.code for refusal in refusals)
    host = _only_host(record)
    reason = Reason.AWAITING_VOLUME_OFFER if record.bound else Reason.NO_SUITABLE_OFFER
    where = f" of {host}" if host else ""
    detail = "; ".join(refusal.message for refusal in refusals[:3])
    message = f"no suitable offer{where}: {detail}" if refusals else f"waiting for Mesos to offer something{where}"
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=reason,
        message=message,
        fix=_remedy(counts) if counts.keys() - {PINNED} else _unoffered(record),
        refusals=dict(sorted(counts.items())),
        wants_offers=True,
        hosts=(host,) if host else (),
        needs=_in_words(context, record),
    )


def _remedy(codes: Collection[str]) -> str:
    """Return what helps against refusals of these kinds; all but those of `_REMEDIES` are about amounts.

    That another host is offered than the one where a member must be is nothing to be helped.
    """
    codes = set(codes) - {PINNED}
    amounts = "free or add the resources named, or lower what spec.resources and spec.storage.size ask for"
    known = [remedy for code, remedy in _REMEDIES.items() if code in codes]
    return "; ".join(known if codes <= _REMEDIES.keys() else (*known, amounts))


def _only_host(record: VolumeRecord) -> str:
    """Return the host where a member must be, empty where it may go anywhere."""
    pinned = record.bound or record.strategy is Strategy.HOST_PATH
    return record.agent.hostname if pinned and record.agent is not None else ""


def _unoffered(record: VolumeRecord) -> str:
    """Return what helps where nothing is offered: Mesos offers no agent that has neither cpu nor memory left."""
    where = _only_host(record) or "an agent"
    return (
        f"see that {where} is active, has cpu and memory free, and is offered to role {record.mesos_role} within its "
        "quota: `statefuldb doctor` looks at that"
    )


def _in_words(context: Context, record: VolumeRecord) -> str:
    """Return what an offer must hold, to be compared with what was needed before."""
    needs = needs_of(context, record)
    dfs = context.spec.storage.dfs
    wanted = (*context.spec.placement.attributes, *((dfs.agent_attribute,) if dfs is not None else ()))
    attributes = [f"{a.name}:{a.value}" for a in wanted]
    return " ".join(
        (
            f"cpus {needs.cpus_milli}m",
            f"mem {needs.mem_milli // MILLI}",
            f"disk {needs.disk_milli // MILLI} {needs.disk_type}",
            f"volume {record.persistence_id if record.initialised else 'new'}",
            *attributes,
        )
    )
