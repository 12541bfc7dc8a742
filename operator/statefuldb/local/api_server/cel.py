"""The Common Expression Language, by celpy; each expression is compiled once."""

import json
from functools import lru_cache
from typing import Any

import celpy
from celpy.evaluation import CELEvalError


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
    # Most of an object is the same in one write after the other: what was evaluated is remembered.
    return _evaluated(expression, json.dumps(variables))


@lru_cache(maxsize=1024)
def _evaluated(expression: str, text: str) -> Any:
    variables = json.loads(text)
    try:
        values = {name: celpy.json_to_cel(value) for name, value in variables.items()}
        result = _program(expression).evaluate(values)
    except (CELEvalError, celpy.CELParseError, TypeError, ValueError, KeyError) as error:
        raise CelFailed(str(error)) from error
    return bool(result) if isinstance(result, celpy.celtypes.BoolType) else result
