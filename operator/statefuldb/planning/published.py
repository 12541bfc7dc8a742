"""Reading what a database's own status says. Whatever it holds: anybody may have written it."""

from collections.abc import Mapping, Sequence

from statefuldb.model.plan import Waiting

# How much is published of a text, of a condition, and of a list: a status that its definition refuses is as none.
TEXT_LIMIT = 1024
CONDITION_LIMIT = 4096
LISTED_LIMIT = 100


def published(status: Mapping[str, object], *path: str) -> list[Mapping[str, object]]:
    """Return the entries of a list in a published status."""
    found: object = status
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


def published_waits(waiting: Sequence[Waiting]) -> Sequence[Waiting]:
    """Return the waits that are published: all of them, or the first where they are too many, its own before others."""
    if len(waiting) <= LISTED_LIMIT:
        return waiting
    return sorted(waiting, key=lambda wait: wait.winding_up)[:LISTED_LIMIT]
