"""Server-side apply: ownership, conflicts, force, letting go."""

from typing import Any

import pytest

from conformance.kubernetes.server import APPLY, Api
from conformance.kubernetes.things import GROUP_NAME, thing

Json = dict[str, Any]


def _apply(api: Api, path: str, manager: str, body: Json, query: str = "") -> tuple[int, Json]:
    return api.call("PATCH", f"{path}?fieldManager={manager}{query}", body, APPLY)


def _owned(stored: Json) -> dict[tuple[str, str, str], Json]:
    entries = stored["metadata"].get("managedFields", [])
    return {(e["manager"], e["operation"], e.get("subresource", "")): e["fieldsV1"] for e in entries}


def test_the_recorded_session(api: Api, space: str) -> None:
    path = f"{space}/s1"
    first = thing("s1", replicas=2, users=[{"name": "a"}], options={"x": "1"})
    status, stored = _apply(api, path, "m1", first)
    assert status == 201
    user: Json = {".": {}, "f:name": {}}
    spec = {"f:engine": {}, "f:options": {"f:x": {}}, "f:replicas": {}, "f:users": {'k:{"name":"a"}': user}}
    assert _owned(stored) == {("m1", "Apply", ""): {"f:spec": spec}}
    assert stored["spec"]["users"] == [{"name": "a", "role": "reader"}]
    status, again = _apply(api, path, "m1", first)
    assert (status, again) == (200, stored), "nothing changes, not even the version"

    status, error = _apply(api, path, "m2", thing("s1", replicas=3))
    assert (status, error["reason"]) == (409, "Conflict")
    assert error["message"] == 'Apply failed with 1 conflict: conflict with "m1": .spec.replicas'
    cause = {"field": ".spec.replicas", "message": 'conflict with "m1"', "reason": "FieldManagerConflict"}
    assert error["details"]["causes"] == [cause]

    status, forced = _apply(api, path, "m2", thing("s1", replicas=3, users=[{"name": "b"}]), "&force=true")
    assert (status, forced["metadata"]["generation"]) == (200, 2)
    assert [user["name"] for user in forced["spec"]["users"]] == ["a", "b"], "merged by key"
    owned = _owned(forced)
    assert "f:replicas" not in owned["m1", "Apply", ""]["f:spec"]
    assert owned["m2", "Apply", ""] == {
        "f:spec": {"f:engine": {}, "f:replicas": {}, "f:users": {'k:{"name":"b"}': user}}
    }

    status, less = _apply(api, path, "m1", thing("s1", replicas=3))
    assert (status, less["metadata"]["generation"]) == (200, 3)
    assert "options" not in less["spec"]
    assert [user["name"] for user in less["spec"]["users"]] == ["b"]
    assert _owned(less)["m1", "Apply", ""] == {"f:spec": {"f:engine": {}, "f:replicas": {}}}

    body = {"apiVersion": first["apiVersion"], "kind": "Thing"}
    status, up = _apply(
        api,
        f"{path}/status",
        "m3",
        {**body, "status": {"phase": "Z", "conditions": [{"type": "Ready", "status": "True"}]}},
    )
    assert (status, up["status"]["phase"]) == (200, "Z")
    assert sorted(_owned(up)) == [("m1", "Apply", ""), ("m2", "Apply", ""), ("m3", "Apply", "status")]

    cleared = api.patched(path, {"metadata": {"managedFields": [{}]}})
    assert "managedFields" not in cleared["metadata"]
    assert cleared["metadata"]["resourceVersion"] != up["metadata"]["resourceVersion"]


@pytest.mark.parametrize(
    ("body", "query", "status", "message"),
    [
        (thing("s1"), "", 422, "fieldManager: Required value: is required for apply patch"),
        ({**thing("s1"), "metadata": {"name": "s1", "managedFields": []}}, "?fieldManager=m", 400, "must be nil"),
        ({"spec": {}}, "?fieldManager=m", 400, "invalid object type: /, Kind="),
        (
            thing("other"),
            "?fieldManager=m",
            400,
            "the name of the object (other) does not match the name on the URL (s1)",
        ),
        (thing("s1", junk=1), "?fieldManager=m", 500, ".spec.junk: field not declared in schema"),
        (
            thing("s1", junk=1),
            "?fieldManager=m&fieldValidation=Ignore",
            500,
            ".spec.junk: field not declared in schema",
        ),
        (
            {**thing("s1"), "metadata": {"name": "s1", "resourceVersion": "1"}},
            "?fieldManager=m",
            409,
            "has been modified",
        ),
        (thing("s1", options={"a": "x" * 65}), "?fieldManager=m", 422, "spec.options.a: Too long: "),
    ],
)
def test_what_is_refused(api: Api, space: str, body: Json, query: str, status: int, message: str) -> None:
    api.made(space, thing("s1"))
    code, error = api.call("PATCH", f"{space}/s1{query}", body, APPLY)
    assert code == status
    assert message in error["message"]


