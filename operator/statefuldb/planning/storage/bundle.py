"""Completing a bundle: which operations make an agent's offer hold all that one member needs.

One rule serves the first launch, a half-done ACCEPT, a relaunch and a larger size: take what already carries our
labels, reserve only what is missing, create the volume if it was never created, and launch on exactly that. A member
is launched on its whole bundle or not at all (law `bundle`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from statefuldb.model.identity import CONTAINER_PATH, DataIdentity, ReservationLabels
from statefuldb.model.operations import Create, Operation, Reserve
from statefuldb.model.resources import (
    AgentOffer,
    Persistence,
    Reservation,
    Resource,
    free_ports,
    port_ranges,
)
from statefuldb.model.spec import DiskType
from statefuldb.planning.storage.holding import identity_of, is_ours, is_volume, reservable, unowned, usable


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one member needs of one agent; `mem_milli` and `disk_milli` in thousandths of a MiB.

    `labels` None means that nothing is reserved (DFS). `persistence_id` None means that no volume is wanted, and
    `create_volume` says whether one may be created where none with that id is offered.
    """

    cpus_milli: int
    mem_milli: int
    port_count: int
    labels: ReservationLabels | None
    principal: str | None
    disk_milli: int = 0
    disk_type: DiskType = DiskType.ROOT
    persistence_id: str | None = None
    create_volume: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an ACCEPT must do before the LAUNCH, and what the task consumes."""

    operations: tuple[Operation, ...]
    resources: tuple[Resource, ...]
    ports: tuple[int, ...]

    @property
    def reserves(self) -> bool:
        """Whether something is newly reserved."""
        return any(isinstance(operation, Reserve) for operation in self.operations)

    @property
    def unowned(self) -> tuple[str, ...]:
        """The names of what is used of a static reservation without being owned."""
        return tuple(sorted({r.name for r in self.resources if r.reservations and identity_of(r) is None}))

    def reserved_for(self, identity: DataIdentity) -> bool:
        """Whether what the task consumes is reserved for this member."""
        return any(is_ours(resource, identity) for resource in self.resources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an offer does not do: a short code to count by, and a sentence."""

    code: str
    message: str


def complete(needs: Needs, identity: DataIdentity, offer: AgentOffer) -> Claim | Refusal:
    """Return the claim that completes this member's bundle on `offer`, or why it cannot be completed there."""
    consumed: list[Resource] = []
    missing: list[Resource] = []
    for name, amount in (("cpus", needs.cpus_milli), ("mem", needs.mem_milli)):
        taken = _take_scalar(name, amount, needs, identity, offer)
        if isinstance(taken, Refusal):
            return taken
        consumed += taken[0]
        missing += taken[1]
    ports = _take_ports(needs, identity, offer)
    if isinstance(ports, Refusal):
        return ports
    consumed += ports[0]
    missing += ports[1]
    volume = _take_volume(needs, identity, offer)
    if isinstance(volume, Refusal):
        return volume
    operations: list[Operation] = []
    if needs.labels is not None:
        missing = [_reserved(r, needs, offer) for r in missing]
        to_reserve = (*missing, *volume.to_reserve)
        operations += [Reserve(resources=to_reserve)] if to_reserve else []
    if volume.to_create is not None:
        operations.append(Create(volume=volume.to_create))
    resources = (*consumed, *missing, *volume.consumed)
    chosen = tuple(port for r in resources if r.name == "ports" for span in r.ranges for port in _each(span))
    return Claim(operations=tuple(operations), resources=resources, ports=tuple(sorted(chosen)))


def surplus(identity: DataIdentity, offer: AgentOffer) -> tuple[Resource, ...]:
    """Return what is reserved for this member, offered, and not wanted: everything but volumes.

    Called only while the member runs on its bundle, so whatever of it is still offered is left over: from a smaller
    size, or from a RESERVE that was doubled.
    """
    return tuple(r for r in offer.resources if is_ours(r, identity) and r.persistence is None)


