"""The agent's `--resources` and `--attributes` flags (Mesos docs, attributes-resources)."""

import json
import re
from typing import Any

from statefuldb.local.mesos.resources.multiset import InvalidResource

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
    """Return the attributes of the flag: text, scalars and ranges. Raises InvalidResource, as an agent does not start.

    Blanks vanish, within texts too, as they do in Mesos.
    """
    return [_attribute(part) for part in filter(None, re.sub(r"\s", "", text).split(";"))]


def _attribute(part: str) -> Json:
    name, _, value = part.partition(":")
    if not name or not value:
        raise InvalidResource(f"Invalid attribute key:value pair '{part}'")
    if value.startswith("{"):
        raise InvalidResource(f"Bad type for attribute {name} text {value} type 2")
    if re.fullmatch(r"-\d+(\.\d+)?", value):
        raise InvalidResource(f"Invalid scalar value '{value}':Negative values not supported")
    if re.fullmatch(r"\[.*\]|\d+(\.\d+)?", value):
        return {"name": name, **_value(value)}
    return {"name": name, "type": "TEXT", "text": {"value": value}}


def _value(value: str) -> Json:
    if value.startswith("["):
        spans = re.findall(r"(\d+)-(\d+)", value)
        return {"type": "RANGES", "ranges": {"range": [{"begin": int(b), "end": int(e)} for b, e in spans]}}
    return {"type": "SCALAR", "scalar": {"value": float(value)}}


def _reserved(resource: Json) -> Json:
    """Return a resource of the flag with its role as a static reservation."""
    role = resource.get("role", "*")
    rest = {k: v for k, v in resource.items() if k not in ("allocation_info", "role")}
    if "scalar" in rest:
        rest["scalar"] = {"value": float(rest["scalar"]["value"])}
    return rest if role == "*" else {**rest, "reservations": [{"type": "STATIC", "role": role}]}
