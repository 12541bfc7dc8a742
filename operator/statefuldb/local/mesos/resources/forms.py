"""The two forms of a reservation on the wire: `reservations`, and the older `role` with `reservation`.

Frameworks without RESERVATION_REFINEMENT see and may send the older one.
"""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
_CONTAINERS = (dict, list)


def upgraded(resource: Json) -> Json:
    """Return a resource in the present form; one that is in it already, unchanged."""
    rest = {k: v for k, v in resource.items() if k not in ("role", "reservation")}
    role = resource.get("role", "*")
    if resource.get("reservations") or role == "*":
        return rest
    if "reservation" in resource:
        return {**rest, "reservations": [{"type": "DYNAMIC", "role": role, **resource["reservation"]}]}
    return {**rest, "reservations": [{"type": "STATIC", "role": role}]}


def downgraded(resource: Json) -> Json:
    """Return a resource in the older form."""
    rest = {k: v for k, v in resource.items() if k != "reservations"}
    stack = resource.get("reservations", [])
    if not stack:
        return {**rest, "role": "*"}
    last = {k: v for k, v in stack[-1].items() if k not in ("role", "type")}
    old = {**rest, "role": stack[-1]["role"]}
    return {**old, "reservation": last} if stack[-1].get("type") == "DYNAMIC" else old


def doubled(resource: Json) -> Json:
    """Return a resource in both forms, as the operator API shows it."""
    stack = resource.get("reservations", [])
    return {**resource, **downgraded(resource), "reservations": stack} if stack else {**resource, "role": "*"}


def everywhere(value: Any, change: Callable[[Json], Json]) -> Any:
    """Return a message with each resource in it changed."""
    if isinstance(value, list):
        return [everywhere(one, change) for one in value]
    if not isinstance(value, dict):
        return value
    if "name" in value and ("scalar" in value or "ranges" in value) and "text" not in value:
        return change(value)
    # Leaves, which are most values, are told here rather than in a call each.
    return {k: everywhere(inner, change) if isinstance(inner, _CONTAINERS) else inner for k, inner in value.items()}
