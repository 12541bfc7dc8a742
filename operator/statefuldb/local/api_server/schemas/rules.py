"""CEL rules of a schema, `x-kubernetes-validations`, evaluated on a value and what it was before."""

import json
from collections.abc import Iterator
from typing import Any

from statefuldb.local.api_server.schemas.cel import CelFailed, evaluate

Json = dict[str, Any]
_INNER, _KEYS = ("items", "additionalProperties"), ("x-kubernetes-list-map-keys",)
_WORDS = {
    "FieldValueInvalid": "Invalid value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
}


def check_rules(value: Any, old: Any, schema: Json, path: str = "") -> Iterator[Json]:
    """Yield a cause for each rule that does not hold; rules about `oldSelf` only where there is an old value."""
    for rule in schema.get("x-kubernetes-validations", []):
        yield from _check(rule, value, old, path)
    if isinstance(value, dict):
        properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
        others = extra if isinstance(extra, dict) else None
        olds = old if isinstance(old, dict) else {}
        for name, item in value.items():
            inner = properties.get(name, others)
            if inner is not None:
                yield from check_rules(item, olds.get(name), inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and schema.get("items"):
        for index, item in enumerate(value):
            before = _before(item, old, schema)
            yield from check_rules(item, before, schema["items"], f"{path}[{index}]")


def rules_of(schema: Json) -> Json:
    """Return of a schema what leads to its rules; nothing where it has none."""
    found = {name: schema[name] for name in ("x-kubernetes-validations",) if schema.get(name)}
    properties = {name: rules_of(inner) for name, inner in schema.get("properties", {}).items()}
    inner = {name: rules_of(schema[name]) for name in _INNER if isinstance(schema.get(name), dict)}
    parts = {"properties": {name: part for name, part in properties.items() if part}, **inner}
    found |= {name: part for name, part in parts.items() if part}
    return {**found, **{name: schema[name] for name in _KEYS if name in schema}} if found else {}


def _before(item: Any, old: Any, schema: Json) -> Any:
    """Return the old item with the same keys: only keyed lists can be compared item by item."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if not keys or not isinstance(old, list) or not isinstance(item, dict):
        return None
    return next((o for o in old if isinstance(o, dict) and all(o.get(k) == item.get(k) for k in keys)), None)


def _check(rule: Json, value: Any, old: Any, path: str) -> Iterator[Json]:
    transition = "oldSelf" in rule["rule"]
    if transition and old is None and not rule.get("optionalOldSelf"):
        return
    variables = {"self": value, **({"oldSelf": old} if transition else {})}
    field = (path + rule.get("fieldPath", "")).lstrip(".") or "<nil>"
    reason = rule.get("reason", "FieldValueInvalid")
    try:
        if evaluate(rule["rule"], variables) is True:
            return
        text = _text(rule, variables)
        if reason == "FieldValueInvalid" and not isinstance(value, dict | list):
            text = f"{json.dumps(value)}: {text}"
    except CelFailed as error:
        kind = "object" if isinstance(value, dict) else "array" if isinstance(value, list) else str(value)
        text, field, reason = f'"{kind}": {error} evaluating rule: {rule["rule"]}', path or "<nil>", "FieldValueInvalid"
    yield {"reason": reason, "message": f"{_WORDS.get(reason, 'Invalid value')}: {text}", "field": field}


def _text(rule: Json, variables: Json) -> str:
    expression = rule.get("messageExpression")
    if expression:
        try:
            return str(evaluate(expression, variables))
        except CelFailed:
            pass
    return str(rule.get("message") or f"failed rule: {rule['rule']}")