def _each(span: tuple[int, int]) -> range:
    return range(span[0], span[1] + 1)


def _reserved(resource: Resource, needs: Needs, offer: AgentOffer) -> Resource:
    assert needs.labels is not None
    return resource.reserved(
        Reservation(
            dynamic=True,
            role=offer.role,
            principal=needs.principal,
            labels=needs.labels.as_pairs(),
        )
    )


Taken = tuple[list[Resource], list[Resource]]


def _take_scalar(name: str, amount: int, needs: Needs, identity: DataIdentity, offer: AgentOffer) -> Taken | Refusal:
    """Take `amount` of a scalar: first what is ours, then what is set aside for our role, then what is free."""
    held: list[Resource] = []
    free: list[Resource] = []
    left = amount
    candidates = [r for r in offer.resources if r.name == name]
    if needs.labels is not None:
        left = _drain((r for r in candidates if is_ours(r, identity)), left, held)
    left = _drain((r for r in candidates if unowned(r, offer.role)), left, held)
    left = _drain(_static_first(r for r in candidates if reservable(r, offer.role)), left, free)
    if left > 0:
        unit = "cpus" if name == "cpus" else "MiB of memory"
        lacks = f"{offer.hostname} lacks {left / 1000:g} of {amount / 1000:g} {unit}"
        return Refusal(code=name, message=f"{lacks}{_set_aside(candidates)}")
    return (held, free) if needs.labels is not None else ([*held, *free], [])


def _set_aside(candidates: Iterable[Resource]) -> str:
    """Return what to say of resources that somebody has reserved for our role, by hand, and that none of ours may use.

    They carry no label of ours, so they are not touched (law `ours_only`).
    """
    theirs = [r for r in candidates if identity_of(r) is None and any(level.dynamic for level in r.reservations)]
    if not theirs:
        return ""
    amount = sum(r.amount_milli for r in theirs)
    owners = ", ".join(sorted({level.principal or "nobody" for r in theirs for level in r.reservations[-1:]}))
    return f"; {amount / 1000:g} more are reserved by {owners} without our labels: UNRESERVE_RESOURCES frees them"


def _static_first(candidates: Iterable[Resource]) -> list[Resource]:
    """Order what can be reserved: first what is set aside for roles above ours, which others may not use anyway."""
    return sorted(candidates, key=lambda r: r.unreserved)


def _drain(candidates: Iterable[Resource], left: int, into: list[Resource]) -> int:
    for resource in candidates:
        if left <= 0:
            break
        part = min(left, resource.amount_milli)
        into.append(resource.part(part))
        left -= part
    return left


def _take_ports(needs: Needs, identity: DataIdentity, offer: AgentOffer) -> Taken | Refusal:
    """Take ports: first ours, so that an endpoint stays where it was, then free ones."""
    candidates = [r for r in offer.resources if r.name == "ports"]
    ours = [r for r in candidates if is_ours(r, identity)] if needs.labels is not None else []
    static = [r for r in candidates if unowned(r, offer.role)]
    free = [r for r in candidates if reservable(r, offer.role)]
    held: list[Resource] = []
    chosen: tuple[int, ...] = ()
    for kind in (ours, static):
        ports = free_ports(kind, needs.port_count - len(chosen))
        chosen += ports
        held += _port_parts(kind, ports)
    fresh = free_ports(free, needs.port_count - len(chosen))
    if len(chosen) + len(fresh) < needs.port_count:
        return Refusal(code="ports", message=f"{offer.hostname} has no {needs.port_count} ports")
    new = _port_parts(free, fresh)
    return (held, new) if needs.labels is not None else ([*held, *new], [])


