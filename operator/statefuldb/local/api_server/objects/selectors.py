"""Label and field selectors."""

import re
from collections.abc import Callable
from typing import Any

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.objects.event_view import from_view
from statefuldb.local.api_server.objects.metadata import check_labels
from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]
Predicate = Callable[[Json], bool]
Test = Callable[[Json], bool]
_NAME = r"[A-Za-z0-9][\w./-]*"
_SET = re.compile(rf"({_NAME})\s+(in|notin)\s*\(([^)]*)\)")
_EQUALITY = re.compile(rf"({_NAME})\s*(!=|==|=)\s*([\w.-]*)")
_ORDER = re.compile(rf"({_NAME})\s*([<>])\s*(-?\d+)")
_PRESENCE = re.compile(rf"(!?)\s*({_NAME})")
_SPLIT = re.compile(r",(?![^(]*\))")


def label_selector(text: str) -> Predicate:
    """Return a predicate over objects. Raises ApiError(400)."""
    tests = [_label_test(part.strip()) for part in _SPLIT.split(text)] if text.strip() else []
    return lambda o: all(test(o["metadata"].get("labels") or {}) for test in tests)


def label_selector_matches(selector: Json, labels: Json) -> bool:
    """Say whether labels match a LabelSelector object (`matchLabels`, `matchExpressions`)."""
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(name) == value for name, value in wanted.items()) and all(
        _expression_holds(expression, labels) for expression in selector.get("matchExpressions") or ()
    )


def _expression_holds(expression: Json, labels: Json) -> bool:
    name, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(name) in values
        case "NotIn":
            return labels.get(name) not in values
        case "Exists":
            return name in labels
    return name not in labels


def _label_test(part: str) -> Test:
    if found := _SET.fullmatch(part):
        _check_requirement(found[1], *(value.strip() for value in found[3].split(",")))
        return _set_test(found[1], found[2], {value.strip() for value in found[3].split(",")})
    if found := _EQUALITY.fullmatch(part):
        name, sign, value = found.groups()
        _check_requirement(name, value)
        return lambda labels: (labels.get(name) == value) is (sign != "!=")
    if found := _ORDER.fullmatch(part):
        return _order_test(found[1], found[2], int(found[3]))
    if found := _PRESENCE.fullmatch(part):
        sign, name = found.groups()
        _check_requirement(name)
        return lambda labels: (name in labels) is not bool(sign)
    words = part.split()
    odd = words[1] if len(words) > 1 else part
    text = f"unable to parse requirement: found '{odd}', expected: in, notin, =, ==, !=, gt, lt"
    raise ApiError(400, text)


def _check_requirement(name: str, *values: str) -> None:
    """Raise ApiError(400) where a name or value is none that a label may have."""
    for value in values or ("",):
        for cause in check_labels({name: value}):
            raise ApiError(400, f"unable to parse requirement: <nil>: {cause['message']}")


def _set_test(name: str, operator: str, values: set[str]) -> Test:
    return lambda labels: (labels.get(name) in values) is (operator == "in")


def _order_test(name: str, sign: str, limit: int) -> Test:
    def test(labels: Json) -> bool:
        value = str(labels.get(name, ""))
        if not value.lstrip("-").isdigit():
            return False
        return int(value) > limit if sign == ">" else int(value) < limit

    return test


def field_selector(text: str, kind: Kind) -> Predicate:
    """Return a predicate over objects. Raises ApiError(400) for a field that is not selectable."""
    tests = []
    for part in filter(None, text.split(",")):
        sign = next((s for s in ("!=", "==", "=") if s in part), None)
        if sign is None:
            raise ApiError(400, f"invalid selector: '{text}'; can't understand '{part}'")
        name, _, value = part.partition(sign)
        known = {"metadata.name", *kind.selectable} | ({"metadata.namespace"} if kind.namespaced else set())
        inner = _stored_name(name, kind)
        if inner not in known:
            raise ApiError(400, f"field label not supported: {name}")
        tests.append((inner.split("."), value, sign != "!="))
    return lambda o: all((_value(o, path) == value) is equal for path, value, equal in tests)


def _stored_name(name: str, kind: Kind) -> str:
    """Return the name of a field as it is stored: events.k8s.io selects by its own names."""
    if not kind.storage:
        return name
    first, dot, rest = name.partition(".")
    return next(iter(from_view({first: None}))) + dot + rest


def _value(value: Any, path: list[str]) -> str:
    if path == ["source"]:
        path = ["source", "component"]
    for part in path:
        value = value.get(part, "") if isinstance(value, dict) else ""
    return str(value).lower() if isinstance(value, bool) else str(value)
