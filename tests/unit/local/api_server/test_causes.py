"""What a refusal says is wrong, and where: clients show the one, and look for the other."""

from typing import Any

import pytest

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.objects.metadata import check_metadata
from statefuldb.local.api_server.schemas.validation import validate
from statefuldb.local.api_server.serving.options import check_list
from statefuldb.local.api_server.storing.checks import check, decode
from unit.local.api_server.world import World

Json = dict[str, Any]
ENUM: Json = {"type": "string", "enum": ["A", "B"]}


@pytest.fixture
def world() -> World:
    return World.of_ours()


@pytest.mark.parametrize(
    ("value", "shown"), [({}, "{}"), (3.0, "3"), (1e30, "1e+30"), (["a"], '["a"]'), (True, "true")]
)
def test_what_is_of_another_type_is_none_of_the_values_either(value: object, shown: str) -> None:
    reasons = {cause["reason"]: cause["message"] for cause in validate(value, ENUM, path="spec.x")}
    assert reasons["FieldValueNotSupported"] == f'Unsupported value: {shown}: supported values: "A", "B"'
    assert "FieldValueTypeInvalid" in reasons


def test_a_text_that_is_too_long_is_not_compared_with_a_pattern() -> None:
    (cause,) = validate("y" * 9, {"type": "string", "maxLength": 8, "pattern": "^x*$"}, path="a")
    assert cause["reason"] == "FieldValueTooLong"


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("^[0-9]+$", "1", True),
        ("^[0-9]+$", "1\n", False),
        ("^(a$|b$)", "b\n", False),
        (r"^\$[$]+$", "$$", True),
        (r"^[]$]+$", "]$", True),
    ],
)
def test_a_pattern_ends_where_the_text_does(pattern: str, value: str, fits: bool) -> None:
    assert (not list(validate(value, {"type": "string", "pattern": pattern}, path="a"))) is fits


def _keys(key: str) -> list[str]:
    metadata = {"name": "a", "labels": {key: ""}}
    return [cause["message"].removeprefix(f'Invalid value: "{key}": ')[:32] for cause in check_metadata(metadata)]


@pytest.mark.parametrize(
    ("key", "starts"),
    [
        ("Up.Case/Key", ["prefix part a lowercase RFC 1123"]),
        ("/x", ["prefix part must be non-empty"]),
        ("a/b/c", ["a valid label key must consist o"]),
        ("a/", ["name part must be non-empty", "name part must consist of alphan"]),
        ("x" * 64, ["name part must be no more than 6"]),
        ("Up/b b", ["prefix part a lowercase RFC 1123", "name part must consist of alphan"]),
        ("app.dev/x_y", []),
    ],
)
def test_which_part_of_a_label_is_wrong(key: str, starts: list[str]) -> None:
    assert _keys(key) == starts


def test_a_long_value_of_a_label_is_only_too_long() -> None:
    (cause,) = check_metadata({"name": "a", "labels": {"app": "x" * 64}})
    assert cause["message"].endswith("must be no more than 63 bytes")


def _refused(world: World, body: Json, subresource: str = "") -> dict[str, str]:
    kind = world.kind("statefuldatabases")
    whole = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "a"}, **body}
    with pytest.raises(ApiError) as error:
        check(kind, whole, None, subresource)
    return {cause["field"]: cause["message"] for cause in (error.value.details or {})["causes"]}


def test_a_write_of_the_status_names_what_is_in_it(world: World) -> None:
    told = _refused(world, {"status": {"members": [{"ready": ["a"]}], "summary": 5}}, "status")
    assert 'Invalid value: "array": members[0].ready in body must be of type boolean: "array"' in told.values()
    assert told["status.summary"] == 'Invalid value: "integer": summary in body must be of type string: "integer"'
    assert ' in body must be of type object: "integer"' in _refused(world, {"status": 5}, "status")["status"]


def test_of_another_kind_no_more_is_said(world: World) -> None:
    assert [*_refused(world, {"kind": "Other", "spec": 5})] == ["kind"]


@pytest.mark.parametrize(
    ("spec", "given"), [(1e30, "1e+30 is of the type float64"), ("x", "x is of the type string"), ([], "[] is of")]
)
def test_replicas_are_not_reached_through_what_is_no_object(world: World, spec: object, given: str) -> None:
    assert f".spec.replicas accessor error: {given}" in _refused(world, {"spec": spec})[".spec.replicas"]


def test_unknown_fields_of_built_in_kinds_are_told_of_as_they_come(world: World) -> None:
    body = {"metadata": {"name": "a"}, "z": 1, "b": 2}
    assert decode(world.kind("configmaps"), body, None, (), "Warn") == ['unknown field "z"', 'unknown field "b"']


@pytest.mark.parametrize(
    ("query", "watch", "count"),
    [
        ({"resourceVersionMatch": "Other"}, False, 2),
        ({"resourceVersionMatch": "Other", "resourceVersion": "5"}, False, 1),
        ({"resourceVersionMatch": "Exact", "sendInitialEvents": "true"}, True, 2),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "5", "continue": "x"}, False, 1),
        ({"continue": "x"}, True, 1),
    ],
)
def test_all_that_is_wrong_with_a_list_is_told(query: dict[str, str], watch: bool, count: int) -> None:
    with pytest.raises(ApiError) as error:
        check_list(query, watch=watch)
    assert len((error.value.details or {})["causes"]) == count
