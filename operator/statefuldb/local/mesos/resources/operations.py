"""Operations on an agent's resources: what makes one invalid, and what it takes and gives. For frameworks and people.

Texts and the order of the checks are those of Mesos.
"""

from dataclasses import dataclass, field
from typing import Any

from statefuldb.local.mesos.resources import rules as rules
from statefuldb.local.mesos.resources.multiset import Bag, InvalidResource, thousandths
from statefuldb.local.mesos.resources.text import describe

Json = dict[str, Any]

FIELDS = {"RESERVE": "resources", "UNRESERVE": "resources", "CREATE": "volumes", "DESTROY": "volumes"}
RESIZING = ("GROW_VOLUME", "SHRINK_VOLUME")
KINDS = (*FIELDS, *RESIZING)


class MasterAborted(BaseException):
    """A request that kills a real master (master.cpp:12956): the process must end."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for an operation. `roles` are a framework's; None for a person, who asks by the operator API."""

    principal: str | None
    roles: tuple[str, ...] | None
    framework_id: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """What an operation is checked against: an agent's resources, and those that its tasks use."""

    total: Bag
    used: list[Bag] = field(default_factory=list)


def resources_of(operation: Json) -> list[Json]:
    """Return all resources that an operation names."""
    kind = operation.get("type", "")
    body = operation.get(kind.lower(), {})
    if kind in FIELDS:
        return list(body.get(FIELDS[kind], []))
    return [body[name] for name in ("volume", "addition") if name in body]


def malformed(operation: Json) -> str | None:
    """Return why an operation is none at all, or None."""
    kind = operation["type"]
    if kind.lower() not in operation:
        return f"A {kind} offer operation must have the Offer.Operation.{kind.lower()} field set."
    return rules.malformed(resources_of(operation))


def check(operation: Json, asker: Asker, ground: Ground) -> None:
    """Raise InvalidResource where Mesos refuses an operation before it looks at what is there."""
    kind = operation["type"]
    if kind in RESIZING:
        reason = _grow(operation["grow_volume"]) if kind == "GROW_VOLUME" else _shrink(operation["shrink_volume"])
    else:
        reason = _common(resources_of(operation))
        if reason is None:
            reason = _CHECKS[kind](resources_of(operation), asker, ground)
    if reason is not None:
        raise InvalidResource(reason)


def conversion(operation: Json) -> tuple[Bag, Bag]:
    """Return what a valid operation takes and what it gives."""
    kind, resources = operation["type"], resources_of(operation)
    if kind in RESIZING:
        return _resized(operation)
    changed = [_without_volume(r) if kind in ("CREATE", "DESTROY") else _unreserved(r) for r in resources]
    plain, special = Bag.of(changed), Bag.of(resources)
    if not special:
        raise MasterAborted("CHECK_SOME(providerId): Cannot determine resource provider for empty resources")
    return (plain, special) if kind in ("RESERVE", "CREATE") else (special, plain)


def _common(resources: list[Json]) -> str | None:
    reason = rules.invalid(resources) or rules.of_several_providers(resources)
    return None if reason is None else f"Invalid resources: {reason}"


def _is_dynamic(resource: Json) -> bool:
    stack = resource.get("reservations", [])
    return bool(stack) and stack[-1].get("type") == "DYNAMIC"


def _reserve(resources: list[Json], asker: Asker, ground: Ground) -> str | None:
    for resource in resources:
        if not _is_dynamic(resource):
            return f"Resource {describe(resource)} is not dynamically reserved"
        last = resource["reservations"][-1]
        if asker.principal is not None and "principal" not in last:
            return (
                f"A reserve operation was attempted by principal '{asker.principal}', but there is a reserved "
                "resource in the request with no principal set"
            )
        if asker.principal is not None and last["principal"] != asker.principal:
            return (
                f"A reserve operation was attempted by authenticated principal '{asker.principal}', which does not "
                f"match a reserved resource in the request with principal '{last['principal']}'"
            )
        reason = _allocated(resource, last["role"], asker.roles)
        if reason is not None:
            return reason
    reason = rules.of_several_roles(resources)
    return None if reason is None else f"Invalid reservation resources: {reason}"


def _allocated(resource: Json, role: str, owned: tuple[str, ...] | None) -> str | None:
    given = resource.get("allocation_info", {}).get("role")
    if owned is None:
        if given is None:
            return None
        return (
            "A reserve operation was attempted with an allocated resource, but the operator API only allows "
            "reservations to be made to unallocated resources"
        )
    if given != role:
        return (
            f"A reserve operation was attempted for a resource with role '{role}', but the resource was allocated "
            f"to role '{given}'"
        )
    if given not in owned:
        return (
            f"A reserve operation was attempted for a resource allocated to role '{given}', but the framework only "
            f"has roles '{{ {', '.join(owned)} }}'"
        )
    return None


