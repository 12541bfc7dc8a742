"""Built-in kinds: namespaces, ConfigMaps, Secrets, Events, Leases."""

from typing import Any

import pytest

from conformance.kubernetes.server import MERGE, Api, eventually
from conformance.kubernetes.things import GROUP, fields, held, names

Json = dict[str, Any]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def test_a_namespace_is_active_and_labelled(api: Api, namespace: str) -> None:
    _, stored = api.call("GET", f"/api/v1/namespaces/{namespace}")
    assert stored["status"] == {"phase": "Active"}
    assert stored["spec"] == {"finalizers": ["kubernetes"]}
    assert stored["metadata"]["labels"]["kubernetes.io/metadata.name"] == namespace


def test_the_namespaces_that_every_cluster_has_may_not_be_deleted(api: Api) -> None:
    status, error = api.call("DELETE", "/api/v1/namespaces/default?dryRun=All")
    assert (status, error["reason"]) == (403, "Forbidden")
    assert error["message"] == 'namespaces "default" is forbidden: this namespace may not be deleted'


def test_a_namespace_goes_with_its_content(api: Api, namespace: str, space: str, core: str) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    api.made(space, held("waits", "a.dev/x"))
    api.made(f"{core}/configmaps", {"metadata": {"name": "cm"}})
    status, dying = api.call("DELETE", path)
    assert (status, dying["kind"], dying["status"]["phase"]) == (200, "Namespace", "Terminating")
    assert dying["metadata"]["deletionTimestamp"]
    status, error = api.call("POST", f"{core}/configmaps", {"metadata": {"name": "cm2"}})
    assert (status, error["reason"]) == (403, "Forbidden")
    (cause,) = error["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("NamespaceTerminating", "metadata.namespace")
    assert error["message"] == (
        f'configmaps "cm2" is forbidden: unable to create new content in namespace {namespace} '
        "because it is being terminated"
    )
    try:
        eventually(lambda: api.call("GET", f"{core}/configmaps/cm")[0] == 404)
    except AssertionError:
        api.patched(f"{space}/waits", {"metadata": {"finalizers": None}})
        pytest.skip("this server runs without a namespace controller")
    eventually(lambda: "deletionTimestamp" in api.call("GET", f"{space}/waits")[1]["metadata"])
    assert api.call("GET", path)[0] == 200
    api.patched(f"{space}/waits", {"metadata": {"finalizers": None}})
    eventually(lambda: api.call("GET", path)[0] == 404)


def test_config_maps_may_be_replaced_without_a_version(api: Api, core: str) -> None:
    path = f"{core}/configmaps/cm"
    made = api.made(f"{core}/configmaps", {"metadata": {"name": "cm"}, "data": {"a": "b"}})
    assert made["kind"] == "ConfigMap"
    assert "generation" not in made["metadata"]
    status, stored = api.call("PUT", path, {"metadata": {"name": "cm"}, "data": {"z": "1"}})
    assert (status, stored["data"]) == (200, {"z": "1"})
    stale = {"metadata": {"name": "cm", "resourceVersion": made["metadata"]["resourceVersion"]}}
    assert api.call("PUT", path, stale)[0] == 409


def test_an_immutable_config_map_stays_as_it_is(api: Api, core: str) -> None:
    api.made(f"{core}/configmaps", {"metadata": {"name": "cm"}, "data": {"z": "1"}, "immutable": True})
    status, error = api.call("PATCH", f"{core}/configmaps/cm", {"data": {"z": "2"}}, MERGE)
    assert (status, fields(error)) == (422, ["data"])
    assert error["message"] == (
        'ConfigMap "cm" is invalid: data: Forbidden: field is immutable when `immutable` is set'
    )


def test_secrets_are_stored_in_base64(api: Api, core: str) -> None:
    made = api.made(f"{core}/secrets", {"metadata": {"name": "s"}, "stringData": {"a": "b"}})
    assert (made["data"], made["type"]) == ({"a": "Yg=="}, "Opaque")
    assert "stringData" not in made


def test_leases_keep_microseconds(api: Api, namespace: str) -> None:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    spec = {"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": "2026-11-24T00:06:42.332149Z"}
    assert api.made(path, {"metadata": {"name": "l"}, "spec": spec})["spec"] == spec


def _event(namespace: str, **more: Any) -> Json:
    """An event as kopf posts it."""
    return {
        "metadata": {"namespace": namespace, "generateName": "kopf-event-"},
        "action": "Action?",
        "type": "Normal",
        "reason": "R",
        "message": "m",
        "reportingComponent": "kopf",
        "reportingInstance": "dev",
        "source": {"component": "kopf"},
        "firstTimestamp": "2026-11-24T00:06:42.332149+00:00",
        "lastTimestamp": "2026-11-24T00:06:42.332149+00:00",
        "eventTime": "2026-11-24T00:06:42.332149+00:00",
        "involvedObject": {"apiVersion": "x/v1", "kind": "Thing", "name": "db1", "namespace": namespace, "uid": "u"},
        **more,
    }


def test_events_as_kopf_posts_them(api: Api, core: str, namespace: str) -> None:
    made = api.made(f"{core}/events", _event(namespace))
    assert made["metadata"]["name"].startswith("kopf-event-")
    assert made["eventTime"] == "2026-11-24T00:06:42.332149Z"
    assert made["lastTimestamp"] == "2026-11-24T00:06:42Z"


def test_an_event_of_the_new_form_may_be_about_another_namespace(api: Api, core: str, namespace: str) -> None:
    about = {"apiVersion": "x/v1", "kind": "Thing", "name": "db1", "namespace": "other", "uid": "u"}
    assert api.made(f"{core}/events", _event(namespace, involvedObject=about))["involvedObject"] == about
    old = {**_event(namespace, involvedObject=about), "eventTime": None}
    status, error = api.call("POST", f"{core}/events", old)
    assert (status, fields(error)) == (422, ["involvedObject.namespace"])


def test_events_are_selected_by_what_they_are_about(api: Api, core: str, namespace: str) -> None:
    made = api.made(f"{core}/events", _event(namespace))
    about = made["involvedObject"] | {"name": "other"}
    api.made(f"{core}/events", _event(namespace, involvedObject=about, type="Warning"))
    selected = f"involvedObject.kind=Thing,involvedObject.name=db1,involvedObject.namespace={namespace}"
    _, listed = api.call("GET", f"{core}/events?fieldSelector={selected}")
    assert names(listed) == [made["metadata"]["name"]]
    assert len(names(api.call("GET", f"{core}/events?fieldSelector=reason=R,type!=Normal")[1])) == 1
    assert api.call("GET", f"{core}/events?fieldSelector=message=m")[0] == 400


def test_an_event_must_say_who_reports_it(api: Api, core: str, namespace: str) -> None:
    status, error = api.call("POST", f"{core}/events", _event(namespace, reportingComponent=""))
    assert (status, fields(error)) == (422, ["reportingComponent"])


def test_events_have_a_second_face(api: Api, core: str, namespace: str) -> None:
    made = api.made(f"{core}/events", _event(namespace))
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    _, shown = api.call("GET", f"{path}/{made['metadata']['name']}")
    assert (shown["apiVersion"], shown["kind"]) == ("events.k8s.io/v1", "Event")
    assert (shown["note"], shown["regarding"]) == ("m", made["involvedObject"])
    assert shown["deprecatedSource"] == {"component": "kopf"}
    assert shown["metadata"]["uid"] == made["metadata"]["uid"]
    body = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e2"}, "note": "n"}
    body |= {"action": "A", "reason": "R2", "type": "Normal", "eventTime": "2026-11-24T00:06:42.000000Z"}
    body |= {"regarding": made["involvedObject"], "reportingController": "x.dev/y", "reportingInstance": "i"}
    status, posted = api.call("POST", path, body)
    assert (status, posted["reportingController"]) == (201, "x.dev/y")
    _, stored = api.call("GET", f"{core}/events/e2")
    assert (stored["message"], stored["reportingComponent"]) == ("n", "x.dev/y")


def test_events_as_a_table(api: Api, core: str, namespace: str) -> None:
    api.made(f"{core}/events", _event(namespace))
    table = api.send("GET", f"{core}/events", Accept=TABLE).body
    columns = [column["name"] for column in table["columnDefinitions"] if column["priority"] == 0]
    assert columns == ["Last Seen", "Type", "Reason", "Object", "Message"]
    cells = dict(zip((c["name"] for c in table["columnDefinitions"]), table["rows"][0]["cells"], strict=True))
    assert (cells["Type"], cells["Reason"], cells["Object"], cells["Message"]) == ("Normal", "R", "thing/db1", "m")


def test_a_list_over_all_namespaces(api: Api, core: str, namespace: str) -> None:
    api.made(f"{core}/configmaps", {"metadata": {"name": "cm", "labels": {"suite": namespace}}})
    listed = api.call("GET", f"/api/v1/configmaps?labelSelector=suite={namespace}")[1]
    assert [item["metadata"]["namespace"] for item in listed["items"]] == [namespace]
    assert api.call("GET", f"{GROUP}/things?labelSelector=suite={namespace}")[1]["items"] == []
