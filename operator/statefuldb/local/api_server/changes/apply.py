"""Server-side apply: who owns which field, conflicts, force (Kubernetes docs, server-side-apply).

Ownership is held in `metadata.managedFields`, one entry for each manager, operation and subresource.
"""

from collections.abc import Sequence
from typing import Any

from statefuldb.local.api_server.changes import fields
from statefuldb.local.api_server.changes.fields import Path
from statefuldb.local.api_server.changes.list_order import put_in_order
from statefuldb.local.api_server.changes.ownership import owned_after, touched
from statefuldb.local.api_server.copying import copied
from statefuldb.local.api_server.errors import ApiError

Json = dict[str, Any]


def apply(
    live: Json | None,
    wanted: Json,
    *,
    manager: str,
    force: bool,
    now: str,
    subresource: str = "",
    schema: Json | None = None,
) -> Json:
    """Return the object after an apply. Raises ApiError(409) where another manager owns a field with another value."""
    entries = _entries(live) or _of_all(live, now, schema)
    mine = _entry(entries, manager, "Apply", subresource)
    owned = {id(entry): set(fields.read(entry["fieldsV1"])) for entry in entries}
    before = owned[id(mine)] if mine else set()
    given = set(fields.paths_of(wanted, schema))
    # A set or a keyed list is its items': where there are none, nobody owns it.
    after = {path for path in given if fields.get(wanted, path) != [] or not fields.merges([], path, schema)}
    merged = copied(live) if live is not None else {}
    conflicts = []
    changed = [path for path in sorted(after, key=_told) if _changes(merged, wanted, path, schema)]
    for path in changed:
        for other in (entry for entry in entries if entry is not mine):
            if path in owned[id(other)]:
                conflicts.append((other, path))
                owned[id(other)].discard(path)
    if conflicts and not force:
        raise _conflict(conflicts)
    others = {path for entry in entries if entry is not mine for path in owned[id(entry)]}
    kept = {path[:length] for path in others for length in range(1, len(path) + 1)}
    for path in sorted(before - after):
        if path not in kept and fields.get(merged, path) is not fields.ABSENT:
            fields.remove(merged, path)
    for path in sorted(given):
        if _changes(merged, wanted, path, schema) or fields.get(merged, path) is fields.ABSENT:
            fields.put(merged, path, copied(fields.get(wanted, path)))
    put_in_order(merged, live or {}, wanted, schema)
    merged["apiVersion"], merged["kind"] = wanted["apiVersion"], wanted["kind"]
    merged.setdefault("metadata", {}).setdefault("name", wanted["metadata"].get("name"))
    for entry in entries:
        entry["fieldsV1"] = fields.write(owned[id(entry)])
    time = now if live is None or merged != live else (mine or {}).get("time", "")
    entries = [e for e in entries if e is not mine and e["fieldsV1"]]
    if after:
        entries.append(_new_entry(manager, "Apply", wanted["apiVersion"], fields.write(after), time, subresource))
    merged["metadata"]["managedFields"] = sorted(entries, key=_order)
    if not entries:
        del merged["metadata"]["managedFields"]
    return merged


def _told(path: Path) -> tuple[tuple[bool, str], ...]:
    """Return where a path comes in a conflict: what a part itself owns comes before what is further down in it."""
    return (*((True, element) for element in path[:-1]), (False, path[-1]))


def _of_all(live: Json | None, now: str, schema: Json | None) -> list[Json]:
    """Return who owns all of an object of which nothing is known, once somebody applies a part of it."""
    if live is None:
        return []
    seen = {**live, "metadata": dict(live["metadata"])}
    track_update(None, seen, manager="before-first-apply", now=now, schema=schema, left_out=("status",))
    return _entries(seen)


def track_update(
    old: Json | None,
    new: Json,
    *,
    manager: str,
    now: str,
    subresource: str = "",
    schema: Json | None = None,
    left_out: Sequence[str] = (),
) -> None:
    """Give `manager` the fields that an ordinary write changed, in place, but for those that are `left_out`.

    A list with an empty entry clears all. Where nothing is known of an object, that stays so.
    """
    entries = _entries(old)
    if new["metadata"].get("managedFields") == [{}] or (old is not None and not entries):
        new["metadata"].pop("managedFields", None)
        return
    written = touched(new, old, schema, left_out)
    mine = _entry(entries, manager, "Update", subresource)
    if mine is None:
        mine = _new_entry(manager, "Update", new["apiVersion"], None, now, subresource)
        entries.append(mine)
    for entry in entries:
        entry["fieldsV1"] = owned_after(entry["fieldsV1"], written, writer=entry is mine)
    if written.changed:
        mine["time"] = now
    entries = [entry for entry in entries if entry["fieldsV1"]]
    if entries:
        new["metadata"]["managedFields"] = sorted(entries, key=_order)
    else:
        new["metadata"].pop("managedFields", None)


def _changes(live: Json, wanted: Json, path: Path, schema: Json | None) -> bool:
    """Say whether applying a path changes what is there. An item, or an empty map, is content with what it finds."""
    value, found = fields.get(wanted, path), fields.get(live, path)
    if value == found:
        return False
    merges = fields.merges(value, path, schema)
    if merges and path[-1].startswith("k:"):
        return False
    return type(value) is not type(found) or not merges


def _entries(value: Json | None) -> list[Json]:
    """Return the entries, to be set anew; the field sets in them are shared, and replaced whole."""
    return [dict(entry) for entry in (value or {}).get("metadata", {}).get("managedFields", [])]


def _entry(entries: list[Json], manager: str, operation: str, subresource: str) -> Json | None:
    for entry in entries:
        if (entry["manager"], entry["operation"], entry.get("subresource", "")) == (manager, operation, subresource):
            return entry
    return None


def _order(entry: Json) -> tuple[str, ...]:
    """Return where the real server puts an entry."""
    return tuple(entry.get(name, "") for name in ("operation", "time", "manager", "apiVersion", "subresource"))


def _new_entry(manager: str, operation: str, version: str, owned: Json | None, now: str, subresource: str) -> Json:
    entry = {
        "manager": manager,
        "operation": operation,
        "apiVersion": version,
        **({"time": now} if now else {}),
        "fieldsType": "FieldsV1",
        "fieldsV1": owned,
    }
    return {**entry, "subresource": subresource} if subresource else entry


def _conflict(conflicts: list[tuple[Json, Path]]) -> ApiError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {_shown(entry)}", "field": fields.shown(path)}
        for entry, path in conflicts
    ]
    if len(causes) == 1:
        text = f"1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        owned: dict[str, list[str]] = {}
        for entry, path in conflicts:
            owned.setdefault(_shown(entry), []).append(f"- {fields.shown(path)}")
        lines = (line for who in sorted(owned) for line in (f"conflicts with {who}:", *owned[who]))
        text = f"{len(causes)} conflicts: " + "\n".join(lines)
    return ApiError(409, f"Apply failed with {text}", details={"causes": causes})


def _shown(entry: Json) -> str:
    """Return who owns something, as a conflict names them."""
    part = f' with subresource "{entry["subresource"]}"' if entry.get("subresource") else ""
    version = f" using {entry['apiVersion']}" if entry["operation"] == "Update" else ""
    return f'"{entry["manager"]}"{part}{version}'
