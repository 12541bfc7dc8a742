"""Objects: creation, versions, generations, isolation, patches, deletion. The same assertions hold on a real server."""

import json

import pytest

from conformance.kubernetes.conftest import Api, Embedded, thing

MERGE = "application/merge-patch+json"
PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


def test_creation_sets_what_the_server_sets(api: Api, space: str) -> None:
    status, made = api.call("POST", space, thing("one", size="x"))
    assert status == 201
    metadata = made["metadata"]
    assert metadata["generation"] == 1
    assert metadata["uid"]
    assert metadata["creationTimestamp"].endswith("Z")
    assert made["spec"]["replicas"] == 1, "defaults are filled in"
    status, error = api.call("POST", space, thing("one"))
    assert (status, error["reason"]) == (409, "AlreadyExists")


def test_a_write_of_a_stale_version_is_a_conflict(api: Api, space: str) -> None:
    _, old = api.call("POST", space, thing("one"))
    api.call("PATCH", f"{space}/one", {"spec": {"size": "y"}}, MERGE)
    status, error = api.call("PUT", f"{space}/one", old)
    assert (status, error["reason"]) == (409, "Conflict")
    del old["metadata"]["resourceVersion"]
    assert api.call("PUT", f"{space}/one", old)[0] == 422


def test_generations_grow_with_the_spec_only(api: Api, space: str) -> None:
    api.call("POST", space, thing("one"))
    _, labelled = api.call("PATCH", f"{space}/one", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    assert labelled["metadata"]["generation"] == 1
    _, changed = api.call("PATCH", f"{space}/one", {"spec": {"size": "y"}}, MERGE)
    assert changed["metadata"]["generation"] == 2
    _, same = api.call("PATCH", f"{space}/one", {"spec": {"size": "y"}}, MERGE)
    assert same["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]


def test_status_is_written_by_its_own_path_only(api: Api, space: str) -> None:
    api.call("POST", space, {**thing("one"), "status": {"phase": "x"}})
    _, stored = api.call("GET", f"{space}/one")
    assert "status" not in stored
    _, stored = api.call("PATCH", f"{space}/one/status", {"status": {"phase": "up"}, "spec": {"size": "no"}}, MERGE)
    assert stored["status"] == {"phase": "up"}
    assert "size" not in stored["spec"]
    assert stored["metadata"]["generation"] == 1
    _, stored = api.call("PATCH", f"{space}/one", {"status": {"phase": "down"}}, MERGE)
    assert stored["status"] == {"phase": "up"}


def test_scale_changes_replicas(api: Api, space: str) -> None:
    api.call("POST", space, thing("one"))
    status, scale = api.call("PATCH", f"{space}/one/scale", {"spec": {"replicas": 3}}, MERGE)
    assert (status, scale["kind"], scale["spec"]["replicas"]) == (200, "Scale", 3)
    assert api.call("GET", f"{space}/one")[1]["spec"]["replicas"] == 3


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ([{"op": "test", "path": "/metadata/resourceVersion", "value": "0"}], 422),
        ([{"op": "remove", "path": "/spec/absent"}], 422),
        ({"spec": {}}, 400),
        ([{"op": "add", "path": "/spec/size", "value": "z"}], 200),
    ],
)
def test_json_patches(api: Api, space: str, patch: object, status: int) -> None:
    api.call("POST", space, thing("one"))
    assert api.call("PATCH", f"{space}/one", patch, PATCH)[0] == status


def test_other_patch_types_are_not_taken_for_custom_resources(api: Api, space: str) -> None:
    api.call("POST", space, thing("one"))
    assert api.call("PATCH", f"{space}/one", {}, "application/strategic-merge-patch+json")[0] == 415


