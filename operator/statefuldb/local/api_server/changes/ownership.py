"""What an ordinary write changed, as a tree, and what that leaves of who owns what.

A tree, unlike a set of paths, says nothing of what is in the parts that a write left as they were: most of an object.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from statefuldb.local.api_server.changes.fields import ABSENT, METADATA, UNOWNED, below, element_of, owned_whole

Json = dict[str, Any]


@dataclass(slots=True)
class Touched:
    """A part of an object that was written anew.

    `differs` is whether the part itself is another than before, not only what it holds; `holds` is what it holds now,
    by element of a path (fields.py), with None for a dict or list that was taken over.
    """

    differs: bool
    holds: "dict[str, Touched | None]" = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything differs in it."""
        return self.differs or any(part is not None and part.changed for part in self.holds.values())


_ANOTHER, _SAME = Touched(True), Touched(False)


def touched(new: Json, old: Json | None, schema: Json | None, left_out: Sequence[str] = ()) -> Touched:
    """Return what a write touched: all parts that are not those of `old` itself, nor `left_out`.

    What only holds others differs where it has come into being, or is another list; so does an item.
    """
    before = old or {}
    holds: dict[str, Touched | None] = {}
    for name, value in new.items():
        if name == "metadata":
            owned = {inner: part for inner, part in (value or {}).items() if inner not in UNOWNED}
            holds["f:metadata"] = Touched(False, _fields(owned, before.get(name), METADATA))
        elif name in left_out:
            holds[f"f:{name}"] = None
        elif name not in ("apiVersion", "kind"):
            holds |= _fields({name: value}, before, schema or {})
    return Touched(False, holds)


def owned_after(tree: Json | None, part: Touched, *, writer: bool) -> Json | None:
    """Return which fields of a part a manager owns after a write, as FieldsV1; None where it owns nothing there.

    `tree` is what it owned before. The `writer` gains what differs, all others lose that.
    """
    if tree is None and not writer:
        return None
    itself = writer if part.differs else tree is not None and (not tree or "." in tree)
    if itself and not part.holds:
        return {}
    held = tree or {}
    inner = {}
    for element, after in part.holds.items():
        left = held.get(element)
        if after is not None:
            left = owned_after(left, after, writer=writer)
        if left is not None:
            inner[element] = left
    if itself and inner:
        inner["."] = {}
    return dict(sorted(inner.items())) if inner or itself else None


def _touched(value: Any, old: Any, schema: Json) -> Touched:
    if isinstance(value, dict) and value and not owned_whole(schema):
        return Touched(not isinstance(old, dict) and "inline" not in schema, _fields(value, old, schema))
    kind = schema.get("x-kubernetes-list-type")
    if isinstance(value, list) and value and kind in ("map", "set"):
        return Touched(not isinstance(old, list), _items(value, old, schema))
    return _SAME if value == old or (not value and _is_emptied(value, old, schema)) else _ANOTHER


def _is_emptied(value: Any, old: Any, schema: Json) -> bool:
    """Say whether only what was in a part has gone: who owns that it is there stays."""
    if isinstance(value, dict):
        return isinstance(old, dict) and not owned_whole(schema)
    return value == [] and isinstance(old, list) and schema.get("x-kubernetes-list-type") in ("map", "set")


def _fields(value: Json, old: Any, schema: Json) -> dict[str, Touched | None]:
    before = old if isinstance(old, dict) else {}
    found: dict[str, Touched | None] = {}
    for name, part in value.items():
        held = before.get(name, ABSENT)
        if part is not held:
            found[f"f:{name}"] = _touched(part, held, below(schema, name))
        else:
            found[f"f:{name}"] = None if isinstance(part, dict | list) else _SAME
    return found


def _items(value: list[Any], old: Any, schema: Json) -> dict[str, Touched | None]:
    before = {element_of(item, schema): item for item in old} if isinstance(old, list) else {}
    elements = {id(item): element for element, item in before.items()}
    found: dict[str, Touched | None] = {}
    for item in value:
        element = elements.get(id(item)) or element_of(item, schema)
        held = before.get(element, ABSENT)
        if item is held:
            found[element] = None
        elif isinstance(item, dict) and owned_whole(schema.get("items", {})):
            found[element] = _SAME if item == held else _ANOTHER
        elif isinstance(item, dict) and schema["x-kubernetes-list-type"] == "map":
            found[element] = Touched(held is ABSENT, _fields(item, held, schema.get("items", {})))
        else:
            found[element] = _ANOTHER if held is ABSENT else _SAME
    return found
