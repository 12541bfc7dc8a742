"""Whose field is whose, as `metadata.managedFields` tells: what server-side apply of others will conflict with."""

from typing import Any

from conformance.kubernetes.server import APPLY, MERGE, Api, eventually
from conformance.kubernetes.things import DEFINITIONS, GROUP, definition, thing

Json = dict[str, Any]
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


def _owned(stored: Json, manager: str, subresource: str = "") -> Json | None:
    """Return what a manager owns."""
    for each in stored["metadata"].get("managedFields", ()):
        if (each["manager"], each.get("subresource", "")) == (manager, subresource):
            owned: Json = each["fieldsV1"]
            return owned
    return None


def test_a_write_of_the_object_owns_nothing_of_its_status(api: Api, space: str) -> None:
    made = api.made(f"{space}?fieldManager=ada", {**thing("a"), "status": {"phase": "X"}})
    assert "f:status" not in (_owned(made, "ada") or {})
    told = api.patched(f"{space}/a/status?fieldManager=bob", {"status": {"phase": "Y"}})
    assert _owned(told, "bob", "status") == {"f:status": {".": {}, "f:phase": {}}}
    whole = api.call("PUT", f"{space}/a?fieldManager=eve", {**told, "status": {"phase": "Z"}})[1]
    assert _owned(whole, "eve") is None
    assert _owned(whole, "bob", "status") == {"f:status": {".": {}, "f:phase": {}}}


def test_nobody_owns_a_status_that_is_there_by_default(api: Api, namespace: str) -> None:
    body = definition("gadgets")
    body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["default"] = {"phase": "New"}
    api.made(DEFINITIONS, body)
    space = f"{GROUP}/namespaces/{namespace}/gadgets"
    eventually(lambda: api.call("GET", space)[0] == 200)
    made = api.made(f"{space}?fieldManager=ada", {**thing("a"), "kind": "Gadget"})
    assert made["status"] == {"phase": "New"}
    assert "f:status" not in (_owned(made, "ada") or {})
    api.call("DELETE", f"{DEFINITIONS}/{body['metadata']['name']}")


def test_an_owner_reference_is_owned_whole(api: Api, core: str) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u1"}
    made = api.made(f"{core}/configmaps?fieldManager=ada", {"metadata": {"name": "a", "ownerReferences": [owner]}})
    assert _owned(made, "ada") == {"f:metadata": {"f:ownerReferences": {".": {}, 'k:{"uid":"u1"}': {}}}}


def test_parts_of_built_in_kinds_are_owned_as_their_types_say(api: Api, namespace: str, core: str) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    subject = {"kind": "ServiceAccount", "name": "op", "namespace": "default"}
    bindings = f"{_RBAC}/namespaces/{namespace}/rolebindings?fieldManager=ada"
    made = api.made(bindings, {"metadata": {"name": "a"}, "subjects": [subject], "roleRef": role})
    assert _owned(made, "ada") == {"f:roleRef": {}, "f:subjects": {}}
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases?fieldManager=ada"
    assert _owned(api.made(leases, {"metadata": {"name": "a"}, "spec": {"holderIdentity": "x"}}), "ada") == {
        "f:spec": {"f:holderIdentity": {}}
    }
    about = {"kind": "ConfigMap", "name": "x", "namespace": namespace}
    event = {"metadata": {"name": "a"}, "involvedObject": about, "source": {"component": "c"}, "type": "Normal"}
    assert _owned(api.made(f"{core}/events?fieldManager=ada", event), "ada") == {
        "f:involvedObject": {},
        "f:source": {"f:component": {}},
        "f:type": {},
    }


def test_an_apply_of_nothing_owns_nothing(api: Api, core: str) -> None:
    path = f"{core}/configmaps/a"
    version = api.made(f"{core}/configmaps", {"metadata": {"name": "a"}, "data": {"x": "1"}})["metadata"]
    empty = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    applied = api.patched(f"{path}?fieldManager=ada", empty, APPLY)
    assert _owned(applied, "ada") is None
    assert applied["metadata"]["resourceVersion"] == version["resourceVersion"]


