"""Deletion: finalizers, preconditions, propagation, collections."""

from typing import Any

import pytest

from conformance.kubernetes.server import MERGE, Api, eventually
from conformance.kubernetes.things import GROUP_NAME, fields, held, names, thing

Json = dict[str, Any]


def test_a_deletion_that_waits_and_cascades_is_accepted_not_done(api: Api, space: str) -> None:
    body = thing("held")
    body["metadata"]["finalizers"] = ["example.dev/keep"]
    api.made(space, body)
    assert api.call("DELETE", f"{space}/held", {"orphanDependents": False})[0] == 202
    api.patched(f"{space}/held", {"metadata": {"finalizers": None}})
    api.made(space, thing("free"))
    assert api.call("DELETE", f"{space}/free", {"orphanDependents": False})[0] == 200


def test_a_deletion_of_an_account_tells_what_it_was(api: Api, core: str) -> None:
    made = api.made(f"{core}/serviceaccounts", {"metadata": {"name": "a"}})
    status, told = api.call("DELETE", f"{core}/serviceaccounts/a")
    assert (status, told["kind"], told["metadata"]["uid"]) == (200, "ServiceAccount", made["metadata"]["uid"])


def test_without_finalizers_it_is_gone_at_once(api: Api, space: str) -> None:
    uid = api.made(space, thing("one"))["metadata"]["uid"]
    status, answer = api.call("DELETE", f"{space}/one")
    assert (status, answer["kind"], answer["status"]) == (200, "Status", "Success")
    assert answer["details"] == {"group": GROUP_NAME, "kind": "things", "name": "one", "uid": uid}
    status, error = api.call("DELETE", f"{space}/one")
    assert (status, error["reason"]) == (404, "NotFound")


def test_finalizers_hold_an_object_and_the_last_one_frees_it(api: Api, space: str) -> None:
    path = f"{space}/one"
    made = api.made(space, held("one", "a.dev/x", "a.dev/y"))
    status, dying = api.call("DELETE", path)
    assert status == 200
    assert dying["metadata"]["deletionTimestamp"].endswith("Z")
    assert dying["metadata"]["deletionGracePeriodSeconds"] == 0
    assert dying["metadata"]["generation"] == 2
    assert api.call("DELETE", path) == (200, dying), "again changes nothing"
    status, error = api.call("POST", space, thing("one"))
    assert (status, error["reason"]) == (409, "AlreadyExists")
    assert error["message"] == f'object is being deleted: things.{GROUP_NAME} "one" already exists'
    assert api.patched(path, {"spec": {"replicas": 5}})["metadata"]["generation"] == 3
    assert api.patched(f"{path}/status", {"status": {"phase": "x"}})["metadata"]["generation"] == 3
    more = {"metadata": {"finalizers": ["a.dev/x", "a.dev/y", "a.dev/z"]}}
    status, error = api.call("PATCH", path, more, MERGE)
    assert (status, fields(error)) == (422, ["metadata.finalizers"])
    assert 'found new finalizers []string{"a.dev/z"}' in error["message"]
    kept = api.patched(path, {"metadata": {"deletionTimestamp": None}})
    assert kept["metadata"]["deletionTimestamp"] == dying["metadata"]["deletionTimestamp"]
    one_left = api.patched(path, {"metadata": {"finalizers": ["a.dev/y"]}})
    last = api.patched(path, {"metadata": {"finalizers": None}})
    assert last["metadata"]["resourceVersion"] == one_left["metadata"]["resourceVersion"], "not stored any more"
    assert "finalizers" not in last["metadata"]
    assert api.call("GET", path)[0] == 404
    since = made["metadata"]["resourceVersion"]
    seen = api.events(f"{space}?watch=true&resourceVersion={since}&timeoutSeconds=1")
    assert [event["type"] for event in seen] == ["MODIFIED"] * 4 + ["DELETED"]
    final = seen[-1]["object"]["metadata"]
    assert final["finalizers"] == ["a.dev/y"], "the last stored state"
    assert final["resourceVersion"] != last["metadata"]["resourceVersion"], "with a new version"


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (
            {"preconditions": {"uid": "1111"}},
            409,
            "the UID in the precondition (1111) does not match the UID in record",
        ),
        (
            {"preconditions": {"resourceVersion": "1"}},
            409,
            "the ResourceVersion in the precondition (1) does not match",
        ),
        ({"propagationPolicy": "Bogus"}, 422, 'propagationPolicy: Unsupported value: "Bogus": supported values: '),
        ({"orphanDependents": True, "propagationPolicy": "Orphan"}, 422, "cannot be both set"),
    ],
)
def test_options_that_do_not_fit_delete_nothing(api: Api, space: str, options: Json, status: int, message: str) -> None:
    made = api.made(space, thing("one"))
    code, error = api.call("DELETE", f"{space}/one", options)
    assert code == status
    assert message in error["message"]
    assert api.call("GET", f"{space}/one") == (200, made)


