"""Structural schemas at work: pruning, defaulting, validating (Kubernetes docs, custom-resource-definitions)."""

import copy
import re
from collections.abc import Iterator
from typing import Any

from statefuldb.local.api_server.cel import CelFailed, evaluate

Json = dict[str, Any]
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
}


def prune(value: Any, schema: Json, path: str = "") -> list[str]:
    """Remove unknown fields in place; return their paths."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return []
    removed: list[str] = []
    if isinstance(value, dict):
        properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
        for name in list(value):
            inner = f"{path}.{name}".lstrip(".")
            if name in properties:
                if not (path == "" and name == "metadata"):
                    removed += prune(value[name], properties[name], inner)
            elif isinstance(extra, dict):
                removed += prune(value[name], extra, inner)
            elif extra is not True and not (path == "" and name in ("apiVersion", "kind", "metadata")):
                removed.append(inner)
                del value[name]
    elif isinstance(value, list):
        for index, item in enumerate(value):
            removed += prune(item, schema.get("items", {}), f"{path}[{index}]")
    return removed


def default(value: Any, schema: Json) -> None:
    """Fill in defaults in place."""
    if isinstance(value, dict):
        for name, inner in schema.get("properties", {}).items():
            if "default" in inner and (name not in value or (value[name] is None and not inner.get("nullable"))):
                value[name] = copy.deepcopy(inner["default"])
            if name in value:
                default(value[name], inner)
    elif isinstance(value, list):
        for item in value:
            default(item, schema.get("items", {}))


def validate(value: Any, schema: Json, path: str = "") -> Iterator[Json]:
    """Yield a cause for each way in which `value` does not fit."""
    if value is None and schema.get("nullable"):
        return
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, int | str):
            yield _cause("FieldValueTypeInvalid", path, value, "must be of type integer or string")
            return
    elif not _fits_type(value, schema.get("type")):
        kind = schema.get("type")
        yield _cause("FieldValueTypeInvalid", path, value, f'{path} in body must be of type {kind}: "{_type(value)}"')
        return
    if "enum" in schema and value not in schema["enum"]:
        supported = ", ".join(f'"{item}"' for item in schema["enum"])
        yield {
            "reason": "FieldValueNotSupported",
            "message": f'Unsupported value: "{value}": supported values: {supported}',
            "field": path,
        }
    if isinstance(value, dict):
        yield from _validate_object(value, schema, path)
    elif isinstance(value, list):
        yield from _validate_list(value, schema, path)
    else:
        yield from _validate_scalar(value, schema, path)


def check_rules(value: Any, old: Any, schema: Json, path: str = "") -> Iterator[Json]:
    """Yield a cause for each CEL rule that does not hold; rules about `oldSelf` only where there is an old value."""
    for rule in schema.get("x-kubernetes-validations", []):
        transition = "oldSelf" in rule["rule"]
        if transition and old is None:
            continue
        try:
            holds = evaluate(rule["rule"], {"self": value, **({"oldSelf": old} if transition else {})})
        except CelFailed as error:
            yield {"reason": "FieldValueInvalid", "message": f"rule failed: {error}", "field": path}
            continue
        if holds is not True:
            yield _cause("FieldValueInvalid", path, value, rule.get("message") or f"failed rule: {rule['rule']}")
    if isinstance(value, dict):
        olds = old if isinstance(old, dict) else {}
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from check_rules(value[name], olds.get(name), inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from check_rules(item, None, schema.get("items", {}), f"{path}[{index}]")


def _fits_type(value: Any, kind: str | None) -> bool:
    if kind is None:
        return True
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _type(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null")


def _validate_object(value: Json, schema: Json, path: str) -> Iterator[Json]:
    for name in schema.get("required", []):
        if name not in value:
            field = f"{path}.{name}".lstrip(".")
            yield {"reason": "FieldValueRequired", "message": "Required value", "field": field}
    limit = schema.get("maxProperties")
    if limit is not None and len(value) > limit:
        yield _cause("FieldValueTooMany", path, len(value), f"must have at most {limit} items")
    extra = schema.get("additionalProperties")
    for name, item in value.items():
        inner = schema.get("properties", {}).get(name, extra if isinstance(extra, dict) else None)
        if inner is not None:
            yield from validate(item, inner, f"{path}.{name}".lstrip("."))


def _validate_list(value: list[Any], schema: Json, path: str) -> Iterator[Json]:
    limit = schema.get("maxItems")
    if limit is not None and len(value) > limit:
        yield _cause("FieldValueTooMany", path, len(value), f"must have at most {limit} items")
    keys = schema.get("x-kubernetes-list-map-keys")
    seen: list[Any] = []
    for index, item in enumerate(value):
        yield from validate(item, schema.get("items", {}), f"{path}[{index}]")
        if keys and isinstance(item, dict):
            identity = {key: item.get(key) for key in keys}
            if identity in seen:
                yield {
                    "reason": "FieldValueDuplicate",
                    "message": f"Duplicate value: {identity}",
                    "field": f"{path}[{index}]",
                }
            seen.append(identity)


def _validate_scalar(value: Any, schema: Json, path: str) -> Iterator[Json]:
    text = str(value)
    if "maxLength" in schema and len(text) > schema["maxLength"]:
        yield _cause("FieldValueTooLong", path, value, f"may not be more than {schema['maxLength']} bytes")
    if "minLength" in schema and len(text) < schema["minLength"]:
        yield _cause(
            "FieldValueInvalid", path, value, f"{path} in body should be at least {schema['minLength']} chars long"
        )
    if "pattern" in schema and not re.search(schema["pattern"], text):
        yield _cause("FieldValueInvalid", path, value, f"{path} in body should match '{schema['pattern']}'")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"]:
            yield _cause(
                "FieldValueInvalid",
                path,
                value,
                f"{path} in body should be greater than or equal to {schema['minimum']}",
            )
        if "maximum" in schema and value > schema["maximum"]:
            yield _cause(
                "FieldValueInvalid", path, value, f"{path} in body should be less than or equal to {schema['maximum']}"
            )


def _cause(reason: str, path: str, value: Any, text: str) -> Json:
    shown = f'"{value}"' if isinstance(value, str) else "object" if isinstance(value, dict | list) else str(value)
    kind = "Too long" if reason == "FieldValueTooLong" else "Invalid value"
    return {"reason": reason, "message": f"{kind}: {shown}: {text}", "field": path or "<nil>"}