def _port_parts(candidates: list[Resource], ports: tuple[int, ...]) -> list[Resource]:
    parts = []
    for resource in candidates:
        held = [p for p in ports if any(p in _each(span) for span in resource.ranges)]
        if held:
            parts.append(replace(resource, ranges=port_ranges(held)))
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class _VolumePart:
    """The volume's share of a claim; what is `to_reserve` carries its reservation already."""

    consumed: tuple[Resource, ...] = ()
    to_reserve: tuple[Resource, ...] = ()
    to_create: Resource | None = None


def _take_volume(needs: Needs, identity: DataIdentity, offer: AgentOffer) -> _VolumePart | Refusal:
    """Find the member's volume in the offer, or the disk to create it on."""
    if needs.persistence_id is None:
        return _VolumePart()
    for resource in offer.resources:
        if is_volume(resource, identity, needs.persistence_id):
            return _VolumePart(consumed=(resource,))
    if not needs.create_volume:
        return Refusal(code="volume", message=f"{offer.hostname} does not offer volume {needs.persistence_id}")
    disks = [
        r for r in offer.resources if r.name == "disk" and r.persistence is None and r.source.type is needs.disk_type
    ]
    return _found_disk(needs, identity, offer, disks) or _no_disk(needs, offer, disks)


def _found_disk(needs: Needs, identity: DataIdentity, offer: AgentOffer, disks: list[Resource]) -> _VolumePart | None:
    """Find disk for a new volume: what is reserved already, what completes it, or what nobody has reserved.

    A Mount disk is taken whole or not at all (Mesos docs, multiple-disk).
    """
    whole = needs.disk_type is DiskType.MOUNT
    ours = sorted((d for d in disks if is_ours(d, identity)), key=lambda d: -d.amount_milli)
    for disk in ours:
        if disk.amount_milli >= needs.disk_milli:
            volume = _with_volume(disk if whole else disk.part(needs.disk_milli), needs)
            return _VolumePart(consumed=(volume,), to_create=volume)
    for disk in (d for d in disks if unowned(d, offer.role)):
        if disk.amount_milli >= needs.disk_milli:
            volume = _with_volume(disk if whole else disk.part(needs.disk_milli), needs)
            return _VolumePart(consumed=(volume,), to_create=volume)
    free = sorted((d for d in disks if reservable(d, offer.role)), key=lambda d: (d.unreserved, d.amount_milli))
    for disk in free:
        if disk.amount_milli >= needs.disk_milli:
            part = disk if whole else disk.part(needs.disk_milli)
            reserved = _reserved(part, needs, offer)
            volume = _with_volume(reserved, needs)
            return _VolumePart(consumed=(volume,), to_reserve=(reserved,), to_create=volume)
    return None if whole else _topped_up(needs, ours, free)


def _topped_up(needs: Needs, ours: list[Resource], free: list[Resource]) -> _VolumePart | None:
    """Make a reservation that is too small large enough: under its own labels, since only equal ones merge."""
    for held in ours:
        lacking = needs.disk_milli - held.amount_milli
        for disk in free:
            mergeable = disk.source == held.source and disk.reservations == held.reservations[:-1]
            if mergeable and disk.amount_milli >= lacking:
                volume = _with_volume(held.part(needs.disk_milli), needs)
                added = replace(held, amount_milli=lacking)
                return _VolumePart(consumed=(volume,), to_reserve=(added,), to_create=volume)
    return None


def _no_disk(needs: Needs, offer: AgentOffer, disks: list[Resource]) -> Refusal:
    largest = max((r.amount_milli for r in disks if usable(r, offer.role)), default=0)
    return Refusal(
        code="disk",
        message=f"{offer.hostname} has {largest // 1000} MiB of free {needs.disk_type} disk, "
        f"{needs.disk_milli // 1000} MiB are needed{_set_aside(disks)}",
    )


def _with_volume(disk: Resource, needs: Needs) -> Resource:
    assert needs.persistence_id is not None
    return replace(
        disk,
        persistence=Persistence(id=needs.persistence_id, principal=needs.principal, container_path=CONTAINER_PATH),
    )
