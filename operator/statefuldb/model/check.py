"""Checking a value against a structural schema: every error with its path, its value and what is allowed."""

import difflib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence

from statefuldb.model.errors import FieldError
from statefuldb.model.quantity import PATTERN
from statefuldb.model.schema.database import PATH_PATTERN


def shown(value: object) -> str:
    """Return a value as JSON, shortened where it is long."""
    rendered = json.dumps(value, default=str)
    return rendered if len(rendered) <= 80 else rendered[:77] + "..."


def check(value: object, schema: Mapping[str, object], path: str) -> Iterator[FieldError]:
    """Yield every way in which `value` at `path` does not fit `schema`."""
    if schema.get("x-kubernetes-preserve-unknown-fields") and "properties" not in schema:
        return
    if schema.get("x-kubernetes-int-or-string"):
        yield from _int_or_string(value, schema, path)
        return
    match schema.get("type"):
        case "object":
            yield from _object(value, schema, path)
        case "array":
            yield from _array(value, schema, path)
        case "string":
            yield from _string(value, schema, path)
        case "integer":
            yield from _integer(value, schema, path)
        case "boolean":
            if not isinstance(value, bool):
                yield _invalid(path, value, "true or false")
        case "number":
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _NUMBER_MAX:
                yield _invalid(path, value, "a number")
        case _:
            return


def _invalid(path: str, value: object, allowed: str, fix: str = "") -> FieldError:
    return FieldError(path=path, value=shown(value), allowed=allowed, fix=fix)


def _no_text(value: object, schema: Mapping[str, object], path: str, allowed: str) -> FieldError:
    """Return the error of what is no text. YAML may have made it of one (10.11, yes) that would do in quotes."""
    if not isinstance(value, bool | int | float):
        return _invalid(path, value, allowed)
    quoted = next(_string(json.dumps(value), schema, path), None)
    return _invalid(path, value, quoted.allowed) if quoted else _invalid(path, value, allowed, "put it in quotes")


def _object(value: object, schema: Mapping[str, object], path: str) -> Iterator[FieldError]:
    if not isinstance(value, Mapping):
        yield _invalid(path, value, "an object")
        return
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping):
        for name, item in value.items():
            yield from check(item, values, f"{path}.{name}")
        return
    properties = schema.get("properties", {})
    assert isinstance(properties, Mapping)
    for name, item in value.items():
        if name in properties:
            yield from check(item, properties[name], f"{path}.{name}")
        elif not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield _unknown(f"{path}.{name}", item, str(name), properties)
    required = schema.get("required", [])
    assert isinstance(required, Sequence)
    for name in required:
        if name not in value:
            yield FieldError(path=f"{path}.{name}", value="absent", allowed="it must be set", reason="Required")


def _unknown(path: str, value: object, name: str, properties: Mapping[str, object]) -> FieldError:
    near = difflib.get_close_matches(name, properties, n=1)
    return FieldError(
        path=path,
        value=shown(value),
        allowed=f"known fields are {', '.join(sorted(properties))}",
        fix=f"did you mean {near[0]}?" if near else "remove it",
        reason="Unknown",
    )


def _array(value: object, schema: Mapping[str, object], path: str) -> Iterator[FieldError]:
    if not isinstance(value, list | tuple):
        yield _invalid(path, value, "a list")
        return
    limit = schema.get("maxItems")
    if isinstance(limit, int) and len(value) > limit:
        yield _invalid(path, value, f"at most {limit} items")
    items = schema.get("items", {})
    assert isinstance(items, Mapping)
    for index, item in enumerate(value):
        yield from check(item, items, f"{path}[{index}]")


def _string(value: object, schema: Mapping[str, object], path: str) -> Iterator[FieldError]:
    if not isinstance(value, str):
        yield _no_text(value, schema, path, "a string")
        return
    allowed = schema.get("enum")
    if isinstance(allowed, Sequence) and value not in allowed:
        near = difflib.get_close_matches(value, allowed, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]}?" if near else ""
        yield _invalid(path, value, f"one of {', '.join(allowed)}", fix)
        return
    yield from _text(value, value, schema, path)


def _text(value: object, rendered: str, schema: Mapping[str, object], path: str) -> Iterator[FieldError]:
    longest = schema.get("maxLength")
    if isinstance(longest, int) and len(rendered) > longest:
        yield _invalid(path, value, f"at most {longest} characters")
    pattern = schema.get("pattern")
    # All of it, as the API server reads `$`: here, that would pass over a line's end after it.
    if isinstance(pattern, str) and not re.fullmatch(pattern, rendered):
        yield _invalid(path, value, _IN_WORDS.get(pattern, f"text like {pattern}"))


def _int_or_string(value: object, schema: Mapping[str, object], path: str) -> Iterator[FieldError]:
    if isinstance(value, bool) or not isinstance(value, int | str):
        yield _no_text(value, schema, path, "a whole number or a string")
        return
    yield from _text(value, str(value), schema, path)


def _integer(value: object, schema: Mapping[str, object], path: str) -> Iterator[FieldError]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield _invalid(path, value, "a whole number")
        return
    if not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        yield _invalid(path, value, "a whole number of 64 bits")
        return
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(low, int) and value < low:
        yield _invalid(path, value, f"at least {low}")
    if isinstance(high, int) and value > high:
        yield _invalid(path, value, f"at most {high}")


# Text may say what no API server reads: JSON has no limits, and Python's knows numbers that are none.
_NUMBER_MAX = sys.float_info.max
_INTEGER_LIMIT = 2**63
_IN_WORDS = {
    PATTERN: "a quantity such as 500m, 512Mi or 2Gi, without a space",
    PATH_PATTERN: "an absolute path, of letters, digits and . _ - /",
}