def _unreserve(resources: list[Json], asker: Asker, ground: Ground) -> str | None:
    for resource in resources:
        if not _is_dynamic(resource):
            return f"Resource {describe(resource)} is not dynamically reserved"
        if "persistence" in resource.get("disk", {}):
            return (
                f"A dynamically reserved persistent volume {describe(resource)} cannot be unreserved directly. "
                "Please destroy the persistent volume first then unreserve the resource"
            )
    return None


def _create(volumes: list[Json], asker: Asker, ground: Ground) -> str | None:
    reason = rules.no_volume(volumes)
    if reason is not None:
        return f"Not a persistent volume: {reason}"
    reason = rules.doubled_persistence_id([*ground.total.to_json(), *volumes])
    if reason is not None:
        return reason
    for volume in volumes:
        if "shared" in volume and asker.roles is not None and not asker.shared:
            return (
                f"Create volume operation for '{describe(volume)}' has been attempted by framework "
                f"'{asker.framework_id}' with no SHARED_RESOURCES capability"
            )
        given = volume["disk"]["persistence"].get("principal")
        if asker.principal is not None and given is None:
            return (
                f"Create volume operation attempted by principal '{asker.principal}', but there is a volume in the "
                "operation with no principal set in 'disk.persistence'"
            )
        if asker.principal is not None and given != asker.principal:
            return (
                f"Create volume operation attempted by authenticated principal '{asker.principal}', which does not "
                f"match a volume in the operation with principal '{given}' set in 'disk.persistence'"
            )
    reason = rules.of_several_roles(volumes)
    return None if reason is None else f"Invalid volume resources: {reason}"


def _destroy(volumes: list[Json], asker: Asker, ground: Ground) -> str | None:
    reason = rules.no_volume(volumes)
    if reason is not None:
        return f"Not a persistent volume: {reason}"
    if not all(ground.total.contains(Bag.of([volume])) for volume in volumes):
        return "Persistent volumes not found"
    if any(used.contains(Bag.of([volume])) for used in ground.used for volume in volumes):
        return "Persistent volumes in use"
    return None


_CHECKS = {"RESERVE": _reserve, "UNRESERVE": _unreserve, "CREATE": _create, "DESTROY": _destroy}


def _grow(body: Json) -> str | None:
    volume, addition = body["volume"], body["addition"]
    if thousandths(float(addition.get("scalar", {}).get("value", 0))) <= 0:
        return "The size of 'GrowVolume.addition' field must be greater than zero"
    if "provider_id" in volume:
        return "Growing a volume from a resource provider is not supported"
    reason = rules.no_volume([volume])
    if reason is not None:
        return f"Invalid persistent volume in the 'GrowVolume.volume' field: {reason}"
    if "shared" in volume:
        return "Growing a shared persistent volume is not supported"
    if len((Bag.of([_without_volume(volume)]) + Bag.of([addition])).to_json()) != 1:
        return "Incompatible resources in the 'GrowVolume.volume' and 'GrowVolume.addition' fields"
    return None


def _shrink(body: Json) -> str | None:
    volume, subtract = body["volume"], thousandths(float(body["subtract"]["value"]))
    if subtract <= 0:
        return "Value of 'ShrinkVolume.subtract' must be greater than zero"
    if thousandths(float(volume.get("scalar", {}).get("value", 0))) <= subtract:
        return "Value of 'ShrinkVolume.subtract' must be smaller than the size of 'ShrinkVolume.volume'"
    if "provider_id" in volume:
        return "Shrinking a volume from a resource provider is not supported"
    if volume.get("disk", {}).get("source", {}).get("type") == "MOUNT":
        return "Shrinking a volume on a MOUNT disk is not supported"
    reason = rules.no_volume([volume])
    if reason is not None:
        return f"Invalid persistent volume in the 'ShrinkVolume.volume' field: {reason}"
    return "Shrinking a shared persistent volume is not supported" if "shared" in volume else None


def _resized(operation: Json) -> tuple[Bag, Bag]:
    body = operation[operation["type"].lower()]
    volume = body["volume"]
    size = float(volume["scalar"]["value"])
    if operation["type"] == "GROW_VOLUME":
        before = Bag.of([volume]) + Bag.of([body["addition"]])
        return before, Bag.of([_sized(volume, size + float(body["addition"]["scalar"]["value"]))])
    freed = float(body["subtract"]["value"])
    smaller = Bag.of([_sized(volume, size - freed)])
    return Bag.of([volume]), smaller + Bag.of([_sized(_without_volume(volume), freed)])


def _sized(resource: Json, value: float) -> Json:
    return {**resource, "scalar": {"value": value}}


def _unreserved(resource: Json) -> Json:
    return {**resource, "reservations": resource["reservations"][:-1]}


def _without_volume(resource: Json) -> Json:
    disk = {k: v for k, v in resource.get("disk", {}).items() if k not in ("persistence", "volume")}
    rest = {k: v for k, v in resource.items() if k not in ("disk", "shared")}
    return {**rest, "disk": disk} if disk else rest
