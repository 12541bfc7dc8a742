"""The Common Expression Language, by celpy; each expression is compiled once."""

import json
import re
from functools import lru_cache
from typing import Any

import celpy
from celpy.evaluation import CELEvalError

_REFERENCE = re.compile(r"(?<![\w.])([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*)\b(?!\s*\())?(?:\.([A-Za-z_]\w*)\b(?!\s*\())?")


class CelFailed(Exception):
    """An expression could not be compiled or evaluated."""


@lru_cache(maxsize=512)
def _program(expression: str) -> Any:
    environment = celpy.Environment()
    return environment.program(environment.compile(expression))


def check_syntax(expression: str) -> None:
    """Raise CelFailed where an expression does not compile."""
    try:
        _program(expression)
    except (CELEvalError, celpy.CELParseError, TypeError, ValueError, KeyError) as error:
        raise CelFailed(str(error)) from error


def evaluate(expression: str, variables: dict[str, Any]) -> Any:
    """Return the value of an expression over JSON variables: a bool for rules. Raises CelFailed."""
    # Of what an expression looks at, most is the same in one write after the other: what was evaluated is remembered.
    used = _used(expression)
    seen = {name: _part(value, used[name]) for name, value in variables.items() if name in used}
    return _evaluated(expression, json.dumps(seen))


@lru_cache(maxsize=512)
def _used(expression: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return what an expression may look at: for each name in it the fields, of one or two steps, that follow it.

    No step is: the whole of it. What is called is no field, and what is only text in the expression does no harm.
    """
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for name, first, second in _REFERENCE.findall(expression):
        found[name] = (*found.get(name, ()), tuple(step for step in (first, second) if step))
    return found


def _part(value: Any, paths: tuple[tuple[str, ...], ...]) -> Any:
    """Return what lies on `paths` in a value."""
    if not isinstance(value, dict) or () in paths:
        return value
    below: dict[str, tuple[tuple[str, ...], ...]] = {}
    for first, *rest in paths:
        if first in value:
            below[first] = (*below.get(first, ()), tuple(rest))
    return {name: _part(value[name], rest) for name, rest in below.items()}


@lru_cache(maxsize=1024)
def _evaluated(expression: str, text: str) -> Any:
    variables = json.loads(text)
    try:
        values = {name: celpy.json_to_cel(value) for name, value in variables.items()}
        result = _program(expression).evaluate(values)
    except (CELEvalError, celpy.CELParseError, TypeError, ValueError, KeyError) as error:
        raise CelFailed(str(error)) from error
    return bool(result) if isinstance(result, celpy.celtypes.BoolType) else result
