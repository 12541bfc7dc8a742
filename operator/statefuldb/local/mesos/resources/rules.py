"""What makes resources invalid, in Mesos's words (the order of the checks is that of Mesos)."""

from collections.abc import Iterable
from typing import Any

from statefuldb.local.mesos.resources import roles
from statefuldb.local.mesos.resources.multiset import thousandths
from statefuldb.local.mesos.resources.text import describe

Json = dict[str, Any]
ID_LIMIT = 255


def id_refused(identity: str) -> str | None:
    """Return why an id is invalid, or None."""
    if not identity:
        return "ID must not be empty"
    if len(identity) > ID_LIMIT:
        return f"ID must not be greater than {ID_LIMIT} characters"
    if identity in (".", ".."):
        return f"'{identity}' is disallowed"
    if any(character in "/\\" or ord(character) < 32 or ord(character) == 127 for character in identity):
        return f"'{identity}' contains invalid characters"
    return None


def malformed(resources: Iterable[Json]) -> str | None:
    """Return why a list of resources is no resources at all, or None."""
    for resource in resources:
        reason = _value(resource) or _reservations(resource)
        if reason is None and "disk" in resource and resource.get("name") != "disk":
            reason = f"DiskInfo should not be set for {resource.get('name')} resource"
        if reason is not None:
            return f"Resource '{describe(resource)}' is invalid: {reason}"
    return None


def invalid(resources: list[Json]) -> str | None:
    """Return why a list of resources cannot be used, or None."""
    reason = malformed(resources)
    if reason is not None:
        return f"Invalid resources: {reason}"
    for resource in resources:
        reason = _disk(resource) if "disk" in resource else None
        if reason is not None:
            return f"Invalid DiskInfo: {reason}"
    return None


def of_several_providers(resources: list[Json]) -> str | None:
    """Return why resources are not of one provider; no resources are not of one either."""
    providers = {resource.get("provider_id", {}).get("value") for resource in resources}
    if len(providers) == 1:
        return None
    if None in providers:
        return "Some resources have a resource provider and some do not"
    return f"The resources have multiple resource providers: {', '.join(sorted(filter(None, providers)))}"


def of_several_roles(resources: list[Json]) -> str | None:
    """Return why resources are not allocated to one role, or None."""
    first = None
    for resource in resources:
        role = resource.get("allocation_info", {}).get("role")
        if first is not None and role != first:
            return (
                f"The resources have multiple allocation roles ('{role}' and '{first}')"
                " but only one allocation role is allowed"
            )
        first = role
    return None


def no_volume(volumes: list[Json]) -> str | None:
    """Return why one of some resources is no persistent volume, or None."""
    for volume in volumes:
        disk = volume.get("disk")
        if disk is None:
            return f"Resource {describe(volume)} does not have DiskInfo"
        if "persistence" not in disk:
            return "'persistence' is not set in DiskInfo"
        if "volume" not in disk:
            return "Expecting 'volume' to be set for persistent volume"
        if disk["volume"].get("mode") == "RO":
            return "Read-only persistent volume not supported"
    return None


def doubled_persistence_id(resources: Iterable[Json]) -> str | None:
    """Return why the persistence ids of some resources are not unique within their roles, or None."""
    seen: set[tuple[str, str]] = set()
    for resource in resources:
        persistence = resource.get("disk", {}).get("persistence")
        if persistence is None:
            continue
        key = (resource["reservations"][-1]["role"], persistence["id"])
        if key in seen:
            return f"Persistence ID '{persistence['id']}' is not unique"
        seen.add(key)
    return None


def _value(resource: Json) -> str | None:
    if not resource.get("name"):
        return "Empty resource name"
    if resource.get("type") == "SCALAR":
        if "scalar" not in resource or "ranges" in resource:
            return "Invalid scalar resource"
        value = float(resource["scalar"]["value"])
        return "Invalid scalar resource: value <= 0" if value != 0 and thousandths(value) <= 0 else None
    if resource.get("type") == "RANGES":
        if "ranges" not in resource or "scalar" in resource:
            return "Invalid ranges resource"
        return _ranges(resource["ranges"].get("range", []))
    return "Unsupported resource type"


def _ranges(spans: list[Json]) -> str | None:
    last = -1
    for begin, end in sorted((int(span["begin"]), int(span["end"])) for span in spans):
        if begin > end:
            return "Invalid ranges resource: begin > end"
        if begin <= last:
            return "Invalid ranges resource: overlapping ranges"
        last = end
    return None


def _reservations(resource: Json) -> str | None:
    above: str | None = None
    for reservation in resource.get("reservations", []):
        for field in ("type", "role"):
            if field not in reservation:
                return f"Invalid reservation: 'Resource.ReservationInfo.{field}' field must be set."
        role = reservation["role"]
        if role == "*":
            return 'Invalid reservation: role "*" cannot be reserved'
        reason = roles.refused(role)
        if reason is not None:
            return reason
        if above is not None and reservation["type"] == "STATIC":
            return "Invalid refined reservation: A refined reservation cannot be STATIC"
        if above is not None and not roles.is_below(role, above):
            return f"Invalid refined reservation: role '{role}' is not a refinement of '{above}'"
        above = role
    return None


def _disk(resource: Json) -> str | None:
    disk = resource["disk"]
    if "persistence" not in disk:
        if "volume" in disk:
            return "Non-persistent volume not supported"
        return None if "source" in disk else "DiskInfo is set but empty"
    if not resource.get("reservations"):
        return "Persistent volumes cannot be created from unreserved resources"
    if "volume" not in disk:
        return "Expecting 'volume' to be set for persistent volume"
    if "host_path" in disk["volume"]:
        return "Expecting 'host_path' to be unset for persistent volume"
    reason = id_refused(str(disk["persistence"].get("id", "")))
    return None if reason is None else f"Invalid persistence ID for persistent volume: {reason}"
