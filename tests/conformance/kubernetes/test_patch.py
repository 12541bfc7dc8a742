"""Patches: JSON patch, merge patch, strategic merge patch of built-in kinds, and what is refused."""

from typing import Any

import pytest

from conformance.kubernetes.server import APPLY, JSON, MERGE, PATCH, STRATEGIC, Api
from conformance.kubernetes.things import fields, thing

REFUSED = "the server rejected our request due to an error in our request"


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "test", "path": "/metadata/resourceVersion", "value": "0"}, {"op": "remove", "path": "/spec/version"}],
        [{"op": "remove", "path": "/metadata/finalizers"}],
        [{"op": "replace", "path": "/spec/nope/deep", "value": 1}],
        [{"op": "frob", "path": "/spec"}],
        [{"op": "add", "path": "/metadata/labels/x~1y", "value": "1"}],
    ],
)
def test_a_json_patch_that_does_not_fit_is_422(api: Api, space: str, patch: object) -> None:
    """kopf depends on it: with any 5xx it would wait and repeat."""
    made = api.made(space, thing("one"))
    status, error = api.call("PATCH", f"{space}/one", patch, PATCH)
    assert (status, error["reason"], error["message"]) == (422, "Invalid", REFUSED)
    assert api.call("GET", f"{space}/one")[1] == made


def test_json_patches_change_in_order(api: Api, space: str) -> None:
    made = api.made(space, {**thing("one"), "metadata": {"name": "one", "labels": {"q": "1"}}})
    patch = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": made["metadata"]["resourceVersion"]},
        {"op": "add", "path": "/metadata/labels/x~1y", "value": "1"},
        {"op": "copy", "from": "/metadata/labels/q", "path": "/metadata/labels/r"},
        {"op": "move", "from": "/metadata/labels/q", "path": "/metadata/labels/s"},
        {"op": "add", "path": "/metadata/finalizers", "value": ["a/b"]},
    ]
    stored = api.patched(f"{space}/one", patch, PATCH)
    assert stored["metadata"]["labels"] == {"r": "1", "s": "1", "x/y": "1"}
    assert stored["metadata"]["finalizers"] == ["a/b"]
    api.patched(f"{space}/one", [{"op": "remove", "path": "/metadata/finalizers"}], PATCH)


@pytest.mark.parametrize(("body", "content_type"), [({"op": "x"}, PATCH), (b"garbage", PATCH), (b"garbage", MERGE)])
def test_a_broken_patch_is_400(api: Api, space: str, body: object, content_type: str) -> None:
    api.made(space, thing("one"))
    status, error = api.call("PATCH", f"{space}/one", body, content_type)
    assert (status, error["reason"]) == (400, "BadRequest")
    assert error["message"].startswith("error decoding patch: ")


@pytest.mark.parametrize("content_type", [STRATEGIC, JSON])
def test_custom_resources_take_three_patch_types(api: Api, space: str, content_type: str) -> None:
    api.made(space, thing("one"))
    status, error = api.call("PATCH", f"{space}/one", {"spec": {}}, content_type)
    assert (status, error["reason"]) == (415, "UnsupportedMediaType")
    assert error["message"].endswith(f"accepted media types include: {PATCH}, {MERGE}, {APPLY}")


@pytest.mark.parametrize(
    ("patch", "status", "message"),
    [
        ({"metadata": {"name": "zzz"}}, 400, "the name of the object (zzz) does not match the name on the URL (one)"),
        ({"metadata": {"namespace": "zzz"}}, 400, "the namespace of the provided object does not match"),
        ({"kind": "Foo"}, 422, 'kind: Invalid value: "Foo": must be Thing'),
        ({"apiVersion": "foo/v1"}, 422, 'apiVersion: Invalid value: "foo/v1": must be'),
    ],
)
def test_a_patch_cannot_make_another_object(api: Api, space: str, patch: Any, status: int, message: str) -> None:
    api.made(space, thing("one"))
    code, error = api.call("PATCH", f"{space}/one", patch, MERGE)
    assert code == status
    assert message in error["message"]


def test_an_absent_object_is_not_patched(api: Api, space: str) -> None:
    status, error = api.call("PATCH", f"{space}/absent", {"spec": {}}, MERGE)
    assert (status, error["reason"]) == (404, "NotFound")


def test_unknown_fields_in_a_patch(api: Api, space: str) -> None:
    made = api.made(space, thing("one"))
    answer = api.send("PATCH", f"{space}/one", {"spec": {"junk": 1}}, Content_Type=MERGE)
    assert answer.status == 200
    assert 'unknown field \\"spec.junk\\"' in ", ".join(answer.warnings)
    assert answer.body["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    status, error = api.call("PATCH", f"{space}/one?fieldValidation=Strict", {"spec": {"junk": 1}}, MERGE)
    assert (status, fields(error)) == (422, ["patch"])
    assert 'unknown field "spec.junk"' in error["message"]


def test_force_is_for_apply_only(api: Api, space: str) -> None:
    api.made(space, thing("one"))
    status, error = api.call("PATCH", f"{space}/one?force=true", {"spec": {}}, MERGE)
    assert (status, fields(error)) == (422, ["force"])
    assert "Forbidden: may not be specified for non-apply patch" in error["message"]


def test_a_merge_patch_removes_by_null_and_replaces_lists(api: Api, space: str) -> None:
    api.made(space, thing("one", options={"a": "1", "b": "2"}, steps=["x", "y"]))
    spec = api.patched(f"{space}/one", {"spec": {"options": {"a": None}, "steps": ["z"]}})["spec"]
    assert spec["options"] == {"b": "2"}
    assert spec["steps"] == ["z"]


def test_built_in_kinds_take_strategic_merge_patches(api: Api, core: str) -> None:
    made = api.made(f"{core}/configmaps", {"metadata": {"name": "cm", "finalizers": ["a/b"]}, "data": {"a": "b"}})
    path = f"{core}/configmaps/cm"
    assert api.patched(path, {"data": {"c": "d"}}, STRATEGIC)["data"] == {"a": "b", "c": "d"}
    more = api.patched(path, {"metadata": {"finalizers": ["c/d"]}}, STRATEGIC)
    assert sorted(more["metadata"]["finalizers"]) == ["a/b", "c/d"], "merged, not replaced"
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "cm", "uid": made["metadata"]["uid"]}
    api.made(f"{core}/secrets", {"metadata": {"name": "s", "ownerReferences": [owner]}})
    change = {"metadata": {"ownerReferences": [{"uid": owner["uid"], "controller": True}]}}
    assert api.patched(f"{core}/secrets/s", change, STRATEGIC)["metadata"]["ownerReferences"] == [
        {**owner, "controller": True}
    ]
    less = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b", "c/d"]}}
    assert "finalizers" not in {k for k, v in api.patched(path, less, STRATEGIC)["metadata"].items() if v}
