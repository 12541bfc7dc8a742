"""Copies of JSON values: much cheaper than `copy.deepcopy`, which looks for what JSON never holds."""

from typing import Any, TypeVar, cast

T = TypeVar("T")


def copied(value: T) -> T:
    """Return a copy that shares nothing that can be changed."""
    return cast("T", _copied(value))


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
