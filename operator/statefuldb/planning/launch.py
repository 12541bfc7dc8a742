"""Launching one member: pick an agent, complete its bundle, record the attempt, then ACCEPT.

The record is an ordinary action before the ACCEPT, so a crash between the two leaves a launch that reconciliation
shows never to have happened; it can never leave a launch that nobody wrote down.
"""

import hashlib
import json
from collections import Counter
from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.identity import ReservationLabels, TaskId
from statefuldb.model.keeper import KeeperConfig
from statefuldb.model.operations import LaunchTask, Reserve
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.resources import BYTES_PER_MIB, MILLI, AgentOffer, Resource
from statefuldb.model.spec import AgentAttribute, DatabaseSpec, DiskType, Strategy
from statefuldb.model.volume import AgentRef, Launch, VolumeRecord
from statefuldb.model.volume_object import to_label
from statefuldb.planning.context import Context, Step
from statefuldb.planning.storage import StorageStrategy, strategy_of
from statefuldb.planning.storage.bundle import Claim, Needs, Refusal, is_ours

PORTS_PER_MEMBER = 2
STOP_GRACE_SECONDS = 60
BACK_OFF_LIMIT_SECONDS = 60.0


def template_of(spec: DatabaseSpec, restarted_at: str) -> str:
    """Return a digest of everything that takes a restart to change, to compare with what was launched."""
    parts: list[object] = [
        spec.engine.type,
        spec.engine.version,
        sorted(spec.engine.config.items()),
        spec.resources.cpus_milli,
        spec.resources.memory_bytes,
    ]
    if restarted_at:
        # Not there at all without a request: what was launched before requests existed must not be restarted.
        parts.append(restarted_at)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def restart_request(context: Context, launched: Launch | None) -> str:
    """Return the request for a restart that is in force. Taking one back asks for nothing."""
    database = context.observed.database
    asked = database.restarted_at if database is not None else ""
    return asked or (launched.restarted_at if launched is not None else "")


def back_off_seconds(record: VolumeRecord) -> float:
    """Return how long after its end a member that failed `record.failures` times in a row is launched again."""
    if record.failures <= 1:
        return 0.0
    return float(min(BACK_OFF_LIMIT_SECONDS, 2 ** (record.failures - 1)))


def launch(context: Context, record: VolumeRecord) -> Step:
    """Return the actions that launch a member whose last launch is over, or why it must wait."""
    ordinal = record.identity.ordinal
    if not context.observed.mesos.connected:
        return Step(waiting=(_disconnected(context, ordinal),))
    if record.ending is not None:
        ready_at = record.ending.at_seconds + back_off_seconds(record)
        # An end in the future is of a clock that has been set back since: it is not waited for.
        if record.ending.at_seconds <= context.now < ready_at:
            return Step(waiting=(_backing_off(record, ready_at - context.now),))
    strategy = strategy_of(record.strategy)
    found = _choose(context, strategy, record)
    if isinstance(found, Waiting):
        return Step(waiting=(found,))
    offer, claim, attempt = found
    agent = AgentRef(id=offer.agent_id, hostname=offer.hostname, address=offer.address)
    recorded = replace(
        attempt,
        agent=agent,
        incarnation=attempt.incarnation + 1,
        fencing=None,
        ending=None,
        launch=Launch(
            incarnation=attempt.incarnation + 1,
            agent=agent,
            template=template_of(context.spec, restart_request(context, record.launch)),
            cpus_milli=context.spec.resources.cpus_milli,
            memory_bytes=context.spec.resources.memory_bytes,
            port=claim.ports[0],
            keeper_port=claim.ports[1],
            leaves_surplus=_leaves_surplus(record, offer, claim),
            restarted_at=restart_request(context, record.launch),
            at_seconds=context.now,
        ),
        reservations=((*attempt.reservations, _reservation(attempt)) if claim.reserves else attempt.reservations),
    )
    task_id = recorded.task_id
    assert task_id is not None
    task = LaunchTask(
        task_id=task_id,
        name=f"{record.key.name}-{ordinal}",
        agent_id=offer.agent_id,
        resources=claim.resources,
        keeper=keeper_config(context, recorded),
        grace_seconds=STOP_GRACE_SECONDS,
        ledger=to_label(recorded),
    )
    what = f"launch {record.key.name}-{ordinal} (incarnation {recorded.incarnation}) on {offer.hostname}"
    if claim.reserves:
        what = f"reserve and {what}"
    return Step(
        actions=(
            SaveVolume(volume=recorded, why=what),
            AcceptOffers(
                agent=agent,
                offer_ids=offer.offer_ids,
                operations=(*claim.operations, task),
                what=what,
                ordinal=ordinal,
            ),
        ),
        announcements=(Announcement(reason=EventReason.MEMBER_LAUNCHED, message=what),),
    )


