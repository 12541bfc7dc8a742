"""Changes: generations, versions, conflicts, and what each path may write."""

from typing import Any

import pytest

from conformance.kubernetes.server import MERGE, Api
from conformance.kubernetes.things import GROUP_NAME, fields, thing

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def test_generations_grow_with_the_spec_only(api: Api, space: str) -> None:
    """The order is that of the recorded session; each step says the generation and whether the version grows."""
    path = f"{space}/one"
    last = api.made(space, thing("one"))["metadata"]["resourceVersion"]
    steps: list[tuple[str, Any, int, bool]] = [
        ("", {"metadata": {"labels": {"a": "b"}}}, 1, True),
        ("", {"metadata": {"labels": {"a": "b"}}}, 1, False),
        ("", {"spec": {"replicas": 5}}, 2, True),
        ("", {"spec": {"replicas": 5}}, 2, False),
        ("", {"status": {"phase": "A"}}, 2, False),
        ("/status", {"status": {"phase": "A"}}, 2, True),
        ("/status", {"status": {"phase": "A"}}, 2, False),
        ("/status", {"spec": {"replicas": 9}}, 2, False),
        ("/status", {"metadata": {"labels": {"x": "y"}, "finalizers": ["a/b"]}}, 2, False),
        ("", {"spec": {"replicas": 6}, "status": {"phase": "B"}}, 3, True),
        ("", {"spec": {"version": None}}, 3, False),
        ("", {"spec": {"junk": 1}}, 3, False),
        ("", {"metadata": {"finalizers": ["a/b"]}}, 3, True),
        ("", {"metadata": {"generation": 77}}, 3, False),
        ("/scale", {"spec": {"replicas": 7}}, 4, True),
        ("", {"metadata": {"finalizers": None}}, 4, True),
    ]
    for below, patch, generation, grows in steps:
        api.patched(path + below, patch)
        _, stored = api.call("GET", path)
        metadata = stored["metadata"]
        assert metadata["generation"] == generation, (below, patch)
        assert (metadata["resourceVersion"] != last) is grows, (below, patch)
        last = metadata["resourceVersion"]
    assert stored["status"] == {"phase": "A"}
    assert stored["spec"]["replicas"] == 7


@pytest.mark.parametrize("field", ["deletionTimestamp", "uid"])
def test_server_fields_are_immutable(api: Api, space: str, field: str) -> None:
    api.made(space, thing("one"))
    value = "2030-01-01T00:00:00Z" if field == "deletionTimestamp" else "11111111-1111-1111-1111-111111111111"
    status, error = api.call("PATCH", f"{space}/one", {"metadata": {field: value}}, MERGE)
    assert (status, fields(error)) == (422, [f"metadata.{field}"])
    assert error["message"].endswith(f'metadata.{field}: Invalid value: "{value}": field is immutable')


