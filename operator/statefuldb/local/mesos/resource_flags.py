"""The agent's `--resources` and `--attributes` flags (Mesos docs, attributes-resources)."""

import json
import re
from typing import Any

from statefuldb.local.mesos.resources import InvalidResource

Json = dict[str, Any]


def parse_resources(text: str) -> list[Json]:
    """Return the resources of the flag, in its simple form or as JSON. Raises InvalidResource."""
    if text.lstrip().startswith("["):
        return [_reserved(resource) for resource in json.loads(text)]
    resources = []
    for item in filter(None, (part.strip() for part in text.split(";"))):
        match = re.fullmatch(r"(\w+)(?:\(([^)]*)\))?:(.+)", item)
        if match is None:
            raise InvalidResource(f"Failed to parse resource {item!r}")
        name, role, value = match.groups()
        resources.append(_reserved({"name": name, "role": role or "*", **_value(value)}))
    return resources


def parse_attributes(text: str) -> list[Json]:
    """Return the attributes of the flag: text, scalars and ranges."""
    pairs = (part.partition(":") for part in filter(None, text.split(";")))
    return [{"name": name, **_attribute(value)} for name, _, value in pairs]


def _attribute(value: str) -> Json:
    if re.fullmatch(r"\[.*\]|-?\d+(\.\d+)?", value):
        return _value(value)
    return {"type": "TEXT", "text": {"value": value}}


def _value(value: str) -> Json:
    if value.startswith("["):
        spans = re.findall(r"(\d+)-(\d+)", value)
        return {"type": "RANGES", "ranges": {"range": [{"begin": int(b), "end": int(e)} for b, e in spans]}}
    return {"type": "SCALAR", "scalar": {"value": float(value)}}


def _reserved(resource: Json) -> Json:
    """Return a resource of the flag with its role as a static reservation."""
    role = resource.get("role", "*")
    rest = {k: v for k, v in resource.items() if k not in ("allocation_info", "role")}
    return rest if role == "*" else {**rest, "reservations": [{"type": "STATIC", "role": role}]}
