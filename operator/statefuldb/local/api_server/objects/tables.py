"""Table answers, as kubectl asks for them."""

import re
from datetime import datetime
from typing import Any

from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]


def _column(name: str, path: str, kind: str = "string", priority: int = 0) -> Json:
    return {"name": name, "type": kind, "jsonPath": path, "priority": priority}


_AGE = _column("Age", ".metadata.creationTimestamp", "date")
_COLUMNS: dict[str, tuple[Json, ...]] = {
    "namespaces": (_column("Status", ".status.phase"), _AGE),
    "configmaps": (_column("Data", "count .data", "integer"), _AGE),
    "secrets": (_column("Type", ".type"), _column("Data", "count .data", "integer"), _AGE),
    "serviceaccounts": (_column("Secrets", "count .secrets", "integer"), _AGE),
    "leases.coordination.k8s.io": (_column("Holder", ".spec.holderIdentity"), _AGE),
    "customresourcedefinitions.apiextensions.k8s.io": (_column("Created At", ".metadata.creationTimestamp"),),
    "events": (
        _column("Last Seen", ".lastTimestamp", "date"),
        _column("Type", ".type"),
        _column("Reason", ".reason"),
        _column("Object", "object"),
        _column("Subobject", ".involvedObject.fieldPath", priority=1),
        _column("Source", ".source.component", priority=1),
        _column("Message", ".message"),
        _column("First Seen", ".firstTimestamp", "date", 1),
        _column("Count", ".count", "integer", 1),
        _column("Name", ".metadata.name", priority=1),
    ),
}
_NAME = _column("Name", ".metadata.name")
_FILTER = re.compile(r"\[\?\(@\.(\w+)\s*==\s*[\"'](.*?)[\"']\)\]")
_PART = re.compile(r"\.[\w/-]+|\[\?\(.*?\)\]|\[\d+\]|\['[^']*'\]")
_AGES = (
    (120, 1, "s", 0, ""),
    (600, 60, "m", 1, "s"),
    (3 * 3600, 60, "m", 0, ""),
    (8 * 3600, 3600, "h", 60, "m"),
    (48 * 3600, 3600, "h", 0, ""),
    (8 * 86400, 86400, "d", 3600, "h"),
    (2 * 365 * 86400, 86400, "d", 0, ""),
)


def table(kind: Kind, objects: list[Json], metadata: Json, now: datetime, *, include: str = "Metadata") -> Json:
    """Return the Table of `objects`."""
    columns = kind.columns or _COLUMNS.get(kind.key, (_AGE,))
    if kind.key != "events":
        columns = (_NAME, *columns)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [
            {"cells": [_cell(o, column, now) for column in columns], "object": _shown(o, include)} for o in objects
        ],
    }


def _definition(column: Json) -> Json:
    described = column.get("description") or (
        f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"
    )
    return {
        "name": column["name"],
        "type": column["type"],
        "format": "name" if column is _NAME else column.get("format", ""),
        "description": described,
        "priority": column.get("priority", 0),
    }


def _shown(value: Json, include: str) -> Json | None:
    if include == "None":
        return None
    if include == "Object":
        return value
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]}


def _cell(value: Json, column: Json, now: datetime) -> Any:
    path = column["jsonPath"]
    if path == "object":
        about = value.get("involvedObject") or {}
        return f"{about.get('kind', '').lower()}/{about.get('name', '')}"
    if path.startswith("count "):
        return len(json_path(value, path.removeprefix("count ")) or ())
    found = json_path(value, path)
    if column["type"] == "date":
        if found is None and path == ".lastTimestamp":
            found = value.get("eventTime") or value["metadata"].get("creationTimestamp")
        return age(found, now) if isinstance(found, str) else "<unknown>" if column["name"] == "Age" else None
    return found


def json_path(value: Any, path: str) -> Any:
    """Return what a simple JSON path leads to, or None: names, indices and equality filters."""
    for part in _PART.findall(path):
        match = _FILTER.fullmatch(part)
        if match is not None:
            items = value if isinstance(value, list) else []
            value = next((i for i in items if isinstance(i, dict) and str(i.get(match[1])) == match[2]), None)
        elif part.startswith("['"):
            value = value.get(part[2:-2]) if isinstance(value, dict) else None
        elif part.startswith("["):
            index = int(part[1:-1])
            value = value[index] if isinstance(value, list) and len(value) > index else None
        else:
            value = value.get(part[1:]) if isinstance(value, dict) else None
    return value


def age(text: str, now: datetime) -> str:
    """Return how long ago an RFC 3339 time was, the way kubectl shows it."""
    try:
        seconds = max(0, int((now - datetime.fromisoformat(text.replace("Z", "+00:00"))).total_seconds()))
    except (ValueError, TypeError):
        return "<invalid>"
    for limit, size, unit, inner, inner_unit in _AGES:
        if seconds < limit:
            rest = (seconds % size) // inner if inner else 0
            return f"{seconds // size}{unit}" + (f"{rest}{inner_unit}" if rest else "")
    return f"{seconds // (365 * 86400)}y"