def test_a_dry_run_shows_what_would_be(api: Api, space: str) -> None:
    status, shown = _apply(api, f"{space}/s2", "m1", thing("s2"), "&dryRun=All")
    assert (status, shown["spec"]["replicas"]) == (201, 1)
    assert api.call("GET", f"{space}/s2")[0] == 404


def test_equal_values_are_owned_together(api: Api, space: str) -> None:
    path = f"{space}/s1"
    _apply(api, path, "m1", thing("s1", replicas=2))
    before = api.call("GET", path)[1]
    status, both = _apply(api, path, "m2", thing("s1", replicas=2))
    assert status == 200
    assert len(_owned(both)) == 2
    assert both["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
    _, one = _apply(api, path, "m1", thing("s1"))
    assert one["spec"]["replicas"] == 2, "m2 holds it still"
    _, none = _apply(api, path, "m2", thing("s1"))
    assert none["spec"]["replicas"] == 1, "the default is back"


def test_other_writes_own_what_they_change(api: Api, space: str) -> None:
    path = f"{space}/s1"
    _apply(api, path, "m1", thing("s1", replicas=2))
    patched = api.patched(f"{path}?fieldManager=hand", {"spec": {"replicas": 5}, "metadata": {"labels": {"a": "b"}}})
    owned = _owned(patched)
    assert "f:replicas" not in owned["m1", "Apply", ""]["f:spec"]
    hand = owned["hand", "Update", ""]
    assert hand["f:spec"] == {"f:replicas": {}}
    assert hand["f:metadata"] == {"f:labels": {".": {}, "f:a": {}}}
    status, error = _apply(api, path, "m1", thing("s1", replicas=2))
    assert (status, error["details"]["causes"][0]["message"].startswith('conflict with "hand"')) == (409, True)


def test_a_creation_owns_all_with_its_holders(api: Api, space: str) -> None:
    made = api.made(f"{space}?fieldManager=hand", thing("s1", template={"any": {"thing": 1}}, users=[{"name": "a"}]))
    assert _owned(made) == {
        ("hand", "Update", ""): {
            "f:spec": {
                ".": {},
                "f:engine": {},
                "f:minReplicas": {},
                "f:replicas": {},
                "f:template": {".": {}, "f:any": {".": {}, "f:thing": {}}},
                "f:users": {".": {}, 'k:{"name":"a"}': {".": {}, "f:name": {}, "f:role": {}}},
                "f:version": {},
            }
        }
    }


def test_without_a_name_the_user_agent_is_the_manager(api: Api, space: str) -> None:
    answer = api.send("POST", space, thing("s1"), User_Agent="kopf/1.45.2 (linux)")
    assert list(_owned(answer.body)) == [("kopf", "Update", "")]


def test_sets_and_keyed_items_conflict_one_by_one(api: Api, space: str) -> None:
    path = f"{space}/s1"
    _apply(api, path, "m1", thing("s1", users=[{"name": "a", "role": "x", "tags": ["p"]}], steps=["one"]))
    status, merged = _apply(api, path, "m2", thing("s1", users=[{"name": "a", "tags": ["q"]}]))
    assert status == 200
    assert merged["spec"]["users"] == [{"name": "a", "role": "x", "tags": ["p", "q"]}]
    status, error = _apply(api, path, "m2", thing("s1", users=[{"name": "a", "role": "y"}], steps=["two"]))
    assert status == 409
    assert [cause["field"] for cause in error["details"]["causes"]] == [".spec.steps", '.spec.users[name="a"].role']
    assert error["message"].startswith("Apply failed with 2 conflicts: ")


def test_built_in_kinds_are_applied_too(api: Api, core: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a": "1", "b": "2"}}
    path = f"{core}/configmaps/cm"
    assert _apply(api, path, "m1", body)[0] == 201
    _, less = _apply(api, path, "m1", {**body, "data": {"a": "1"}})
    assert less["data"] == {"a": "1"}
    assert GROUP_NAME not in str(less)
