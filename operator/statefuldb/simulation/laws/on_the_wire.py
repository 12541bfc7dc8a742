"""What the laws look for in JSON on its way: what is said for the first time, and whose resources are meant."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from statefuldb.model.identity import LABEL_CLUSTER

Json = dict[str, Any]


def said_anew(value: Any, before: Any) -> Iterator[str]:
    """Yield the names and texts in a JSON value that are not at the same place in another."""
    if value == before:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        known = before if isinstance(before, dict) else {}
        for name, held in value.items():
            if name not in known:
                yield name
            yield from said_anew(held, known.get(name))
    elif isinstance(value, list):
        listed = before[: len(value)] if isinstance(before, list) else []
        for held, was in zip_longest(value, listed):
            yield from said_anew(held, was)


def is_ours(resource: Json) -> bool:
    """Say whether a resource carries our label on its topmost reservation."""
    stack = resource.get("reservations", [])
    labels = stack[-1].get("labels", {}).get("labels", []) if stack else []
    return any(label["key"] == LABEL_CLUSTER for label in labels)
