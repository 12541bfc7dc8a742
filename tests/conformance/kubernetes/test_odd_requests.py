"""Requests that no careful client sends, answered as a real server does."""

from typing import Any

from conformance.kubernetes.server import APPLY, JSON, MERGE, PATCH, Api, eventually
from conformance.kubernetes.things import DEFINITIONS, GROUP, definition, fields, labelled, names, thing


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


def test_options_of_a_deletion_in_its_body_count_alone(api: Api, space: str) -> None:
    """A query that says dryRun is not looked at where there is a body: the object goes."""
    api.made(space, thing("a"))
    assert api.call("DELETE", f"{space}/a?dryRun=All")[0] == 200
    assert api.call("DELETE", f"{space}/a?dryRun=All", {"dryRun": ["All"], "propagationPolicy": "Background"})[0] == 200
    assert api.call("GET", f"{space}/a")[0] == 200
    assert api.call("DELETE", f"{space}/a?dryRun=All", {"propagationPolicy": "Background"})[0] == 200
    assert api.call("GET", f"{space}/a")[0] == 404


def test_a_number_too_large_for_an_integer_is_none(api: Api, space: str) -> None:
    status, answer = api.call("POST", space, thing("a", replicas=2**63))
    assert status == 422
    assert "FieldValueTypeInvalid" in [cause["reason"] for cause in answer["details"]["causes"]]


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


def test_a_part_of_a_collection_is_deleted(api: Api, space: str) -> None:
    for name in ("a", "b", "c"):
        api.made(space, thing(name))
    assert names(api.call("DELETE", f"{space}?limit=1")[1]) == ["a"]
    assert names(api.call("GET", space)[1]) == ["b", "c"]


def test_all_options_that_are_wrong_are_named(api: Api, space: str) -> None:
    answer = api.call("POST", f"{space}?dryRun=Some&fieldValidation=Loud", thing("a"))[1]
    assert fields(answer) == ["dryRun", "fieldValidation"]


def test_a_part_that_a_built_in_kind_does_not_have_is_no_resource(api: Api, core: str) -> None:
    status, answer = api.call("GET", f"{core}/configmaps/a/status")
    assert (status, answer["message"]) == (404, "the server could not find the requested resource")


def test_what_a_built_in_group_does_not_have_is_told_as_a_status(api: Api, core: str) -> None:
    for path in ("/apis/coordination.k8s.io/v1/nothings", "/apis/coordination.k8s.io/v9/leases", "/api/v1/nothings"):
        for method in ("GET", "POST", "DELETE"):
            status, answer = api.call(method, path, {} if method == "POST" else None)
            assert (status, answer.get("reason"), answer.get("details")) == (404, "NotFound", {})


def test_an_object_of_a_built_in_kind_is_not_made_at_its_own_path(api: Api, space: str, core: str) -> None:
    assert api.call("POST", f"{core}/configmaps/a", {"metadata": {"name": "a"}})[0] == 405
    assert api.call("GET", f"{core}/configmaps/a")[0] == 404
    assert api.call("POST", f"{space}/a", thing("a"))[0] == 201


def test_a_deletion_whose_body_is_another_object_deletes_nothing(api: Api, space: str, core: str) -> None:
    api.made(space, thing("a"))
    api.made(f"{core}/configmaps", {"metadata": {"name": "a"}})
    for path in (f"{space}/a", f"{core}/configmaps/a", space, f"{core}/configmaps"):
        assert api.call("DELETE", path, {"kind": "ConfigMap", "apiVersion": "v1"})[0] == 400
    assert api.call("GET", f"{space}/a")[0] == 200
    assert api.call("GET", f"{core}/configmaps/a")[0] == 200
    assert api.call("DELETE", f"{space}/a", {"kind": "DeleteOptions", "apiVersion": "statefuldb.dev/v1"})[0] == 200


def test_a_head_alone_is_told_of_custom_kinds(api: Api, space: str, core: str) -> None:
    api.made(space, thing("a"))
    for path, status in ((f"{space}/a", 200), (space, 200), (f"{space}/b", 404), (f"{core}/configmaps", 405)):
        answer = api.send("HEAD", path)
        assert (answer.status, answer.text) == (status, "")


def test_a_null_is_no_patch_and_no_label(api: Api, space: str) -> None:
    api.made(space, labelled("a", {"x": None}))  # type: ignore[dict-item]
    assert api.call("GET", f"{space}/a")[1]["metadata"]["labels"] == {"x": ""}
    assert api.call("PATCH", f"{space}/a", b"null", PATCH)[0] == 200


def test_metadata_of_another_type_is_refused(api: Api, space: str, core: str) -> None:
    odd: tuple[Any, ...] = (0, "", [], False, 1, "a")
    for held in odd:
        assert api.call("POST", space, {**thing("a"), "metadata": held})[0] == 400
        assert api.call("POST", f"{core}/configmaps", {"metadata": held})[0] == 400


def test_a_body_is_looked_at_before_what_it_replaces(api: Api, space: str) -> None:
    body = thing("absent")
    body["metadata"]["namespace"] = "another"
    assert api.call("PUT", f"{space}/absent", body)[0] == 400


def test_a_selector_has_names_and_values_that_labels_may_have(api: Api, space: str) -> None:
    for wrong in ("a/b/c", "a=b!", "a=" + "x" * 64, "-a", "a in (b!)"):
        assert api.call("GET", f"{space}?labelSelector={wrong}")[0] == 400, wrong


def test_what_has_no_number_of_replicas_has_no_scale(api: Api, namespace: str) -> None:
    body = definition("gauges")
    spec = body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["x-kubernetes-validations"]
    del spec["properties"]["replicas"]["default"]
    api.made(DEFINITIONS, body)
    space = f"{GROUP}/namespaces/{namespace}/gauges"
    eventually(lambda: api.call("GET", space)[0] == 200)
    api.made(space, {**thing("a"), "kind": "Gauge"})
    status, answer = api.call("GET", f"{space}/a/scale")
    assert status == 500
    assert 'the spec replicas field ".spec.replicas" does not exist' in answer["message"]
    assert api.patched(f"{space}/a/scale", {"spec": {"replicas": 2}})["spec"]["replicas"] == 2
    api.call("DELETE", f"{DEFINITIONS}/{body['metadata']['name']}")
