"""Built-in kinds have types too: what is unknown or of another type is told, or refused, as for custom ones."""

from typing import Any

import pytest

from conformance.kubernetes.server import APPLY, MERGE, Api

Json = dict[str, Any]
_NOT_THERE = "11111111-1111-1111-1111-111111111111"


def test_unknown_fields_are_dropped_and_told(api: Api, core: str) -> None:
    body = {"metadata": {"name": "a"}, "data": {"x": "1"}, "dta": {"y": "2"}}
    answer = api.send("POST", f"{core}/configmaps", body)
    assert answer.status == 201
    assert "dta" not in answer.body
    assert answer.warnings == ['299 - "unknown field \\"dta\\""']
    strict = api.send("POST", f"{core}/configmaps?fieldValidation=Strict", {**body, "metadata": {"name": "b"}})
    assert strict.status == 400
    assert strict.body["message"].endswith('strict decoding error: unknown field "dta"')
    patched = api.send("PATCH", f"{core}/configmaps/a?fieldValidation=Strict", {"dta": {"y": "2"}}, Content_Type=MERGE)
    assert patched.status == 422


def test_unknown_fields_are_not_applied(api: Api, core: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "dta": {"y": "2"}}
    status, answer = api.call("PATCH", f"{core}/configmaps/a?fieldManager=ada", body, APPLY)
    assert status == 500
    assert answer["message"].endswith(".dta: field not declared in schema")


@pytest.mark.parametrize(
    ("plural", "body"),
    [
        ("configmaps", {"data": {"x": 1}}),
        ("configmaps", {"data": ["x"]}),
        ("configmaps", {"immutable": "yes"}),
        ("secrets", {"data": {"x": "not base64!"}}),
        ("secrets", {"stringData": {"x": True}}),
        ("events", {"involvedObject": "x"}),
        ("events", {"involvedObject": {"name": 1}}),
        ("serviceaccounts", {"secrets": "x"}),
    ],
)
def test_what_is_of_another_type_is_refused(api: Api, core: str, plural: str, body: Json) -> None:
    status, answer = api.call("POST", f"{core}/{plural}", {"metadata": {"name": "a"}, **body})
    assert (status, answer["reason"]) == (400, "BadRequest")


def test_nulls_of_built_in_kinds_are_as_if_absent(api: Api, core: str) -> None:
    made = api.made(f"{core}/configmaps", {"metadata": {"name": "a", "labels": None}, "data": None, "immutable": None})
    assert not {"data", "immutable"} & set(made)
    assert "labels" not in made["metadata"]
    assert api.made(f"{core}/configmaps", {"metadata": {"name": "b"}, "data": {"x": None}})["data"] == {"x": ""}


def _event(name: str, **more: Any) -> Json:
    return {"metadata": {"name": name}, "involvedObject": {"kind": "X", "name": "x"}, "reason": "R", **more}


def test_a_lease_is_replaced_by_version_only(api: Api, namespace: str) -> None:
    """Else two operators could both take one: a PUT without a version is refused, as for custom kinds."""
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    made = api.made(leases, {"metadata": {"name": "a"}, "spec": {"holderIdentity": "x"}})
    body = {"metadata": {"name": "a"}, "spec": {"holderIdentity": "y"}}
    status, answer = api.call("PUT", f"{leases}/a", body)
    assert (status, answer["details"]["causes"][0]["field"]) == (422, "metadata.resourceVersion")
    versioned = {**body, "metadata": {"name": "a", "resourceVersion": made["metadata"]["resourceVersion"]}}
    assert api.call("PUT", f"{leases}/a", versioned)[0] == 200
    assert api.call("PUT", f"{leases}/a", versioned)[0] == 409


def test_a_namespace_has_types_too(api: Api, namespace: str) -> None:
    body = {"metadata": {"name": f"{namespace}-b"}, "spec": 1}
    assert api.call("POST", "/api/v1/namespaces", body)[0] == 400


def test_an_empty_uid_is_none(api: Api, core: str) -> None:
    api.made(f"{core}/configmaps", {"metadata": {"name": "a"}})
    assert api.call("PUT", f"{core}/configmaps/a", {"metadata": {"name": "a", "uid": ""}})[0] == 200


def test_an_event_is_in_the_namespace_of_what_it_is_about(api: Api, core: str, namespace: str) -> None:
    """Events about what is in no namespace are in `default`."""
    status, answer = api.call("POST", f"{core}/events", _event("a"))
    assert status == 422
    assert answer["details"]["causes"][0]["field"] == "involvedObject.namespace"
    about = {"kind": "X", "name": "x", "namespace": namespace}
    assert api.call("POST", f"{core}/events", _event("a", involvedObject=about))[0] == 201
    elsewhere = "/api/v1/namespaces/default/events"
    assert api.call("POST", elsewhere, _event(f"{namespace}-a"))[0] == 201
    api.call("DELETE", f"{elsewhere}/{namespace}-a")


def test_an_event_of_today_has_short_texts(api: Api, core: str, namespace: str) -> None:
    about = {"kind": "X", "name": "x", "namespace": namespace}
    parts = {"action": "A", "reportingComponent": "kopf", "reportingInstance": "i", "type": "Normal"}
    event = _event("a", involvedObject=about, eventTime="2026-11-24T00:06:42.332149Z", **parts)
    for field, limit in (("message", 1024), ("reason", 128), ("action", 128), ("reportingInstance", 128)):
        status, answer = api.call("POST", f"{core}/events", {**event, field: "x" * (limit + 1)})
        assert status == 422, field
        assert f"can have at most {limit} characters" in answer["message"]
    assert api.call("POST", f"{core}/events", {**event, "message": "x" * 1024})[0] == 201


def test_some_built_in_kinds_are_made_by_put(api: Api, core: str, namespace: str) -> None:
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    body: Json = {"metadata": {"name": "a"}, "spec": {"holderIdentity": "x"}}
    assert api.call("PUT", f"{leases}/a", body)[0] == 201
    assert api.call("PUT", f"{leases}/b", {**body, "metadata": {"name": "b", "resourceVersion": "1"}})[0] == 201
    assert api.call("PUT", f"{leases}/c", {**body, "metadata": {"name": "c", "uid": _NOT_THERE}})[0] == 409
    assert api.call("PUT", f"{core}/configmaps/a", {"metadata": {"name": "a"}})[0] == 404


def test_an_event_always_says_what_it_is_about_and_who_tells(api: Api, core: str, namespace: str) -> None:
    made = api.made(f"{core}/events", _event("a", involvedObject={"namespace": namespace}))
    shown = {name: made[name] for name in ("source", "reportingComponent", "reportingInstance", "eventTime")}
    assert shown == {"source": {}, "reportingComponent": "", "reportingInstance": "", "eventTime": None}
    assert (made["firstTimestamp"], made["lastTimestamp"]) == (None, None)
    replaced = api.call("PUT", f"{core}/events/a", _event("a", involvedObject={"namespace": namespace}))[1]
    assert {name: replaced[name] for name in shown} == shown


def test_a_secret_keeps_its_type(api: Api, core: str) -> None:
    api.made(f"{core}/secrets", {"metadata": {"name": "a"}, "data": {"x": "eA=="}})
    status, answer = api.call("PATCH", f"{core}/secrets/a", {"type": "example.dev/other"}, MERGE)
    assert status == 422
    assert answer["details"]["causes"][0]["field"] == "type"
