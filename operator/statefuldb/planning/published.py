"""Reading what a database's own status says. Whatever it holds: anybody may have written it."""

from collections.abc import Mapping

# How much of a text is published.
TEXT_LIMIT = 1024


def published(status: Mapping[str, object], *path: str) -> list[Mapping[str, object]]:
    """Return the entries of a list in a published status."""
    found: object = status
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
