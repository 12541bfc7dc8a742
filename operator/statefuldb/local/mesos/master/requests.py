"""What makes a scheduler's request invalid as such, in Mesos's words (validation.cpp)."""

import base64
import binascii
from typing import Any

from statefuldb.local.mesos.resources import roles

Json = dict[str, Any]

BODIES = {
    "SUBSCRIBE": "subscribe",
    "TEARDOWN": None,
    "ACCEPT": "accept",
    "DECLINE": "decline",
    "ACCEPT_INVERSE_OFFERS": "accept_inverse_offers",
    "DECLINE_INVERSE_OFFERS": "decline_inverse_offers",
    "REVIVE": None,
    "SUPPRESS": None,
    "KILL": "kill",
    "SHUTDOWN": "shutdown",
    "ACKNOWLEDGE": "acknowledge",
    "ACKNOWLEDGE_OPERATION_STATUS": "acknowledge_operation_status",
    "RECONCILE": "reconcile",
    "RECONCILE_OPERATIONS": "reconcile_operations",
    "MESSAGE": "message",
    "REQUEST": "request",
    "UPDATE_FRAMEWORK": "update_framework",
}
LONGEST_DURATION_SECONDS = 2**63 / 1e9
REQUIRED = {
    "SUBSCRIBE": ("subscribe.framework_info", "subscribe.framework_info.user", "subscribe.framework_info.name"),
    "KILL": ("kill.task_id",),
    "ACKNOWLEDGE": ("acknowledge.agent_id", "acknowledge.task_id", "acknowledge.uuid"),
    "ACKNOWLEDGE_OPERATION_STATUS": (
        "acknowledge_operation_status.uuid",
        "acknowledge_operation_status.operation_id",
    ),
}


def unconvertible(call: Json) -> str | None:
    """Return why a call is not of the protocol, or None."""
    kind = str(call.get("type"))
    body = BODIES.get(kind)
    if body is None or body not in call:
        return None
    content: Json = call[body]
    uuid = content.get("uuid")
    if isinstance(uuid, dict):
        return "Not expecting a JSON object for field 'uuid'"
    if uuid is not None and _bytes(uuid) is None:
        return f"Failed to base64 decode bytes field 'uuid': {_base64_problem(uuid)}"
    missing = [path for path in REQUIRED.get(kind, ()) if not _has(call, path)]
    if kind == "ACCEPT":
        missing = [path for n, one in enumerate(content.get("operations", [])) for path in _lacking(one, n)]
    return f"Missing required fields: {', '.join(missing)}" if missing else None


def invalid(call: Json, principal: str | None = None) -> str | None:
    """Return why a call is invalid, or None. `principal` is the authenticated one."""
    kind = str(call.get("type"))
    if kind not in BODIES:
        return "Expecting 'type' to be present"
    body = BODIES[kind]
    if kind == "SUBSCRIBE":
        return _subscription(call, principal) if "subscribe" in call else "Expecting 'subscribe' to be present"
    if "framework_id" not in call:
        return "Expecting 'framework_id' to be present"
    if body is None:
        return None
    if body not in call:
        return f"Expecting '{body}' to be present"
    content: Json = call[body]
    if kind.startswith("ACKNOWLEDGE") and len(_bytes(content["uuid"]) or b"") != 16:
        return "Not a valid UUID"
    if kind == "ACKNOWLEDGE_OPERATION_STATUS" and "agent_id" not in content:
        return "Expecting 'agent_id' to be present"
    if kind == "UPDATE_FRAMEWORK" and content["framework_info"].get("id") != call["framework_id"]:
        return "'framework_id' differs from 'update_framework.framework_info.id'"
    return None


def _subscription(call: Json, principal: str | None) -> str | None:
    info = call["subscribe"]["framework_info"]
    if info.get("id", {}).get("value", "") != call.get("framework_id", {}).get("value", ""):
        return "'framework_id' differs from 'subscribe.framework_info.id'"
    given = info.get("principal")
    if principal is not None and given is not None and given != principal:
        return other_principal(principal, given)
    return None


def other_principal(authenticated: str, given: str | None) -> str:
    """Return the text of a refusal to one who is not who the framework says it is."""
    return f"Authenticated principal '{authenticated}' does not match principal '{given}' set in `FrameworkInfo`"


def framework_refused(info: Json) -> str | None:
    """Return why a framework is refused for what it says of itself, or None."""
    multi_role = any(one.get("type") == "MULTI_ROLE" for one in info.get("capabilities", []))
    if multi_role and "role" in info:
        return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"
    if not multi_role and info.get("roles"):
        return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"
    doubled = sorted({role for role in info.get("roles", []) if info["roles"].count(role) > 1})
    if doubled:
        return f"'FrameworkInfo.roles' contains duplicate items: {{ {', '.join(doubled)} }}"
    for role in info.get("roles", []):
        reason = roles.refused(role)
        if reason is not None:
            return f"'FrameworkInfo.roles' contains invalid role: {reason}"
    reason = None if multi_role else roles.refused(info.get("role", "*"))
    if reason is not None:
        return f"'FrameworkInfo.role' is not a valid role: {reason}"
    timeout = float(info.get("failover_timeout", 0.0))
    if not -LONGEST_DURATION_SECONDS <= timeout <= LONGEST_DURATION_SECONDS:
        return f"The framework failover_timeout ({timeout:g}) is invalid"
    return None


def update_refused(before: Json, after: Json) -> str | None:
    """Return why what a framework says of itself cannot become something else, or None."""
    if before.get("principal") != after.get("principal"):
        return "Changing framework's principal is not allowed."
    for field, absent in (("user", ""), ("checkpoint", False)):
        old, new = before.get(field, absent), after.get(field, absent)
        if old != new:
            shown = [str(value).lower() if isinstance(value, bool) else value for value in (old, new)]
            return (
                f"Updating 'FrameworkInfo.{field}' is unsupported; attempted to update from '{shown[0]}' "
                f"to '{shown[1]}'"
            )
    return None


def _lacking(operation: Json, number: int) -> list[str]:
    """Return the required fields that an operation of an ACCEPT lacks, of those that launch."""
    where = f"accept.operations[{number}]"
    missing = []
    if "launch_group" in operation:
        paths = ("launch_group.executor", "launch_group.executor.executor_id")
        lacks = next((path for path in paths if not _has(operation, path)), None)
        missing += [f"{where}.{lacks}"] if lacks is not None else []
    for name, tasks in (
        ("launch.task_infos", operation.get("launch", {}).get("task_infos", [])),
        ("launch_group.task_group.tasks", operation.get("launch_group", {}).get("task_group", {}).get("tasks", [])),
    ):
        for at, info in enumerate(tasks):
            uris = info.get("command", {}).get("uris", [])
            missing += [
                f"{where}.{name}[{at}].command.uris[{n}].value" for n, uri in enumerate(uris) if "value" not in uri
            ]
    return missing


def _has(call: Json, path: str) -> bool:
    value: Any = call
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _base64_problem(text: str) -> str:
    bad = next((c for c in text if not (c.isascii() and (c.isalnum() or c in "+/="))), "")
    return f"Invalid character '{bad}'" if bad else "Invalid length"