def keeper_config(context: Context, record: VolumeRecord, mode: str = "Serve") -> KeeperConfig:
    """Return what the keeper of the record's latest launch is told. All of it is public: Mesos shows it."""
    assert record.launch is not None
    spec, identity, launched = context.spec, record.identity, record.launch
    return KeeperConfig(
        mode=mode,
        cluster=identity.cluster,
        uid=identity.uid,
        namespace=record.key.namespace,
        name=record.key.name,
        ordinal=identity.ordinal,
        incarnation=launched.incarnation,
        task_id=str(record.task_id),
        engine=record.engine,
        version=record.engine_version,
        config=dict(spec.engine.config),
        memory_bytes=launched.memory_bytes,
        data=strategy_of(record.strategy).location(spec, record),
        bootstrap="None" if record.initialised else "Empty",
        minimum_token=record.token,
        listen_address=launched.agent.address,
        port=launched.port,
        keeper_port=launched.keeper_port,
        operator_ca_pem=context.operator.operator_ca_pem,
        stop_grace_seconds=STOP_GRACE_SECONDS - 5,
    )


def needs_of(context: Context, record: VolumeRecord) -> Needs:
    """Return what one member needs of an agent."""
    spec = context.spec
    volume = spec.storage.persistent_volume
    return Needs(
        cpus_milli=spec.resources.cpus_milli,
        mem_milli=-(-spec.resources.memory_bytes // BYTES_PER_MIB) * MILLI,
        port_count=PORTS_PER_MEMBER,
        labels=None
        if record.strategy is Strategy.DFS
        else ReservationLabels(
            identity=record.identity,
            namespace=record.key.namespace,
            name=record.key.name,
            reservation=_reservation(record),
        ),
        principal=context.operator.principal,
        disk_milli=-(-record.size_bytes // BYTES_PER_MIB) * MILLI,
        disk_type=volume.disk_type if volume else DiskType.ROOT,
        persistence_id=record.persistence_id,
        create_volume=not record.initialised,
    )


def _leaves_surplus(record: VolumeRecord, offer: AgentOffer, claim: Claim) -> bool:
    """Whether more is reserved for this member on `offer` than the claim consumes."""

    def total(resources: tuple[Resource, ...]) -> int:
        scalars = sum(r.amount_milli for r in resources if is_ours(r, record.identity))
        ports = (e - b + 1 for r in resources for b, e in r.ranges if is_ours(r, record.identity))
        return scalars + sum(ports)

    reserved = sum(total(operation.resources) for operation in claim.operations if isinstance(operation, Reserve))
    return total(offer.resources) + reserved > total(claim.resources)


def _reservation(record: VolumeRecord) -> str:
    """Name the RESERVE attempt after the launch it belongs to: neither is ever used twice."""
    return str(
        TaskId(
            uid=record.identity.uid,
            ordinal=record.identity.ordinal,
            incarnation=record.incarnation + 1,
        )
    )


def _choose(
    context: Context, strategy: StorageStrategy, record: VolumeRecord
) -> tuple[AgentOffer, Claim, VolumeRecord] | Waiting:
    """Return the best offer with its claim, or a Waiting that counts why each was refused."""
    refusals: list[Refusal] = []
    for offer in sorted(context.offers, key=lambda o: _preference(record, o)):
        if offer.role != record.mesos_role:
            refusals.append(Refusal(code="role", message=f"{offer.hostname} offers to {offer.role}"))
            continue
        attempt = _placed(context, strategy, record, offer)
        claim = _refused_by_attributes(context.spec.placement.attributes, offer) or strategy.claim(
            context.spec, attempt, needs_of(context, attempt), offer
        )
        if isinstance(claim, Refusal):
            refusals.append(claim)
        else:
            return offer, claim, attempt
    return _no_offer(record, refusals)


def _placed(context: Context, strategy: StorageStrategy, record: VolumeRecord, offer: AgentOffer) -> VolumeRecord:
    """Return the record with a place for its data.

    While nothing was ever written there, an earlier attempt's volume is taken up where this agent offers it, and any
    other agent gets a volume with a new id.
    """
    if record.initialised:
        return record
    offered = {r.persistence.id for r in offer.resources if r.persistence is not None}
    if record.persistence_id in offered:
        return record
    place = strategy.place(context.spec, record.key, record)
    return replace(
        record,
        directory=place.directory,
        root=place.root,
        persistence_id=place.persistence_id,
        agent=None if record.strategy is Strategy.PERSISTENT_VOLUME else record.agent,
    )


def _preference(record: VolumeRecord, offer: AgentOffer) -> tuple[bool, int, str]:
    """Order offers: the agent used before, then the one with most free cpu, then by name so that ties are stable."""
    elsewhere = record.agent is None or record.agent.hostname != offer.hostname
    return (elsewhere, -offer.amount_milli("cpus"), offer.hostname)


def _refused_by_attributes(wanted: tuple[AgentAttribute, ...], offer: AgentOffer) -> Refusal | None:
    for attribute in wanted:
        if offer.attributes.get(attribute.name) != attribute.value:
            return Refusal(
                code="attribute",
                message=f"{offer.hostname} lacks {attribute.name}:{attribute.value}",
            )
    return None


def _no_offer(record: VolumeRecord, refusals: list[Refusal]) -> Waiting:
    counts = Counter(refusal.code for refusal in refusals)
    bound = record.initialised and record.strategy is not Strategy.DFS
    reason = Reason.AWAITING_VOLUME_OFFER if bound else Reason.NO_SUITABLE_OFFER
    where = f" of {record.agent.hostname}" if bound and record.agent else ""
    detail = "; ".join(refusal.message for refusal in refusals[:3])
    message = f"no suitable offer{where}: {detail}" if refusals else f"waiting for Mesos to offer something{where}"
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=reason,
        message=message,
        fix="free or add the resources named, or lower what spec.resources and spec.storage.size ask for",
        refusals=dict(sorted(counts.items())),
        wants_offers=True,
    )


def _disconnected(context: Context, ordinal: int) -> Waiting:
    error = context.observed.mesos.error or "not subscribed yet"
    return Waiting(
        ordinal=ordinal,
        reason=Reason.MESOS_DISCONNECTED,
        message=f"Mesos is not connected: {error}",
        fix="check the master and the operator's --mesos setting (statefuldb doctor)",
        wants_offers=True,
    )


def _backing_off(record: VolumeRecord, seconds: float) -> Waiting:
    assert record.ending is not None
    ended, refusal = record.ending, record.launch.refusal if record.launch is not None else ""
    last = f"the keeper refused: {refusal}" if refusal else f"{ended.state}: {ended.message or ended.reason}"
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.BACK_OFF,
        message=f"ended {record.failures} times in a row; last {last}",
        fix="look at the member's output with `statefuldb logs`",
        look_again_seconds=seconds,
    )
