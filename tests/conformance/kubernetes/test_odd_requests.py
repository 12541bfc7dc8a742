"""Requests that no careful client sends, answered as a real server does."""

from conformance.kubernetes.server import APPLY, JSON, MERGE, Api
from conformance.kubernetes.things import thing


def test_a_creation_is_in_json_or_yaml(api: Api, space: str, core: str) -> None:
    assert api.call("POST", space, thing("a"), MERGE)[0] == 415
    assert api.call("POST", f"{core}/configmaps", {"metadata": {"name": "a"}}, MERGE)[0] == 415


def test_a_collection_is_not_replaced(api: Api, space: str, core: str) -> None:
    for method, content_type in (("PUT", JSON), ("PATCH", MERGE)):
        status, answer = api.call(method, f"{core}/configmaps", {"metadata": {"name": "a"}}, content_type)
        assert (status, answer["reason"]) == (405, "MethodNotAllowed")
        assert api.call(method, space, thing("a"), content_type)[0] in (400, 405)


def test_an_exact_list_is_not_of_version_0(api: Api, space: str) -> None:
    status, answer = api.call("GET", f"{space}?resourceVersion=0&resourceVersionMatch=Exact")
    assert status == 422
    assert answer["details"]["causes"][0]["reason"] == "FieldValueForbidden"


def test_options_of_a_deletion_are_read_before_the_object(api: Api, space: str) -> None:
    for body in (b"[]", {"gracePeriodSeconds": "x"}, {"preconditions": "x"}):
        assert api.call("DELETE", f"{space}/absent", body)[0] == 400
    assert api.call("DELETE", f"{space}/absent", {"dryRun": ["Some"]})[0] == 422


def test_a_refusal_warns_too(api: Api, space: str) -> None:
    api.made(space, thing("a"))
    for body in (thing("a", extra=1), thing("b", extra=1, engine="other")):
        answer = api.send("POST", space, body)
        assert answer.status in (409, 422)
        assert answer.warnings == ['299 - "unknown field \\"spec.extra\\""']


def test_the_time_of_creation_cannot_be_written(api: Api, space: str) -> None:
    made = api.made(space, thing("a"))["metadata"]["creationTimestamp"]
    patched = api.patched(f"{space}/a", {"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z"}})
    assert patched["metadata"]["creationTimestamp"] == made


def test_metadata_of_another_type_is_no_valid_patch(api: Api, space: str) -> None:
    api.made(space, thing("a"))
    status, answer = api.call("PATCH", f"{space}/a", {"metadata": {"labels": {"x": True}}}, MERGE)
    assert (status, answer["details"]["causes"][0]["field"]) == (422, "patch")


def test_what_is_applied_has_metadata(api: Api, space: str) -> None:
    body = {**thing("a"), "metadata": "a"}
    status, answer = api.call("PATCH", f"{space}/a?fieldManager=ada", body, APPLY)
    assert status in (400, 500)
    assert answer["kind"] == "Status"


def test_nothing_is_left_of_empty_metadata(api: Api, space: str) -> None:
    body = thing("a")
    body["metadata"] |= {"labels": None, "finalizers": None, "annotations": {}, "ownerReferences": []}
    assert not {"labels", "finalizers", "annotations", "ownerReferences"} & set(api.made(space, body)["metadata"])


def test_one_owner_at_most_is_the_controller(api: Api, space: str) -> None:
    body = thing("a")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "controller": True}
    body["metadata"]["ownerReferences"] = [{**owner, "uid": "u1"}, {**owner, "uid": "u2"}]
    status, answer = api.call("POST", space, body)
    assert status == 422
    assert "Only one reference can have Controller set to true" in answer["message"]
