"""Requests that must never leave: they crash a real Mesos 1.11.0 (transcripts 31 and 36) or are always refused."""

from collections.abc import Iterator, Mapping
from typing import Any


class UnsafeRequest(ValueError):
    """A call that would harm the cluster. It was not sent."""


def check_call(call: Mapping[str, Any]) -> None:
    """Raise UnsafeRequest for a scalar of zero in any operation, an id on a LAUNCH, or one task id twice."""
    launched: set[str] = set()
    for operation in call.get("accept", {}).get("operations", []):
        kind = operation.get("type", "")
        if kind.startswith("LAUNCH") and "id" in operation:
            raise UnsafeRequest("a LAUNCH operation must not carry an id")
        for task in operation.get("launch", {}).get("task_infos", []):
            identity = task.get("task_id", {}).get("value", "")
            if identity in launched:
                raise UnsafeRequest(f"task {identity} is launched twice")
            launched.add(identity)
        for resource in _resources(operation):
            if "scalar" in resource and round(float(resource["scalar"]["value"]) * 1000) <= 0:
                raise UnsafeRequest(f"{kind} of {resource.get('name')} with nothing in it")
            if "ranges" in resource and not resource["ranges"].get("range"):
                raise UnsafeRequest(f"{kind} of {resource.get('name')} with nothing in it")


def _resources(operation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for body in operation.values():
        if isinstance(body, Mapping):
            yield from body.get("resources", [])
            yield from body.get("volumes", [])
            yield from (body[part] for part in ("volume", "addition") if part in body)
            for task in body.get("task_infos", []):
                yield from task.get("resources", [])
