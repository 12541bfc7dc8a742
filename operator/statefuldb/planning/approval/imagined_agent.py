"""The imagined agent of a foresight: it offers enough of everything, and what the database's members hold."""

from dataclasses import replace

from statefuldb.model.identity import CONTAINER_PATH, ReservationLabels
from statefuldb.model.observed import Observed
from statefuldb.model.operations import Operation
from statefuldb.model.resources import (
    AgentOffer,
    DiskSource,
    Persistence,
    Reservation,
    Resource,
    milli_of_bytes,
    port_ranges,
)
from statefuldb.model.spec import DatabaseSpec, DiskType
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.approval.applying import NotOffered, remaining
from statefuldb.planning.storage.disks import disk_of

AGENT_ID = "imagined"
HOSTNAME = "an agent that offers enough"
_PLENTY_MILLI = 10**12
_PORTS = (30000, 39999)


def agent(spec: DatabaseSpec, observed: Observed) -> AgentOffer:
    """Return the agent that this database's members run on, or would. With DFS the next one may be any."""
    mine = [r for r in observed.volumes if r.agent is not None]
    # What is retained may lie on any agent, and says nothing of where the members run.
    used = [r for r in mine if r.intent is Intent.USE] or mine
    place = used[0].agent if used and spec.storage.dfs is None else None
    attributes = {a.name: a.value for a in spec.placement.attributes}
    if spec.storage.dfs is not None:
        attributes[spec.storage.dfs.agent_attribute.name] = spec.storage.dfs.agent_attribute.value
    offer = AgentOffer(
        agent_id=place.id if place is not None else AGENT_ID,
        hostname=place.hostname if place is not None else HOSTNAME,
        address=place.address if place is not None else "",
        role=next((r.mesos_role for r in mine), spec.placement.mesos_role or observed.mesos.role),
        offer_ids=(AGENT_ID,),
        resources=(
            *(Resource(name=name, amount_milli=_PLENTY_MILLI) for name in ("cpus", "mem")),
            Resource(name="disk", amount_milli=_PLENTY_MILLI, source=source_of(spec)),
            Resource(name="ports", ranges=(_PORTS,)),
        ),
        attributes=attributes,
    )
    for record in mine:
        if record.ended:
            offer = given_back(offer, record, source_of(spec))
        elif record.elsewhere or (record.launch is not None and record.launch.leaves_surplus):
            left_over = Resource(name="cpus", amount_milli=1, reservations=_reserved(offer, record))
            offer = replace(offer, resources=(*offer.resources, left_over))
    return offer


def moved(record: VolumeRecord, spec: DatabaseSpec) -> VolumeRecord:
    """Return an entry as if its volume lay on the disk of the imagined agent, wherever it does."""
    here = disk_of(Resource(name="disk", source=source_of(spec)))
    return replace(record, disk=here) if record.disk is not None else record


def source_of(spec: DatabaseSpec) -> DiskSource:
    """Return the disk that this database's volumes are on, and grow by."""
    volume = spec.storage.persistent_volume
    return DiskSource(type=volume.disk_type if volume is not None else DiskType.ROOT)


def after(offer: AgentOffer, operations: tuple[Operation, ...]) -> AgentOffer:
    """Return what is offered after an ACCEPT; what cannot be imagined (another agent's volume) changes nothing."""
    try:
        return remaining(offer, operations)
    except NotOffered:
        return offer


def given_back(offer: AgentOffer, record: VolumeRecord, source: DiskSource) -> AgentOffer:
    """Return the offer with what an ended member holds: its volume on that disk, its reserved compute and ports."""
    launched = record.launch
    if launched is None or not record.reservations:
        return offer
    held = [
        Resource(name="cpus", amount_milli=launched.cpus_milli),
        Resource(name="mem", amount_milli=milli_of_bytes(launched.memory_bytes)),
        Resource(name="ports", ranges=port_ranges((launched.port, launched.keeper_port))),
    ]
    if record.persistence_id is not None:
        volume = Persistence(id=record.persistence_id, principal=None, container_path=CONTAINER_PATH)
        size = milli_of_bytes(record.size_bytes)
        held.append(Resource(name="disk", amount_milli=size, source=source, persistence=volume))
    bundle = tuple(replace(r, reservations=_reserved(offer, record)) for r in held)
    return replace(offer, resources=(*offer.resources, *bundle))


def _reserved(offer: AgentOffer, record: VolumeRecord) -> tuple[Reservation, ...]:
    """Return the reservation that this member's resources carry."""
    labels = ReservationLabels(
        identity=record.identity,
        namespace=record.key.namespace,
        name=record.key.name,
        reservation=record.reservations[-1] if record.reservations else "",
    )
    return (Reservation(dynamic=True, role=offer.role, labels=labels.as_pairs()),)