def test_finalizers_hold_an_object_and_the_last_one_frees_it(api: Api, space: str) -> None:
    body = thing("one")
    body["metadata"]["finalizers"] = ["statefuldb.dev/test"]
    api.call("POST", space, body)
    status, dying = api.call("DELETE", f"{space}/one")
    assert status == 200
    assert "deletionTimestamp" in dying["metadata"]
    assert dying["metadata"]["generation"] == 2
    more = {"metadata": {"finalizers": ["statefuldb.dev/test", "statefuldb.dev/more"]}}
    assert api.call("PATCH", f"{space}/one", more, MERGE)[0] == 422
    assert api.call("PATCH", f"{space}/one", {"metadata": {"finalizers": None}}, MERGE)[0] == 200
    assert api.call("GET", f"{space}/one")[0] == 404


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"engine": "c"}, "spec.engine"),
        ({"replicas": 10}, "spec.replicas"),
        ({"replicas": "x"}, "spec.replicas"),
        ({"engine": "b", "replicas": 8}, "spec"),
        ({"size": "x" * 65}, "spec.size"),
    ],
)
def test_a_bad_value_is_422_and_names_its_field(api: Api, space: str, spec: dict[str, object], field: str) -> None:
    status, error = api.call("POST", space, thing("one", **spec))
    assert (status, error["reason"]) == (422, "Invalid")
    assert field in [cause["field"] for cause in error["details"]["causes"]]


def test_unknown_fields_are_pruned_or_refused_as_asked(api: Api, space: str) -> None:
    _, made = api.call("POST", space, thing("one", junk=1))
    assert "junk" not in made["spec"]
    status, error = api.call("POST", f"{space}?fieldValidation=Strict", thing("two", junk=1))
    assert status == 400
    assert 'unknown field "spec.junk"' in error["message"]


def test_a_transition_rule_holds_on_update(api: Api, space: str) -> None:
    api.call("POST", space, thing("one"))
    assert api.call("PATCH", f"{space}/one", {"spec": {"engine": "b"}}, MERGE)[0] == 422


def test_a_dry_run_stores_nothing(api: Api, space: str) -> None:
    assert api.call("POST", f"{space}?dryRun=All", thing("one"))[0] == 201
    assert api.call("GET", f"{space}/one")[0] == 404


def test_server_side_apply_owns_conflicts_and_lets_go(api: Api, space: str) -> None:
    path = f"{space}/one"
    assert api.call("PATCH", path, thing("one"), APPLY)[0] == 422, "a field manager is required"
    status, _ = api.call("PATCH", f"{path}?fieldManager=m1", thing("one", size="1", tags={"a": "1"}), APPLY)
    assert status == 201
    status, error = api.call("PATCH", f"{path}?fieldManager=m2", thing("one", size="2"), APPLY)
    assert status == 409
    assert error["details"]["causes"][0]["field"] == ".spec.size"
    status, forced = api.call("PATCH", f"{path}?fieldManager=m2&force=true", thing("one", size="2"), APPLY)
    assert (status, forced["spec"]["size"]) == (200, "2")
    _, less = api.call("PATCH", f"{path}?fieldManager=m1", thing("one"), APPLY)
    assert "tags" not in less["spec"]
    assert less["spec"]["size"] == "2"


def test_lists_are_selected_and_paged(api: Api, space: str) -> None:
    for number in range(5):
        body = thing(f"t{number}")
        body["metadata"]["labels"] = {"parity": str(number % 2)}
        api.call("POST", space, body)
    _, even = api.call("GET", f"{space}?labelSelector=parity=0")
    assert [o["metadata"]["name"] for o in even["items"]] == ["t0", "t2", "t4"]
    _, one = api.call("GET", f"{space}?fieldSelector=metadata.name=t3")
    assert len(one["items"]) == 1
    _, page = api.call("GET", f"{space}?limit=2")
    _, rest = api.call("GET", f"{space}?limit=9&continue={page['metadata']['continue']}")
    assert len(page["items"]) + len(rest["items"]) == 5


def test_a_watch_tells_what_happened_since_a_version(api: Api, space: str) -> None:
    _, listed = api.call("GET", space)
    version = listed["metadata"]["resourceVersion"]
    api.call("POST", space, thing("one"))
    api.call("PATCH", f"{space}/one", {"spec": {"size": "y"}}, MERGE)
    api.call("DELETE", f"{space}/one")
    with api.open("GET", f"{space}?watch=true&resourceVersion={version}&timeoutSeconds=1") as stream:
        events = [json.loads(line) for line in stream]
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))


def test_what_was_answered_survives_a_kill(api: Api, space: str, embedded: Embedded | None) -> None:
    if embedded is None:
        pytest.skip("a server that is not ours is not killed")
    _, made = api.call("POST", space, thing("one", size="kept"))
    embedded.kill()
    embedded.start()
    status, found = api.call("GET", f"{space}/one")
    assert status == 200
    assert found == made
    _, later = api.call("PATCH", f"{space}/one", {"spec": {"size": "y"}}, MERGE)
    assert int(later["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
