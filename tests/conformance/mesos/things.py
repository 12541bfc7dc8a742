"""The messages that the tests send: resources, operations, tasks, frameworks."""

from typing import Any

Json = dict[str, Any]

ROLE, PRINCIPAL = "svc", "svc-principal"
LABELS = {"labels": [{"key": "owner", "value": "t"}]}
CAPABILITIES = ("MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE")


def framework(**changes: Any) -> Json:
    """Return a FrameworkInfo; None leaves a field out."""
    info = {
        "user": "root",
        "name": "conformance",
        "roles": [ROLE],
        "capabilities": [{"type": name} for name in CAPABILITIES],
        "failover_timeout": 60,
        "principal": PRINCIPAL,
        **changes,
    }
    return {name: value for name, value in info.items() if value is not None}


def scalar(name: str, amount: float, *reservations: Json) -> Json:
    resource: Json = {"name": name, "type": "SCALAR", "scalar": {"value": amount}}
    if reservations:
        resource["reservations"] = list(reservations)
    return resource


def ports(begin: int, end: int, *reservations: Json) -> Json:
    resource: Json = {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": begin, "end": end}]}}
    if reservations:
        resource["reservations"] = list(reservations)
    return resource


def reservation(role: str = ROLE, principal: str | None = PRINCIPAL, labels: Json | None = LABELS) -> Json:
    found: Json = {"type": "DYNAMIC", "role": role}
    if principal is not None:
        found["principal"] = principal
    if labels is not None:
        found["labels"] = labels
    return found


def cpus(amount: float, *reservations: Json) -> list[Json]:
    return [scalar("cpus", amount, *reservations)]


OURS, PLAIN = reservation(), reservation(labels=None)
BUNDLE = (scalar("cpus", 1, OURS), scalar("mem", 256, OURS), scalar("disk", 512, OURS))


def volume(identity: str, megabytes: float = 512, *reservations: Json, **disk: Any) -> Json:
    """Return a persistent volume of ours. `disk` changes fields of its DiskInfo."""
    info = {
        "persistence": {"id": identity, "principal": PRINCIPAL},
        "volume": {"container_path": "data", "mode": "RW"},
        **disk,
    }
    return {**scalar("disk", megabytes, *(reservations or (OURS,))), "disk": info}


def operation(kind: str, resources: Any, identity: str | None = None) -> Json:
    """Return RESERVE, UNRESERVE, CREATE or DESTROY of some resources."""
    field = "resources" if kind in ("RESERVE", "UNRESERVE") else "volumes"
    found: Json = {"type": kind, kind.lower(): {field: list(resources)}}
    if identity is not None:
        found["id"] = {"value": identity}
    return found


def task(identity: str, agent: Json, resources: Any = None, command: str | None = "true", **changes: Any) -> Json:
    """Return a TaskInfo that runs a shell command."""
    info: Json = {
        "name": identity,
        "task_id": {"value": identity},
        "agent_id": agent,
        "resources": list(resources) if resources is not None else [scalar("cpus", 0.1), scalar("mem", 32)],
    }
    if command is not None:
        info["command"] = {"value": command, "shell": True}
    return {**info, **changes}


def launch(*tasks: Json) -> Json:
    return {"type": "LAUNCH", "launch": {"task_infos": list(tasks)}}


def bundled(identity: str, agent: Json, volume_id: str, command: str) -> list[Json]:
    """Return RESERVE, CREATE and LAUNCH of one bundle, with the operation ids `<volume>-r` and `<volume>-c`."""
    held = volume(volume_id)
    return [
        operation("RESERVE", BUNDLE, f"{volume_id}-r"),
        operation("CREATE", [held], f"{volume_id}-c"),
        launch(task(identity, agent, [*BUNDLE[:2], held], command)),
    ]
