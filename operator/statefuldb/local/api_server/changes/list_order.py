"""In which order an apply leaves the items of sets and keyed lists."""

from collections.abc import Sequence
from typing import Any

from statefuldb.local.api_server.changes.fields import METADATA, below, element_of, owned_whole

Json = dict[str, Any]


def put_in_order(merged: Json, live: Json, wanted: Json, schema: Json | None) -> None:
    """Bring all lists that are merged item by item, and in which something is applied, into their order, in place."""
    for name, applied in wanted.items():
        inner = METADATA if name == "metadata" else below(schema or {}, name)
        _visit(merged.get(name), live.get(name), applied, inner)


def ordered(before: Sequence[str], applied: Sequence[str]) -> list[str]:
    """Return the order of items: those of `before`, and those that were `applied`, which come in their own order.

    An item that is not applied stays ahead of the next one that was behind it, as far as that goes.
    """
    mine, places = set(applied), {item: place for place, item in enumerate(before)}
    order: list[str] = []
    at = 0
    for item in applied:
        while at < len(before) and before[at] not in mine:
            order.append(before[at])
            at += 1
        if places.get(item, -1) >= at:
            order += [other for other in before[at : places[item]] if other not in mine]
            at = places[item] + 1
        order.append(item)
    return order + [other for other in before[at:] if other not in mine]


def _visit(merged: Any, live: Any, applied: Any, schema: Json) -> None:
    if isinstance(applied, dict) and isinstance(merged, dict) and not owned_whole(schema):
        before = live if isinstance(live, dict) else {}
        for name, inner in applied.items():
            _visit(merged.get(name), before.get(name), inner, below(schema, name))
    elif isinstance(applied, list) and isinstance(merged, list) and _is_merged(schema):
        present, before, wanted = (
            {element_of(item, schema): item for item in each or ()} for each in (merged, live, applied)
        )
        for element, item in wanted.items():
            _visit(present.get(element), before.get(element), item, schema.get("items", {}))
        order = ordered([*before], [*wanted])
        merged[:] = [present[element] for element in order if element in present]


def _is_merged(schema: Json) -> bool:
    return schema.get("x-kubernetes-list-type") in ("map", "set")
