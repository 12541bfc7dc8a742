"""Does a value fit its schema? Each way in which it does not is one cause, in the words of the real server."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from statefuldb.local.api_server.copying import fields_not_of, items_not_of
from statefuldb.local.api_server.errors import required

Json = dict[str, Any]
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "integer": (int,),
}
_JUNCTORS = frozenset(("allOf", "anyOf", "oneOf", "not"))
_TO_THE_END = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\$")
_RANGES = {"int32": 2**31, "int64": 2**63}


def validate(value: Any, schema: Json, old: Any = None, path: str = "") -> Iterator[Json]:
    """Yield a cause for each way in which `value` does not fit; parts that are those of `old` itself are not judged."""
    if value is None and schema.get("nullable"):
        return
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, int | str):
            yield _wrong_type(value, path, "integer,string")
            return
    elif not _fits_type(value, schema.get("type")):
        yield _wrong_type(value, path, str(_named_type(value, schema)))
    if "enum" in schema and value not in schema["enum"]:
        supported = ", ".join(json.dumps(item) for item in schema["enum"])
        message = f"Unsupported value: {shown_value(value)}: supported values: {supported}"
        yield {"reason": "FieldValueNotSupported", "message": message, "field": path}
    if isinstance(value, dict):
        yield from _validate_object(value, schema, old, path)
    elif isinstance(value, list):
        yield from _validate_list(value, schema, old, path)
    elif isinstance(value, str):
        yield from _validate_text(value, schema, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _validate_number(value, schema, path)
    yield from _validate_junctors(value, schema, path)


def duplicates(value: Any, schema: Json, old: Any = None, path: str = "") -> Iterator[Json]:
    """Yield a cause for each item that a set or a keyed list has twice, but not in parts that are those of `old`."""
    if isinstance(value, dict):
        properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
        others = extra if isinstance(extra, dict) else None
        for name, item, before in fields_not_of(old, value):
            inner = properties.get(name, others)
            if inner is not None and isinstance(item, dict | list):
                yield from duplicates(item, inner, before, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys", ())
        seen: list[Any] = []
        befores = {i: before for i, item, before in items_not_of(old, value) if isinstance(item, dict | list)}
        for index, item in enumerate(value):
            identity = {key: item.get(key) for key in keys} if kind == "map" and isinstance(item, dict) else item
            if kind in ("map", "set") and identity in seen:
                text = json.dumps(identity, separators=(",", ":"))
                message = f"Duplicate value: {text}"
                yield {"reason": "FieldValueDuplicate", "message": message, "field": f"{path}[{index}]"}
            seen.append(identity)
            if index in befores:
                yield from duplicates(item, schema.get("items", {}), befores[index], f"{path}[{index}]")


def too_long(path: str, limit: int) -> Json:
    """Return the cause for a text that is too long."""
    message = f"Too long: may not be more than {limit} bytes"
    return {"reason": "FieldValueTooLong", "message": message, "field": path}


def shown_value(value: Any) -> str:
    """Return a value as causes name it."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else json.dumps(value, separators=(",", ":"))


def _fits_type(value: Any, kind: str | None) -> bool:
    if kind is None:
        return True
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _named_type(value: Any, schema: Json) -> str:
    return str(schema.get("format", schema["type"]) if isinstance(value, float) else schema["type"])


def _wrong_type(value: Any, path: str, kind: str) -> Json:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    given = names.get(type(value), "null")
    if isinstance(value, float):
        given = "float64" if kind in _RANGES else "number"
    message = f'Invalid value: "{given}": {path} in body must be of type {kind}: "{given}"'
    return {"reason": "FieldValueTypeInvalid", "message": message, "field": path}


def _validate_object(value: Json, schema: Json, old: Any, path: str) -> Iterator[Json]:
    for name in schema.get("required", []):
        if name not in value:
            yield required(f"{path}.{name}".lstrip("."))
    yield from _count(value, schema, path, "Properties", "properties")
    properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
    others = extra if isinstance(extra, dict) else None
    for name, item, before in fields_not_of(old, value):
        inner = properties.get(name, others)
        if inner is not None:
            yield from validate(item, inner, before, f"{path}.{name}".lstrip("."))


