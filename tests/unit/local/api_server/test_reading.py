"""Reading requests and writing answers: bodies, selectors, tables, forms."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefuldb.local.api_server.changes.patches import merge_patch, strategic_patch
from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.objects.selectors import label_selector
from statefuldb.local.api_server.objects.tables import age, json_path
from statefuldb.local.api_server.serving import protobuf
from statefuldb.local.api_server.serving.representation import form_of
from statefuldb.local.api_server.serving.requests import parse_body

NAMESPACE = base64.b64decode("azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhQKEgoEZGVtbxIAGgAiACoAMgA4AEIA")


def test_kubectls_namespace_is_read() -> None:
    found = protobuf.decode(NAMESPACE)
    assert (found["apiVersion"], found["kind"], found["metadata"]) == ("v1", "Namespace", {"name": "demo"})


@given(st.integers(0, len(NAMESPACE) - 1), st.integers(0, 255))
def test_any_damage_to_a_protobuf_body_is_refused_or_read(position: int, value: int) -> None:
    damaged = NAMESPACE[:position] + bytes([value]) + NAMESPACE[position + 1 :]
    for body in (damaged, damaged[:position]):
        code = 0
        try:
            found = protobuf.decode(body)
        except ApiError as error:
            code = error.code
        assert code in (400, 415) or found["kind"] == "Namespace"


def test_other_kinds_in_protobuf_are_415() -> None:
    with pytest.raises(ApiError) as error:
        protobuf.decode(NAMESPACE.replace(b"Namespace", b"Whichever"))
    assert error.value.code == 415


def test_fields_that_come_twice_are_told_with_their_paths() -> None:
    text = b'{"a": 1, "a": 2, "b": [{"c": 1, "c": 1}], "d": {"e": {"f": 1, "f": 2}}}'
    assert parse_body(text, "application/json") == (
        {"a": 2, "b": [{"c": 1}], "d": {"e": {"f": 2}}},
        ("a", "b[0].c", "d.e.f"),
    )


def test_yaml_does_not_tell_a_whole_number_from_one_with_a_point() -> None:
    for text in (b"a: 3.0\nb: [1.5, 1.0e+30, {c: 2.0}]\n", b'{"a": 3.0, "b": [1.5, 1e30, {"c": 2.0}]}'):
        found, _ = parse_body(text, "application/apply-patch+yaml")
        assert found == {"a": 3, "b": [1.5, 1e30, {"c": 2}]}
        assert [type(each) for each in (found["a"], found["b"][2]["c"])] == [int, int]
    assert type(parse_body(b'{"a": 3.0}', "application/json")[0]["a"]) is float


@pytest.mark.parametrize("body", [b"{", b"[1", b'{"a": }', b"\xff", b"[" * 100_000])
def test_broken_json_is_400(body: bytes) -> None:
    with pytest.raises(ApiError) as error:
        parse_body(body, "application/json")
    assert error.value.code == 400


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "plain"),
        ("*/*", "plain"),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "table"),
        ("application/json;as=Table;v=v1;g=other,application/json", "plain"),
        ("application/vnd.kubernetes.protobuf,application/json", "plain"),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "partial"),
        ("application/yaml", "yaml"),
    ],
)
def test_forms(accept: str, form: str) -> None:
    assert form_of(accept) == form


@pytest.mark.parametrize("accept", ["text/html", "application/vnd.kubernetes.protobuf", "application/cbor"])
def test_forms_that_are_not_served(accept: str) -> None:
    with pytest.raises(ApiError) as error:
        form_of(accept)
    assert error.value.code == 406


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 300, "3h5m"),
        (47 * 3600, "47h"),
        (50 * 3600, "2d2h"),
        (100 * 86400, "100d"),
        (900 * 86400, "2y"),
    ],
)
def test_ages_as_kubectl_shows_them(seconds: int, text: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert age((now - timedelta(seconds=seconds)).isoformat(), now) == text


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b", 1),
        (".a.nope.c", None),
        (".list[1]", "y"),
        (".list[7]", None),
        ('.items[?(@.type=="T")].status', "yes"),
        ('.items[?(@.type=="U")].status', None),
        (".a['x/y']", 2),
    ],
)
def test_json_paths(path: str, found: Any) -> None:
    value = {"a": {"b": 1, "x/y": 2}, "list": ["x", "y"], "items": [{"type": "T", "status": "yes"}]}
    assert json_path(value, path) == found


@given(st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")))
def test_set_and_equality_selectors_agree(labels: dict[str, str]) -> None:
    stored = {"metadata": {"labels": labels}}
    for name in "abc":
        for value in "xyz":
            equal = label_selector(f"{name}={value}")(stored)
            assert equal is label_selector(f"{name} in ({value})")(stored)
            assert equal is not label_selector(f"{name}!={value}")(stored)
            assert equal is not label_selector(f"{name} notin ({value})")(stored)
        assert label_selector(name)(stored) is not label_selector(f"!{name}")(stored)


values = st.recursive(st.integers(0, 3) | st.none(), lambda v: st.dictionaries(st.sampled_from("abc"), v, max_size=3))


@given(st.dictionaries(st.sampled_from("abc"), values), st.dictionaries(st.sampled_from("abc"), values))
def test_a_patch_twice_is_a_patch_once(target: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once
    assert strategic_patch(target, {}) == target


def test_directives_of_strategic_patches() -> None:
    target = {"metadata": {"ownerReferences": [{"uid": "1"}, {"uid": "2"}]}, "data": {"a": "1", "b": "2"}}
    gone = {"metadata": {"ownerReferences": [{"$patch": "delete", "uid": "1"}]}}
    assert strategic_patch(target, gone)["metadata"]["ownerReferences"] == [{"uid": "2"}]
    whole = {"metadata": {"ownerReferences": [{"$patch": "replace"}, {"uid": "3"}]}}
    assert strategic_patch(target, whole)["metadata"]["ownerReferences"] == [{"uid": "3"}]
    assert strategic_patch(target, {"data": {"$patch": "replace", "c": "3"}})["data"] == {"c": "3"}
    assert strategic_patch(target, {"data": {"$retainKeys": ["a"], "a": "9"}})["data"] == {"a": "9"}
