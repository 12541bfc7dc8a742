"""A recorded pass reads back as it was written, whatever it holds; and nothing in it has room for a secret."""

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import partial
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statefuldb.model.codec import decode, encode
from statefuldb.model.observed import DatabaseObject, TaskStatus
from statefuldb.model.recording import Recording

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    object: JSON,
    str: st.text(max_size=8),
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    NoneType: st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Return any value of a type of the model."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if is_dataclass(kind):
        held = {name: values(hint) for name, hint in get_type_hints(kind).items()}
        required = {f.name: held.pop(f.name) for f in fields(kind) if _required(f)}
        return st.fixed_dictionaries(required, optional=held).map(partial(_made, kind))
    if origin is UnionType:
        return st.one_of(*(values(each) for each in arguments))
    if origin is Mapping:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=2)
    if origin is frozenset:
        return st.frozensets(values(arguments[0]))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(each) for each in arguments))
    assert issubclass(kind, StrEnum), kind
    return st.sampled_from(list(kind))


def _made(kind: Any, held: dict[str, Any]) -> Any:
    return kind(**held)


def _required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(values(Recording))
def test_a_pass_reads_back_as_it_was_written(recording: Recording) -> None:
    text = json.dumps(encode(Recording, recording))
    assert decode(Recording, json.loads(text)) == recording


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"id": {"uid": "u", "ordinal": 0, "incarnation": 1}, "state": "TASK_ODD", "agent_id": None}, "TASK_ODD"),
        ({"state": "TASK_RUNNING", "agent_id": None}, "id"),
        ({"id": {"uid": 3, "ordinal": 0, "incarnation": 1}}, "3 is no str"),
        ({"colour": "red"}, "TaskStatus has no colour"),
        ([], "is no dict"),
    ],
)
def test_what_is_not_of_the_type_is_refused(stored: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decode(TaskStatus, stored)


def reachable(kind: Any, seen: set[Any]) -> set[Any]:
    """Return every dataclass that a value of `kind` can hold."""
    if is_dataclass(kind) and kind not in seen:
        seen.add(kind)
        for hint in get_type_hints(kind).values():
            reachable(hint, seen)
    for argument in get_args(kind):
        reachable(argument, seen)
    return seen


def test_no_recorded_type_has_room_for_a_secret() -> None:
    secret = re.compile(r"password|passphrase|private|credential|secret|pem", re.IGNORECASE)
    # Names and revisions of Secrets, and the certificate (not the key) that keepers trust, are public.
    public = {"secret", "secret_name", "credentials_revision", "operator_ca_pem"}
    kinds = reachable(Recording, set())
    assert len(kinds) > 30
    named = {f"{kind.__name__}.{f.name}" for kind in kinds for f in fields(kind)}
    assert [n for n in named if secret.search(n.partition(".")[2]) and n.partition(".")[2] not in public] == []
    free = {f"{k.__name__}.{n}" for k in kinds for n, h in get_type_hints(k).items() if object in get_args(h)}
    assert free == {f"{DatabaseObject.__name__}.{name}" for name in ("spec", "status")}