def _validate_list(value: list[Any], schema: Json, old: Any, path: str) -> Iterator[Json]:
    yield from _count(value, schema, path, "Items", "items")
    for index, item, before in items_not_of(old, value):
        yield from validate(item, schema.get("items", {}), before, f"{path}[{index}]")


def _count(value: Json | list[Any], schema: Json, path: str, what: str, word: str) -> Iterator[Json]:
    most, least = schema.get(f"max{what}"), schema.get(f"min{what}")
    if most is not None and len(value) > most:
        message = f"Too many: {len(value)}: must have at most {most} items"
        yield {"reason": "FieldValueTooMany", "message": message, "field": path}
    if least is not None and len(value) < least:
        yield _not(path, str(len(value)), f"should have at least {least} {word}")


def _validate_text(value: str, schema: Json, path: str) -> Iterator[Json]:
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield too_long(path, schema["maxLength"])
    elif "minLength" in schema and len(value) < schema["minLength"]:
        yield _not(path, json.dumps(value), f"should be at least {schema['minLength']} chars long")
    elif "pattern" in schema and not _pattern(schema["pattern"]).search(value):
        yield _not(path, json.dumps(value), f"should match '{schema['pattern']}'")
    if schema.get("format") == "date-time" and not is_time(value):
        shown = json.dumps(value)
        yield _not(path, shown, f"must be of type date-time: {shown}")


@lru_cache(maxsize=512)
def _pattern(written: str) -> re.Pattern[str]:
    """Return a pattern as the real server reads it: `$` is the end of a text, and no line's end before that."""
    return re.compile(_TO_THE_END.sub(lambda found: found[1] or r"\Z", written))


def is_time(value: str) -> bool:
    """Say whether a text is a time with its zone (RFC 3339)."""
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False


def _validate_number(value: int | float, schema: Json, path: str) -> Iterator[Json]:
    shown = shown_value(value)
    limit = _RANGES.get(schema.get("format", ""))
    if limit is not None and not -limit <= value < limit:
        message = f"Checked value must be of type integer with format {schema['format']} in {path}"
        yield {"reason": "FieldValueInvalid", "message": f'Invalid value: "": {message}', "field": "<nil>"}
    if "minimum" in schema:
        least, open_end = schema["minimum"], schema.get("exclusiveMinimum")
        if value < least or (open_end and value == least):
            yield _not(path, shown, f"should be greater than {'' if open_end else 'or equal to '}{least}")
    if "maximum" in schema:
        most, open_end = schema["maximum"], schema.get("exclusiveMaximum")
        if value > most or (open_end and value == most):
            yield _not(path, shown, f"should be less than {'' if open_end else 'or equal to '}{most}")
    if "multipleOf" in schema and value % schema["multipleOf"]:
        yield _not(path, shown, f"should be a multiple of {schema['multipleOf']}")


def _validate_junctors(value: Any, schema: Json, path: str) -> Iterator[Json]:
    if _JUNCTORS.isdisjoint(schema):
        return
    for part in schema.get("allOf", ()):
        yield from validate(value, part, path=path)
    for word, text in (("anyOf", "at least one schema (anyOf)"), ("oneOf", "one and only one schema (oneOf)")):
        parts = schema.get(word)
        if parts:
            fitting = sum(1 for part in parts if not list(validate(value, part, path=path)))
            if fitting == 0 or (word == "oneOf" and fitting > 1):
                yield _not(path, '""', f"must validate {text}")
    if "not" in schema and not list(validate(value, schema["not"], path=path)):
        yield _not(path, '""', "must not validate the schema (not)")


def _not(path: str, shown: str, text: str) -> Json:
    return {
        "reason": "FieldValueInvalid",
        "message": f"Invalid value: {shown}: {path} in body {text}",
        "field": path or "<nil>",
    }
