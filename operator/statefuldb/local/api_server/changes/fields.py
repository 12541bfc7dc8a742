"""Field sets: the paths in an object that a manager can own, and their written form, FieldsV1.

An element of a path is written as FieldsV1 writes it: `f:name` for a field, `k:{"name":"a"}` for the item of a keyed
list, `v:"x"` for the member of a set. All other lists are owned whole.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

Json = dict[str, Any]
Path = tuple[str, ...]
ABSENT = object()
_compact = json.JSONEncoder(separators=(",", ":")).encode
UNOWNED = frozenset(
    (
        *("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"),
        *("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"),
    )
)
_TEXTS: Json = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA: Json = {
    "properties": {
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "finalizers": {"x-kubernetes-list-type": "set"},
        "ownerReferences": {
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "items": {"x-kubernetes-map-type": "atomic"},
        },
    }
}


def paths_of(value: Json, schema: Json | None) -> Iterator[Path]:
    """Yield what can be owned in an object, but for what only holds others: leaves and items.

    What holds others counts too where its name is in no schema.
    """
    for name, inner in value.items():
        if name in ("apiVersion", "kind"):
            continue
        if name == "metadata":
            inner = {k: v for k, v in (inner or {}).items() if k not in UNOWNED}
            for path in _paths(inner, METADATA, ("f:metadata",), typed=True):
                if path != ("f:metadata",):
                    yield path
        else:
            yield from _paths(inner, below(schema or {}, name), (f"f:{name}",), typed=schema is not None)


def _paths(value: Any, schema: Json, prefix: Path, *, typed: bool) -> Iterator[Path]:
    if isinstance(value, dict) and value and not owned_whole(schema):
        declared = schema.get("properties", {})
        for name, inner in value.items():
            if typed and name not in declared and isinstance(inner, dict) and inner:
                yield (*prefix, f"f:{name}")
            yield from _paths(inner, below(schema, name), (*prefix, f"f:{name}"), typed=typed)
        return
    kind = schema.get("x-kubernetes-list-type")
    if isinstance(value, list) and value and kind in ("map", "set"):
        for item in value:
            element = element_of(item, schema)
            yield (*prefix, element)
            if kind == "map" and isinstance(item, dict) and not owned_whole(schema.get("items", {})):
                for name, inner in item.items():
                    found = below(schema.get("items", {}), name)
                    yield from _paths(inner, found, (*prefix, element, f"f:{name}"), typed=typed)
        return
    yield prefix


def owned_whole(schema: Json) -> bool:
    """Say whether an object is one to those who own it, whatever is in it."""
    return schema.get("x-kubernetes-map-type") == "atomic"


def below(schema: Json, name: str) -> Json:
    """Return the schema of a field."""
    extra = schema.get("additionalProperties")
    found: Json | None = schema.get("properties", {}).get(name, extra if isinstance(extra, dict) else None)
    return found or {}


def element_of(item: Any, schema: Json) -> str:
    """Return the element of a path that leads to an item of a set or a keyed list."""
    if schema.get("x-kubernetes-list-type") == "set" or not isinstance(item, dict):
        return "v:" + _compact(item)
    keys = schema.get("x-kubernetes-list-map-keys", ())
    if len(keys) == 1 and isinstance(item.get(keys[0]), str):
        return f"k:{{{_compact(keys[0])}:{_compact(item[keys[0]])}}}"  # as below, for less
    return "k:" + _compact({key: item.get(key) for key in sorted(keys)})


@lru_cache(maxsize=4096)
def _wanted(element: str) -> Any:
    return json.loads(element[2:])


def _is_item(item: Any, element: str) -> bool:
    wanted = _wanted(element)
    if element.startswith("v:"):
        return bool(item == wanted)
    return isinstance(item, dict) and all(item.get(key) == value for key, value in wanted.items())


def _step(value: Any, element: str) -> Any:
    if element.startswith("f:"):
        return value.get(element[2:], ABSENT) if isinstance(value, dict) else ABSENT
    items = value if isinstance(value, list) else []
    return next((item for item in items if _is_item(item, element)), ABSENT)


def merges(value: Any, path: Path, schema: Json | None) -> bool:
    """Say whether what is at a path is merged field by field or item by item, rather than owned whole."""
    here: Json = {**(schema or {}), "properties": {**(schema or {}).get("properties", {}), "metadata": METADATA}}
    for element in path:
        here = below(here, element[2:]) if element.startswith("f:") else here.get("items", {})
    if isinstance(value, list):
        return here.get("x-kubernetes-list-type") in ("map", "set")
    return isinstance(value, dict) and not owned_whole(here)


def get(value: Any, path: Path) -> Any:
    """Return what is at a path, or ABSENT."""
    for element in path:
        value = _step(value, element)
        if value is ABSENT:
            return ABSENT
    return value


def put(value: Json, path: Path, leaf: Any) -> None:
    """Set what is at a path, making what holds it; of an item that is there already, it sets the fields of `leaf`."""
    here: Any = value
    for element, following in zip(path, (*path[1:], ""), strict=True):
        last = following == ""
        if element.startswith("f:"):
            name = element[2:]
            if last:
                here[name] = leaf
                return
            wanted = dict if following.startswith("f:") else list
            if not isinstance(here.get(name), wanted):
                here[name] = wanted()
            here = here[name]
            continue
        found = _step(here, element)
        if found is ABSENT:
            found = leaf if last else json.loads(element[2:])
            here.append(found)
        elif last and isinstance(found, dict):
            found.clear()
            found.update(leaf)
        here = found


def remove(value: Any, path: Path) -> None:
    """Remove what is at a path, and what this leaves empty above it."""
    if len(path) == 1:
        if path[0].startswith("f:"):
            value.pop(path[0][2:], None)
        else:
            value[:] = [item for item in value if not _is_item(item, path[0])]
        return
    inner = _step(value, path[0])
    if isinstance(inner, dict | list):
        remove(inner, path[1:])
        if not inner:
            remove(value, path[:1])


def write(paths: set[Path]) -> Json:
    """Return a set of paths as FieldsV1."""
    holders = {path[:length] for path in paths for length in range(1, len(path))}
    tree: Json = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        if path in holders:
            node["."] = {}
    return tree


def read(tree: Json, prefix: Path = ()) -> Iterator[Path]:
    """Yield the paths of a FieldsV1 tree."""
    for element, inner in tree.items():
        if element == ".":
            yield prefix
        elif inner:
            yield from read(inner, (*prefix, element))
        else:
            yield (*prefix, element)


def shown(path: Path) -> str:
    """Return a path as conflicts name it, such as `.spec.users[name="a"].role`."""
    text = ""
    for element in path:
        if element.startswith("f:"):
            text += f".{element[2:]}"
        elif element.startswith("v:"):
            text += f"[={element[2:]}]"
        else:
            keys = json.loads(element[2:]).items()
            text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys) + "]"
    return text