def test_a_dry_run_deletes_nothing(api: Api, space: str) -> None:
    made = api.made(space, thing("one"))
    for path, body in ((f"{space}/one?dryRun=All", None), (f"{space}/one", {"dryRun": ["All"]})):
        status, answer = api.call("DELETE", path, body)
        assert (status, answer["status"]) == (200, "Success")
    assert api.call("GET", f"{space}/one") == (200, made)


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("one", {"gracePeriodSeconds": 30, "apiVersion": "v1", "kind": "DeleteOptions"}),
        ("one?gracePeriodSeconds=0&propagationPolicy=Background", None),
    ],
)
def test_options_of_body_and_query_are_taken(api: Api, space: str, path: str, options: Json | None) -> None:
    api.made(space, thing("one"))
    status, answer = api.call("DELETE", f"{space}/{path}", options)
    assert (status, answer["status"]) == (200, "Success")


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
def test_a_policy_holds_the_object_by_a_finalizer(api: Api, space: str, policy: str, finalizer: str) -> None:
    api.made(space, thing("one"))
    status, dying = api.call("DELETE", f"{space}/one", {"propagationPolicy": policy})
    assert status == 200
    assert dying["metadata"]["finalizers"] == [finalizer]
    assert dying["metadata"]["generation"] == 2
    api.call("PATCH", f"{space}/one", {"metadata": {"finalizers": None}}, MERGE)
    assert api.call("GET", f"{space}/one")[0] == 404


def test_a_collection_is_deleted_by_selector(api: Api, space: str) -> None:
    api.made(space, thing("kept"))
    api.made(space, thing("gone", engine="mysql"))
    body = held("waits", "a.dev/x")
    api.made(space, {**body, "spec": {"engine": "mysql"}})
    status, deleted = api.call("DELETE", f"{space}?fieldSelector=spec.engine=mysql")
    assert (status, deleted["kind"], names(deleted)) == (200, "ThingList", ["gone", "waits"])
    listed = api.call("GET", space)[1]
    assert names(listed) == ["kept", "waits"]
    assert "deletionTimestamp" in listed["items"][1]["metadata"]
    api.patched(f"{space}/waits", {"metadata": {"finalizers": None}})


@pytest.fixture
def collector(api: Api, space: str) -> None:
    """Skip where nothing collects garbage: a kube-apiserver by itself does not."""
    _family(api, space, "probe")
    api.call("DELETE", f"{space}/probe")
    try:
        eventually(lambda: api.call("GET", f"{space}/probe-child")[0] == 404, 10)
    except AssertionError:
        pytest.skip("this server runs without a garbage collector")


def _family(api: Api, space: str, name: str, *more_owners: Json, block: bool = True) -> Json:
    """Make an owner and its dependent; return the reference to the owner."""
    owner = api.made(space, thing(name))["metadata"]
    reference = {
        "apiVersion": f"{GROUP_NAME}/v1",
        "kind": "Thing",
        "name": name,
        "uid": owner["uid"],
        "blockOwnerDeletion": block,
    }
    child = held(f"{name}-child")
    child["metadata"] = {"name": f"{name}-child", "ownerReferences": [reference, *more_owners]}
    api.made(space, child)
    return reference


@pytest.mark.usefixtures("collector")
def test_dependents_follow_their_owner_in_the_background(api: Api, space: str) -> None:
    _family(api, space, "one")
    api.call("DELETE", f"{space}/one", {"propagationPolicy": "Background"})
    assert api.call("GET", f"{space}/one")[0] == 404
    eventually(lambda: api.call("GET", f"{space}/one-child")[0] == 404)


@pytest.mark.usefixtures("collector")
def test_in_the_foreground_the_owner_waits_for_its_dependents(api: Api, space: str) -> None:
    _family(api, space, "one")
    api.patched(f"{space}/one-child", {"metadata": {"finalizers": ["a.dev/x"]}})
    api.call("DELETE", f"{space}/one", {"propagationPolicy": "Foreground"})
    eventually(lambda: "deletionTimestamp" in api.call("GET", f"{space}/one-child")[1]["metadata"])
    assert api.call("GET", f"{space}/one")[1]["metadata"]["finalizers"] == ["foregroundDeletion"]
    child = api.call("GET", f"{space}/one-child")[1]["metadata"]["finalizers"]
    left = [finalizer for finalizer in child if finalizer != "a.dev/x"]
    api.patched(f"{space}/one-child", {"metadata": {"finalizers": left or None}})
    eventually(lambda: api.call("GET", f"{space}/one")[0] == 404)
    assert api.call("GET", f"{space}/one-child")[0] == 404


@pytest.mark.usefixtures("collector")
def test_orphans_lose_their_owner_and_stay(api: Api, space: str) -> None:
    _family(api, space, "one")
    api.call("DELETE", f"{space}/one", {"propagationPolicy": "Orphan"})
    eventually(lambda: api.call("GET", f"{space}/one")[0] == 404)
    status, child = api.call("GET", f"{space}/one-child")
    assert status == 200
    assert "ownerReferences" not in child["metadata"]


@pytest.mark.usefixtures("collector")
def test_a_dependent_of_two_owners_outlives_the_first(api: Api, space: str) -> None:
    other = _family(api, space, "other")
    _family(api, space, "one", other)
    api.call("DELETE", f"{space}/one")
    eventually(lambda: len(api.call("GET", f"{space}/one-child")[1]["metadata"]["ownerReferences"]) == 1)
    api.call("DELETE", f"{space}/other")
    eventually(lambda: api.call("GET", f"{space}/one-child")[0] == 404)
