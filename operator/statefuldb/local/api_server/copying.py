"""Copies of JSON values: much cheaper than `copy.deepcopy`, which looks for what JSON never holds."""

from typing import Any, TypeVar, cast

T = TypeVar("T")
_CONTAINERS = (dict, list)


def copied(value: T) -> T:
    """Return a copy that shares nothing that can be changed."""
    return cast("T", _copied(value))


def _copied(value: Any) -> Any:
    # Leaves, which are most values, are told here rather than in a call each.
    if isinstance(value, dict):
        return {name: _copied(inner) if inner.__class__ in _CONTAINERS else inner for name, inner in value.items()}
    if isinstance(value, list):
        return [_copied(item) if item.__class__ in _CONTAINERS else item for item in value]
    return value