def test_whose_fields_are_forgotten_are_not_counted_again_until_somebody_applies(api: Api, core: str) -> None:
    path = f"{core}/configmaps/a"
    api.made(f"{core}/configmaps", {"metadata": {"name": "a"}, "data": {"x": "1"}})
    assert "managedFields" not in api.patched(path, {"metadata": {"managedFields": [{}]}})["metadata"]
    assert "managedFields" not in api.patched(path, {"data": {"x": "2"}}, MERGE)["metadata"]
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"y": "1"}}
    applied = api.patched(f"{path}?fieldManager=ada", body, APPLY)
    assert _owned(applied, "ada") == {"f:data": {"f:y": {}}}
    assert _owned(applied, "before-first-apply") == {"f:data": {".": {}, "f:x": {}}}


def test_an_apply_that_changes_nothing_has_no_time(api: Api, core: str) -> None:
    api.made(f"{core}/configmaps?fieldManager=ada", {"metadata": {"name": "a"}, "data": {"x": "1"}})
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    applied = api.patched(f"{core}/configmaps/a?fieldManager=bob", body, APPLY)
    (mine,) = [each for each in applied["metadata"]["managedFields"] if each["manager"] == "bob"]
    assert "time" not in mine


def test_who_made_a_list_of_named_things_keeps_it(api: Api, space: str) -> None:
    """The list itself, as its items come and go, stays with whoever made it."""
    api.made(f"{space}?fieldManager=ada", thing("a", users=[{"name": "x"}]))
    told = api.patched(f"{space}/a?fieldManager=bob", {"spec": {"users": [{"name": "x"}, {"name": "y"}]}})
    assert (_owned(told, "ada") or {})["f:spec"]["f:users"]["."] == {}
    assert set((_owned(told, "bob") or {})["f:spec"]["f:users"]) == {'k:{"name":"y"}'}


def test_several_conflicts_are_listed_by_who_owns_the_fields(api: Api, core: str) -> None:
    api.made(f"{core}/configmaps?fieldManager=ada", {"metadata": {"name": "a"}, "data": {"x": "1", "y": "1"}})
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "2", "y": "2"}}
    answer = api.call("PATCH", f"{core}/configmaps/a?fieldManager=bob", body, APPLY)[1]
    listed = 'conflicts with "ada" using v1:\n- .data.x\n- .data.y'
    assert answer["message"] == f"Apply failed with 2 conflicts: {listed}"


def test_an_apply_that_gives_all_up_leaves_no_list_of_owners(api: Api, core: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    api.patched(f"{core}/configmaps/a?fieldManager=ada", {**body, "data": {"x": "1"}}, APPLY)
    given_up = api.patched(f"{core}/configmaps/a?fieldManager=ada", body, APPLY)
    assert "data" not in given_up
    assert "managedFields" not in given_up["metadata"]


def test_a_conflict_says_by_which_version_an_update_was_made(api: Api, core: str, space: str) -> None:
    api.made(f"{core}/configmaps?fieldManager=ada", {"metadata": {"name": "a"}, "data": {"x": "1"}})
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "2"}}
    status, answer = api.call("PATCH", f"{core}/configmaps/a?fieldManager=bob", body, APPLY)
    assert (status, answer["details"]["causes"][0]["message"]) == (409, 'conflict with "ada" using v1')


def test_a_namespace_owns_no_part_that_the_server_gives_it(api: Api, namespace: str) -> None:
    name = f"{namespace}-b"
    made = api.made("/api/v1/namespaces?fieldManager=ada", {"metadata": {"name": name}})
    named: Json = {"f:labels": {".": {}, "f:kubernetes.io/metadata.name": {}}}
    assert _owned(made, "ada") == {"f:metadata": named}
    api.call("DELETE", f"/api/v1/namespaces/{name}")
