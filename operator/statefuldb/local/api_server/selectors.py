"""Label and field selectors."""

import re
from collections.abc import Callable
from typing import Any

from statefuldb.local.api_server.errors import ApiError

Json = dict[str, Any]
Predicate = Callable[[Json], bool]
_SET = re.compile(r"^\s*([\w./-]+)\s+(in|notin)\s+\(([^)]*)\)\s*$")
_SPLIT = re.compile(r",(?![^(]*\))")


def label_selector(text: str) -> Predicate:
    """Return a predicate over objects. Raises ApiError(400)."""
    tests = [_label_test(part.strip()) for part in _SPLIT.split(text) if part.strip()]
    return lambda o: all(test(o["metadata"].get("labels") or {}) for test in tests)


def _label_test(part: str) -> Callable[[Json], bool]:
    found = _SET.match(part)
    if found is not None:
        name, operator, values = found[1], found[2], {v.strip() for v in found[3].split(",")}
        return (
            (lambda labels: labels.get(name) in values)
            if operator == "in"
            else (lambda labels: labels.get(name) not in values)
        )
    for sign in ("!=", "==", "="):
        if sign in part:
            return _equality(part, sign)
    if part.startswith("!"):
        return lambda labels: part[1:].strip() not in labels
    if not re.fullmatch(r"[\w./-]+", part):
        raise ApiError(400, f"unable to parse requirement: {part}")
    return lambda labels: part in labels


def _equality(part: str, sign: str) -> Callable[[Json], bool]:
    name, _, value = (piece.strip() for piece in part.partition(sign))
    if sign == "!=":
        return lambda labels: labels.get(name) != value
    return lambda labels: labels.get(name) == value


def field_selector(text: str, plural: str) -> Predicate:
    """Return a predicate over objects. Raises ApiError(400) for a field that is not selectable."""
    tests = []
    for part in filter(None, text.split(",")):
        sign = "!=" if "!=" in part else "==" if "==" in part else "="
        name, _, value = part.partition(sign)
        selectable = name in ("metadata.name", "metadata.namespace") or plural == "events"
        if not selectable:
            raise ApiError(400, f"field label not supported: {name}")
        tests.append((name.split("."), value, sign != "!="))
    return lambda o: all((_value(o, path) == value) is equal for path, value, equal in tests)


def _value(value: Any, path: list[str]) -> str:
    for part in path:
        value = value.get(part, "") if isinstance(value, dict) else ""
    return str(value)
