"""Table answers, as kubectl asks for them."""

import re
from datetime import datetime
from typing import Any

from statefuldb.local.api_server.kinds import Kind

Json = dict[str, Any]
_DEFAULT = ({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},)
_EVENT = (
    {"name": "Last Seen", "type": "date", "jsonPath": ".lastTimestamp"},
    {"name": "Type", "type": "string", "jsonPath": ".type"},
    {"name": "Reason", "type": "string", "jsonPath": ".reason"},
    {"name": "Object", "type": "string", "jsonPath": ".involvedObject.name"},
    {"name": "Message", "type": "string", "jsonPath": ".message"},
)
_NAMESPACE = ({"name": "Status", "type": "string", "jsonPath": ".status.phase"}, *_DEFAULT)
_FILTER = re.compile(r"\[\?\(@\.(\w+)==[\"'](.*?)[\"']\)\]")


def table(kind: Kind, objects: list[Json], metadata: Json, now: datetime, *, include: str = "Metadata") -> Json:
    """Return the Table of `objects`."""
    columns = kind.columns or {"events": _EVENT, "namespaces": _NAMESPACE}.get(kind.plural, _DEFAULT)
    definitions = [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}]
    definitions += [
        {
            "name": column["name"],
            "type": column["type"],
            "format": column.get("format", ""),
            "description": column.get("description", ""),
            "priority": column.get("priority", 0),
        }
        for column in columns
    ]
    rows = [
        {
            "cells": [o["metadata"]["name"], *(_cell(o, column, now) for column in columns)],
            "object": _shown(o, include),
        }
        for o in objects
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _shown(value: Json, include: str) -> Json | None:
    if include == "None":
        return None
    if include == "Object":
        return value
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]}


def _cell(value: Json, column: Json, now: datetime) -> Any:
    found = json_path(value, column["jsonPath"])
    if column["type"] == "date" and isinstance(found, str):
        return age(found, now)
    return found


def json_path(value: Any, path: str) -> Any:
    """Return what a simple JSON path leads to, or None: names, indices and equality filters."""
    for part in re.findall(r"\.[\w-]+|\[\?\(.*?\)\]|\[\d+\]", path):
        match = _FILTER.fullmatch(part)
        if match is not None:
            items = value if isinstance(value, list) else []
            value = next((i for i in items if str(i.get(match[1])) == match[2]), None)
        elif part.startswith("["):
            index = int(part[1:-1])
            value = value[index] if isinstance(value, list) and len(value) > index else None
        else:
            value = value.get(part[1:]) if isinstance(value, dict) else None
    return value


def age(text: str, now: datetime) -> str:
    """Return how long ago an RFC 3339 time was, the way kubectl shows it."""
    seconds = max(0, int((now - datetime.fromisoformat(text.replace("Z", "+00:00"))).total_seconds()))
    for limit, unit, size in ((120, "s", 1), (7200, "m", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{seconds // size}{unit}"
    return f"{seconds // 86400}d"