def test_times_may_come_back_in_another_form(api: Api, space: str, core: str) -> None:
    """The Python client reads times and writes them again with +00:00."""
    for collection, body in ((space, thing("one")), (f"{core}/configmaps", {"metadata": {"name": "one"}})):
        made = api.made(collection, body)
        created = made["metadata"]["creationTimestamp"]
        made["metadata"]["creationTimestamp"] = created.replace("Z", "+00:00")
        status, stored = api.call("PUT", f"{collection}/one", made)
        assert (status, stored["metadata"]["creationTimestamp"]) == (200, created)
        assert stored["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_status_has_a_path_of_its_own(api: Api, space: str) -> None:
    made = api.made(space, thing("one"))
    assert api.call("GET", f"{space}/one/status")[1] == made
    for method in ("POST", "DELETE"):
        status, error = api.call(method, f"{space}/one/status", {})
        assert (status, error["reason"]) == (405, "MethodNotAllowed")
        assert error["details"] == {"group": GROUP_NAME, "kind": "things"}
        assert f'is not supported on resources of kind "things.{GROUP_NAME}"' in error["message"]
    status, put = api.call("PUT", f"{space}/one/status", {**made, "status": {"phase": "up"}, "spec": {"engine": "no"}})
    assert (status, put["status"], put["spec"]) == (200, {"phase": "up"}, made["spec"])
    del put["status"]
    status, put = api.call("PUT", f"{space}/one", {**put, "spec": {**put["spec"], "replicas": 3}})
    assert (status, put["status"]) == (200, {"phase": "up"})


def test_status_is_validated(api: Api, space: str) -> None:
    api.made(space, thing("one"))
    bad = {"status": {"conditions": [{"type": "Ready", "status": "Maybe"}]}}
    status, error = api.call("PATCH", f"{space}/one/status", bad, MERGE)
    assert (status, fields(error)) == (422, ["status.conditions[0].status"])
    assert 'Unsupported value: "Maybe": supported values: "True", "False", "Unknown"' in error["message"]


def test_a_transition_rule_holds_on_update(api: Api, space: str) -> None:
    api.made(space, thing("one"))
    status, error = api.call("PATCH", f"{space}/one", {"spec": {"engine": "mysql"}}, MERGE)
    assert (status, fields(error)) == (422, ["spec"])
    assert error["message"].startswith(f'Thing.{GROUP_NAME} "one" is invalid: spec: Invalid value: ')
    assert error["message"].endswith("engine is immutable")


def test_scale_reads_and_writes_replicas(api: Api, space: str) -> None:
    made = api.made(space, thing("one"))
    api.patched(f"{space}/one/status", {"status": {"replicas": 1}})
    status, scale = api.call("GET", f"{space}/one/scale")
    assert status == 200
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (scale["spec"], scale["status"]["replicas"]) == ({"replicas": 1}, 1)
    assert scale["metadata"]["uid"] == made["metadata"]["uid"]
    status, scale = api.call("PUT", f"{space}/one/scale", {**scale, "spec": {"replicas": 8}})
    assert (status, scale["spec"]["replicas"]) == (200, 8)
    stored = api.call("GET", f"{space}/one")[1]
    assert (stored["spec"]["replicas"], stored["metadata"]["generation"]) == (8, 2)
    stale = {**scale, "metadata": {**scale["metadata"], "resourceVersion": made["metadata"]["resourceVersion"]}}
    assert api.call("PUT", f"{space}/one/scale", stale)[0] == 409
    assert api.call("PATCH", f"{space}/one/scale", {"spec": {"replicas": -1}}, MERGE)[0] == 422


def test_a_write_of_a_stale_version_is_a_conflict(api: Api, space: str) -> None:
    path = f"{space}/one"
    old = api.made(space, thing("one"))
    status, fresh = api.call("PUT", path, {**old, "spec": {**old["spec"], "replicas": 2}})
    assert (status, fresh["metadata"]["generation"]) == (200, 2)
    stale = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "spec": {"replicas": 44}}
    for status, error in (api.call("PUT", path, old), api.call("PATCH", path, stale, MERGE)):
        assert (status, error["reason"]) == (409, "Conflict")
        assert error["message"] == f'Operation cannot be fulfilled on things.{GROUP_NAME} "one": {MODIFIED}'
        assert error["details"] == {"group": GROUP_NAME, "kind": "things", "name": "one"}
    assert api.call("GET", path)[1] == fresh


@pytest.mark.parametrize(
    ("metadata", "status", "reason", "message"),
    [
        ({"resourceVersion": None}, 422, "Invalid", "metadata.resourceVersion: Invalid value: 0: must be specified"),
        ({"resourceVersion": "0"}, 422, "Invalid", "metadata.resourceVersion: Invalid value: 0: must be specified"),
        ({"resourceVersion": "abc"}, 500, None, 'strconv.ParseUint: parsing "abc": invalid syntax'),
        ({"uid": "11111111-1111-1111-1111-111111111111"}, 409, "Conflict", "UID in precondition: 11111111"),
        ({"name": "zzz"}, 400, "BadRequest", "the name of the object (zzz) does not match the name on the URL (one)"),
    ],
)
def test_a_replacement_must_name_its_object(
    api: Api, space: str, metadata: dict[str, Any], status: int, reason: str | None, message: str
) -> None:
    body = api.made(space, thing("one"))
    changed = {k: v for k, v in {**body["metadata"], **metadata}.items() if v is not None}
    code, error = api.call("PUT", f"{space}/one", {**body, "metadata": changed})
    assert (code, error.get("reason")) == (status, reason)
    assert message in error["message"]


def test_nothing_is_created_by_replacing(api: Api, space: str) -> None:
    body = thing("absent")
    for version in ("", "1"):
        body["metadata"]["resourceVersion"] = version
        status, error = api.call("PUT", f"{space}/absent", body)
        assert (status, error["reason"]) == (404, "NotFound")
        assert error["message"] == f'things.{GROUP_NAME} "absent" not found'


def test_a_dry_run_of_a_change_shows_it_and_keeps_the_old(api: Api, space: str) -> None:
    made = api.made(space, thing("one"))
    shown = api.patched(f"{space}/one?dryRun=All", {"spec": {"replicas": 9}})
    assert (shown["spec"]["replicas"], shown["metadata"]["generation"]) == (9, 2)
    assert api.call("GET", f"{space}/one")[1] == made
