"""Copies of JSON values: much cheaper than `copy.deepcopy`, which looks for what JSON never holds."""

from collections.abc import Iterator
from itertools import chain, repeat
from operator import is_
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


def sharing(new: Any, old: Any) -> Any:
    """Return a copy of `new` in which each part that says the same as in `old` is that part of `old` itself.

    To Python 1, 1.0 and True are equal: here they are not, nor are fields in another order.
    """
    if new.__class__ is not old.__class__:
        return _copied(new)
    if isinstance(new, dict):
        fields = {name: sharing(inner, old[name]) if name in old else _copied(inner) for name, inner in new.items()}
        same = [*fields] == [*old] and all(map(is_, fields.values(), old.values()))
        return old if same else fields
    if isinstance(new, list):
        items = [*map(sharing, new, old), *_copied(new[len(old) :])]
        return old if len(new) == len(old) and all(map(is_, items, old)) else items
    return old if new == old else new


def fields_not_of(old: Any, value: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the fields of `value` that are not those of `old` itself, each with what `old` has there, else None.

    A null is yielded even so: it is not told from what is missing.
    """
    before = old if isinstance(old, dict) else {}
    for name, part in value.items():
        held = before.get(name)
        if part is None or part is not held:
            yield name, part, held


def items_not_of(old: Any, value: list[Any]) -> Iterator[tuple[int, Any, Any]]:
    """Yield the items of `value` that are not those of `old` in the same place, as `fields_not_of` does."""
    befores = chain(old if isinstance(old, list) else (), repeat(None))
    for index, (item, held) in enumerate(zip(value, befores, strict=False)):
        if item is None or item is not held:
            yield index, item, held
