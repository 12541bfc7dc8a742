"""Requests that must never leave: they crash a real Mesos 1.11.0 or are always refused.

tests/conformance/mesos/test_fatal.py shows what crashes it on the embedded one, which dies of the same.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from statefuldb.model.identity import TaskId

MEMBERS_REMEMBERED = 100_000


class UnsafeRequest(ValueError):
    """A call that would harm the cluster. It was not sent."""


class UsedTaskIds:
    """The task ids that Mesos has been given. None is given twice: an agent dies of it.

    Ids of ours count up with each launch of a member, so the last one of each member is all that is remembered. Of more
    than `limit` members those that were launched longest ago are forgotten. Safe for use by several threads.
    """

    def __init__(self, limit: int = MEMBERS_REMEMBERED) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._last: OrderedDict[str, int] = OrderedDict()

    def note(self, task_ids: Iterable[str]) -> None:
        """Note ids that have been used, by whomever."""
        with self._lock:
            self._note(task_ids)

    def claim(self, call: Mapping[str, Any]) -> None:
        """Note the ids of the tasks that a call launches. Raises UnsafeRequest, and notes none, where one was used."""
        wanted = list(_launched(call))
        with self._lock:
            for task_id in wanted:
                member, number = _counted(task_id)
                if number <= self._last.get(member, -1):
                    raise UnsafeRequest(f"task id {task_id} was used before")
            self._note(wanted)

    def _note(self, task_ids: Iterable[str]) -> None:
        for task_id in task_ids:
            member, number = _counted(task_id)
            self._last[member] = max(number, self._last.get(member, number))
            self._last.move_to_end(member)
        while len(self._last) > self._limit:
            self._last.popitem(last=False)


def check_call(call: Mapping[str, Any]) -> None:
    """Raise UnsafeRequest for a scalar of zero in any operation, an id on a LAUNCH, or one task id twice."""
    launched: set[str] = set()
    for identity in _launched(call):
        if identity in launched:
            raise UnsafeRequest(f"task {identity} is launched twice")
        launched.add(identity)
    for operation in call.get("accept", {}).get("operations", []):
        kind = operation.get("type", "")
        if kind.startswith("LAUNCH") and "id" in operation:
            raise UnsafeRequest("a LAUNCH operation must not carry an id")
        for resource in _resources(operation):
            if "scalar" in resource and round(float(resource["scalar"]["value"]) * 1000) <= 0:
                raise UnsafeRequest(f"{kind} of {resource.get('name')} with nothing in it")
            if "ranges" in resource and not resource["ranges"].get("range"):
                raise UnsafeRequest(f"{kind} of {resource.get('name')} with nothing in it")


def _counted(task_id: str) -> tuple[str, int]:
    """Return whose launch a task id stands for, and which; an id that is none of ours is a series of its own."""
    ours = TaskId.parse(task_id)
    return (task_id, 0) if ours is None else (f"{ours.uid}.{ours.ordinal}", ours.incarnation)


def _launched(call: Mapping[str, Any]) -> Iterator[str]:
    for operation in call.get("accept", {}).get("operations", []):
        group = operation.get("launch_group", {}).get("task_group", {})
        for task in (*operation.get("launch", {}).get("task_infos", []), *group.get("tasks", [])):
            yield task.get("task_id", {}).get("value", "")


def _resources(operation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for body in operation.values():
        if isinstance(body, Mapping):
            yield from body.get("resources", [])
            yield from body.get("volumes", [])
            yield from (body[part] for part in ("volume", "addition") if part in body)
            for task in body.get("task_infos", []):
                yield from task.get("resources", [])
