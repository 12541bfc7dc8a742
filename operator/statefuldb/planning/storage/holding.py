"""Whose a resource is, for one member in one role: its own, to be reserved for it, or used without being owned.

Static reservations carry no labels and cannot be given back. In a role below theirs they are refined, with labels, like
anything that is free; in their own role only a volume on them can be told again, by its persistence id, and what else
is used of them stays unowned: it is never unreserved, and nothing keeps it for a member that is stopped.
"""

from collections.abc import Iterable
from dataclasses import replace

from statefuldb.model.identity import DataIdentity, PersistenceId
from statefuldb.model.operations import Destroy, Operation, Unreserve
from statefuldb.model.resources import AgentOffer, Resource
from statefuldb.model.volume import VolumeRecord


def identity_of(resource: Resource) -> DataIdentity | None:
    """Return whose data a resource is reserved for: by its labels, else by the volume on it; None where nobody's."""
    if resource.labels is not None:
        return resource.labels.identity
    volume = PersistenceId.parse(resource.persistence.id) if resource.persistence is not None else None
    return volume.identity if volume is not None else None


def made_for(volume: Resource) -> PersistenceId | None:
    """Return the id of a volume that we made, which says whose data it holds; None for any other resource.

    We give a volume an id and labels that say the same. One that says two things was made by somebody else, on what
    was reserved for a member.
    """
    made = PersistenceId.parse(volume.persistence.id) if volume.persistence is not None else None
    return made if made is not None and made.identity == identity_of(volume) else None


def with_data(volumes: Iterable[tuple[AgentOffer, Resource]]) -> dict[DataIdentity, tuple[AgentOffer, Resource]]:
    """Return which volume holds the data, and on which agent, of each member that has any we made.

    A member leaves a volume for another only before there is data: the newest one holds it.
    """
    newest: dict[DataIdentity, int] = {}
    found: dict[DataIdentity, tuple[AgentOffer, Resource]] = {}
    for offer, resource in volumes:
        made = made_for(resource)
        if made is not None and made.sequence > newest.get(made.identity, -1):
            newest[made.identity] = made.sequence
            found[made.identity] = (offer, resource)
    return found


def is_ours(resource: Resource, identity: DataIdentity) -> bool:
    """Say whether a resource is this member's (law `ours_only`)."""
    return identity_of(resource) == identity


def is_volume(resource: Resource, identity: DataIdentity, persistence_id: str | None) -> bool:
    """Say whether a resource is this member's volume with this id; the same id under another's labels is not."""
    volume = resource.persistence
    return volume is not None and volume.id == persistence_id and is_ours(resource, identity)


def holds_volume(record: VolumeRecord, offer: AgentOffer) -> bool:
    """Say whether the volume that a ledger entry names is offered there."""
    return any(is_volume(resource, record.identity, record.persistence_id) for resource in offer.resources)


def given_back(identity: DataIdentity, offer: AgentOffer) -> tuple[Operation, ...]:
    """Return what gives back everything of a member on `offer`: DESTROY of each volume, then UNRESERVE of the rest.

    Mesos refuses to unreserve anything with a volume on it in the list. A static reservation has no labels, and stays.
    """
    ours = [r for r in offer.resources if is_ours(r, identity)]
    destroyed: list[Operation] = [Destroy(volume=r) for r in ours if r.persistence is not None]
    freed = tuple(replace(r, persistence=None) for r in ours if r.labels is not None)
    return (*destroyed, *((Unreserve(resources=freed),) if freed else ()))


def within(role: str, ancestor: str) -> bool:
    """Say whether `role` is `ancestor` or lies below it: what is reserved for that is offered to it too."""
    return role == ancestor or role.startswith(f"{ancestor}/")


def reservable(resource: Resource, role: str) -> bool:
    """Say whether a resource can be reserved for `role`: nobody has, or a role above it has by configuration."""
    if resource.persistence is not None:
        return False
    return resource.unreserved or (_static(resource) and resource.reservations[-1].role != role)


def unowned(resource: Resource, role: str) -> bool:
    """Say whether a resource is set aside for `role` itself by configuration, so that it is used without an owner."""
    return resource.persistence is None and _static(resource) and resource.reservations[-1].role == role


def usable(resource: Resource, role: str) -> bool:
    """Say whether a member that owns nothing may use a resource."""
    return reservable(resource, role) or unowned(resource, role)


def _static(resource: Resource) -> bool:
    return len(resource.reservations) == 1 and not resource.reservations[0].dynamic
