"""Status is written often, and most of it stays: what stays is not looked at, and nothing is lost by that."""

from typing import Any

import pytest

from statefuldb.local.api_server.errors import ApiError
from unit.local.api_server.world import World, write

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
CONDITIONS: Json = {
    "type": "array",
    "items": {"type": "object", "properties": {"type": TEXT, "reason": TEXT}},
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
}
STATUS: Json = {
    "type": "object",
    "properties": {"conditions": CONDITIONS, "replicas": {"type": "integer"}, "summary": TEXT},
    "x-kubernetes-validations": [{"rule": "self.replicas < 3", "message": "too many"}],
}


@pytest.fixture
def world() -> World:
    made = World()
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": TEXT}}, "status": STATUS}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": "g.dev", "scope": "Namespaced", "names": {"plural": "xs", "kind": "X"}}
    made.create(
        "customresourcedefinitions",
        {"metadata": {"name": "xs.g.dev"}, "spec": {**spec, "versions": [{**version, "subresources": {"status": {}}}]}},
    )
    made.create("xs", {"apiVersion": "g.dev/v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"a": "1"}})
    return made


def put(world: World, status: Json) -> Json:
    held = world.store.objects["xs.g.dev", "home", "x"]["metadata"]
    metadata = {"name": "x", "resourceVersion": held["resourceVersion"]}
    body = {"apiVersion": "g.dev/v1", "kind": "X", "metadata": metadata, "status": status}
    stored, _ = world.service.replace(world.kind("xs"), "home", "x", body, write(subresource="status"))
    return stored


def status(reason: str = "Fine", **more: Any) -> Json:
    return {"conditions": [{"type": "Ready", "reason": reason}], "replicas": 1, **more}


def test_what_stays_stays_whole_and_keeps_its_owner(world: World) -> None:
    first = put(world, status())
    second = put(world, status(summary="one"))
    third = put(world, status(summary="two"))
    assert third["status"] == status(summary="two")
    assert third["spec"] == {"a": "1"}
    entry = next(e for e in third["metadata"]["managedFields"] if e.get("subresource") == "status")
    owned = entry["fieldsV1"]["f:status"]
    assert set(owned) == {".", "f:conditions", "f:replicas", "f:summary"}
    assert owned["f:conditions"]['k:{"type":"Ready"}'] == {".": {}, "f:reason": {}, "f:type": {}}
    assert (first["status"], second["status"]) == (status(), status(summary="one")), "older versions are as they were"


def test_a_part_that_goes_is_owned_no_longer(world: World) -> None:
    put(world, status(summary="one"))
    stored = put(world, status())
    entry = next(e for e in stored["metadata"]["managedFields"] if e.get("subresource") == "status")
    assert set(entry["fieldsV1"]["f:status"]) == {".", "f:conditions", "f:replicas"}


def test_what_changes_is_judged_and_pruned(world: World) -> None:
    put(world, status())
    with pytest.raises(ApiError, match="too many"):
        put(world, status(replicas=4))
    with pytest.raises(ApiError, match="must be of type integer"):
        put(world, status(replicas=True))
    stored = put(world, {**status(), "conditions": [{"type": "Ready", "reason": "Fine", "junk": 1}]})
    assert stored["status"] == status()
