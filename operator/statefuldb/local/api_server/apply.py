"""Server-side apply: who owns which field, conflicts, force (Kubernetes docs, server-side-apply).

Lists are owned whole. Fields are held in `metadata.managedFields` as FieldsV1, one entry for each manager and
operation.
"""

import copy
from collections.abc import Iterator
from typing import Any

from statefuldb.local.api_server.errors import ApiError

Json = dict[str, Any]
Path = tuple[str, ...]
_UNOWNED = {
    ("apiVersion",),
    ("kind",),
    *(
        ("metadata", name)
        for name in (
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "managedFields",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        )
    ),
}
_ABSENT = object()


def paths_of(value: Any, prefix: Path = ()) -> Iterator[Path]:
    """Yield the path of every leaf that can be owned."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            if (*prefix, name) not in _UNOWNED:
                yield from paths_of(inner, (*prefix, name))
    elif prefix:
        yield prefix


def apply(live: Json | None, wanted: Json, *, manager: str, force: bool, now: str, subresource: str = "") -> Json:
    """Return the object after an apply. Raises ApiError(409) where another manager owns a field with another value."""
    entries = copy.deepcopy((live or {}).get("metadata", {}).get("managedFields", []))
    mine = _entry(entries, manager, "Apply", subresource)
    before = set(_read(mine["fieldsV1"])) if mine else set()
    after = set(paths_of(wanted))
    merged = copy.deepcopy(live) if live is not None else {}
    conflicts = []
    for path in sorted(after):
        value = _get(wanted, path)
        for other in entries:
            owned = other is not mine and path in set(_read(other["fieldsV1"]))
            if owned and _get(merged, path) != value:
                conflicts.append((other["manager"], path))
                if force:
                    other["fieldsV1"] = _write(set(_read(other["fieldsV1"])) - {path})
    if conflicts and not force:
        raise _conflict(conflicts)
    others = {path for e in entries if e is not mine for path in _read(e["fieldsV1"])}
    for path in before - after - others:
        _remove(merged, path)
    for path in after:
        _set(merged, path, copy.deepcopy(_get(wanted, path)))
    for name in ("apiVersion", "kind"):
        merged[name] = wanted[name]
    merged.setdefault("metadata", {}).setdefault("name", wanted["metadata"].get("name"))
    entries = [e for e in entries if e is not mine and e["fieldsV1"]]
    entries.append(_new_entry(manager, "Apply", wanted["apiVersion"], after, now, subresource))
    merged["metadata"]["managedFields"] = entries
    return merged


def track_update(old: Json | None, new: Json, *, manager: str, now: str, subresource: str = "") -> None:
    """Give `manager` the fields that an ordinary write changed, in place."""
    entries = copy.deepcopy((old or {}).get("metadata", {}).get("managedFields", []))
    present = set(paths_of(new))
    changed = {path for path in present if _get(old or {}, path) != _get(new, path)}
    for entry in entries:
        fields = set(_read(entry["fieldsV1"]))
        mine = entry["manager"] == manager and entry["operation"] == "Update"
        entry["fieldsV1"] = _write((fields & present) if mine else (fields & present) - changed)
    mine = _entry(entries, manager, "Update", subresource)
    if changed and mine is not None:
        mine["fieldsV1"] = _write(set(_read(mine["fieldsV1"])) | changed)
        mine["time"] = now
    elif changed:
        entries.append(_new_entry(manager, "Update", new["apiVersion"], changed, now, subresource))
    new["metadata"]["managedFields"] = [e for e in entries if e["fieldsV1"]]


def _entry(entries: list[Json], manager: str, operation: str, subresource: str) -> Json | None:
    for entry in entries:
        if (entry["manager"], entry["operation"], entry.get("subresource", "")) == (manager, operation, subresource):
            return entry
    return None


def _new_entry(manager: str, operation: str, version: str, paths: set[Path], now: str, subresource: str) -> Json:
    entry = {
        "manager": manager,
        "operation": operation,
        "apiVersion": version,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": _write(paths),
    }
    return {**entry, "subresource": subresource} if subresource else entry


def _conflict(conflicts: list[tuple[str, Path]]) -> ApiError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}"', "field": "." + ".".join(path)}
        for manager, path in conflicts
    ]
    count = f"{len(causes)} conflict{'s' if len(causes) > 1 else ''}"
    text = ", ".join(f"{c['message']}: {c['field']}" for c in causes)
    return ApiError(409, f"Apply failed with {count}: {text}", details={"causes": causes})


def _write(paths: set[Path]) -> Json:
    tree: Json = {}
    for path in sorted(paths):
        node = tree
        for part in path:
            node = node.setdefault(f"f:{part}", {})
    return tree


def _read(tree: Json, prefix: Path = ()) -> Iterator[Path]:
    for name, inner in tree.items():
        path = (*prefix, name.removeprefix("f:"))
        if inner:
            yield from _read(inner, path)
        else:
            yield path


def _get(value: Any, path: Path) -> Any:
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return _ABSENT
        value = value[part]
    return value


def _set(value: Json, path: Path, leaf: Any) -> None:
    for part in path[:-1]:
        inner = value.get(part)
        if not isinstance(inner, dict):
            inner = value[part] = {}
        value = inner
    value[path[-1]] = leaf


def _remove(value: Json, path: Path) -> None:
    """Remove a leaf, and the objects above it that it leaves empty."""
    inner = value.get(path[0])
    if len(path) == 1:
        value.pop(path[0], None)
    elif isinstance(inner, dict):
        _remove(inner, path[1:])
        if not inner:
            del value[path[0]]
