"""Frozen values of the model as plain JSON, and back without loss.

Driven by the declared types alone: only fields that a type declares are ever written, and what is read must be of the
declared type. A field that holds its default is left out, so that a later version may add fields with defaults.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

TAG = "is"
_PLAIN = (str, int, float, bool)


def encode(kind: Any, value: Any) -> Any:
    """Return `value`, which is of type `kind`, as JSON."""
    return _encoder(kind)(value)


@cache
def _encoder(kind: Any) -> Callable[[Any], Any]:
    """Return what encodes values of a type. A pass is encoded by thousands of them, so each type is read once."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is object or kind in _PLAIN:
        return _as_it_is
    if is_dataclass(kind):
        return lambda value: _encode_fields(kind, value)
    if origin in (UnionType, Union):
        return _union_encoder([option for option in arguments if option is not NoneType])
    if origin is Mapping:
        return _mapping_encoder(*map(_encoder, arguments), by_name=arguments[0] is str)
    if origin is frozenset:
        each_of_set = _encoder(arguments[0])
        return lambda value: sorted(map(each_of_set, value))
    if origin is tuple:
        return _tuple_encoder(arguments)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return str
    raise TypeError(f"{kind} has no JSON form")


def _as_it_is(value: Any) -> Any:
    return value


def _mapping_encoder(
    key: Callable[[Any], Any], held: Callable[[Any], Any], *, by_name: bool
) -> Callable[[Mapping[Any, Any]], Any]:
    if by_name:
        return lambda value: {name: held(each) for name, each in value.items()}
    return lambda value: [[key(name), held(each)] for name, each in value.items()]


def _tuple_encoder(arguments: tuple[Any, ...]) -> Callable[[tuple[Any, ...]], list[Any]]:
    """Return what encodes a `tuple[X, ...]`, or one with a type for each place."""
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        each_alike = _encoder(arguments[0])
        return lambda value: [each_alike(held) for held in value]
    each = [_encoder(argument) for argument in arguments]
    return lambda value: [encoder(held) for encoder, held in zip(each, value, strict=True)]


def _union_encoder(options: list[Any]) -> Callable[[Any], Any]:
    """Return what encodes one of several types, by its name, or the only one that there is; or None."""
    if len(options) == 1:
        only = _encoder(options[0])
        return lambda value: None if value is None else only(value)
    return lambda value: None if value is None else {TAG: type(value).__name__, **_encode_fields(type(value), value)}


def decode(kind: Any, stored: Any) -> Any:
    """Return the value of type `kind` in JSON. Raises ValueError where it is none."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is object:
        return stored
    if kind in _PLAIN:
        return _plain(kind, stored)
    if is_dataclass(kind):
        return _decode_fields(kind, _as(dict, stored))
    if origin in (UnionType, Union):
        return _decode_union(arguments, stored)
    if origin is Mapping:
        key_kind, value_kind = arguments
        pairs = _as(dict, stored).items() if key_kind is str else _as(list, stored)
        return {decode(key_kind, key): decode(value_kind, held) for key, held in pairs}
    if origin is frozenset:
        return frozenset(decode(arguments[0], each) for each in _as(list, stored))
    if origin is tuple:
        listed = _as(list, stored)
        kinds = _kinds(arguments, len(listed))
        return tuple(decode(each_kind, each) for each_kind, each in zip(kinds, listed, strict=True))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(stored)
    raise TypeError(f"{kind} has no JSON form")


def _encode_fields(kind: Any, value: Any) -> dict[str, Any]:
    encoded = {}
    for name, default, encoder in _encoded_fields(kind):
        held = getattr(value, name)
        if held is not default and held != default:
            encoded[name] = encoder(held)
    return encoded


@cache
def _encoded_fields(kind: Any) -> tuple[tuple[str, Any, Callable[[Any], Any]], ...]:
    """Return the fields of a type, each with its default and what encodes it."""
    hints = _hints(kind)
    return tuple((field.name, _default(field), _encoder(hints[field.name])) for field in _fields(kind))


def _decode_fields(kind: Any, stored: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    unknown = sorted(set(stored) - {field.name for field in _fields(kind)} - {TAG})
    if unknown:
        raise ValueError(f"{kind.__name__} has no {', '.join(unknown)}")
    try:
        return kind(**{name: decode(hints[name], held) for name, held in stored.items() if name != TAG})
    except TypeError as error:
        raise ValueError(f"not a {kind.__name__}: {error}") from error


def _decode_union(arguments: tuple[Any, ...], stored: Any) -> Any:
    if stored is None and NoneType in arguments:
        return None
    options = {option.__name__: option for option in arguments if option is not NoneType}
    if len(options) == 1:
        return decode(next(iter(options.values())), stored)
    tag = _as(dict, stored).get(TAG)
    if tag not in options:
        raise ValueError(f"{tag!r} is none of {', '.join(sorted(options))}")
    return _decode_fields(options[tag], stored)


def _plain(kind: Any, stored: Any) -> Any:
    if kind is float and type(stored) is int:
        return float(stored)
    return _as(kind, stored)


def _as(kind: Any, stored: Any) -> Any:
    if type(stored) is not kind:
        raise ValueError(f"{stored!r} is no {kind.__name__}")
    return stored


def _kinds(arguments: tuple[Any, ...], length: int) -> tuple[Any, ...]:
    """Return the type of each element of a tuple: `tuple[X, ...]`, or one type for each place."""
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return (arguments[0],) * length
    return arguments


def _default(field: "Field[Any]") -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


@cache
def _fields(kind: Any) -> tuple["Field[Any]", ...]:
    return fields(kind)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
