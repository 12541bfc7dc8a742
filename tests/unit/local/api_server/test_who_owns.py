"""Who owns what is empty, what holds things without a schema, and how several conflicts are told."""

from typing import Any

import pytest

from statefuldb.local.api_server.changes.apply import apply, track_update
from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.serving.listing import page
from unit.local.api_server.world import NOW, World

Json = dict[str, Any]
SCHEMA: Json = {
    "properties": {
        "spec": {
            "properties": {
                "users": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
                "tags": {"additionalProperties": {"type": "string"}},
                "any": {"x-kubernetes-preserve-unknown-fields": True},
                "size": {"type": "integer"},
                "growth": {"properties": {"by": {"type": "integer"}}},
            }
        }
    }
}


def body(**spec: Any) -> Json:
    return {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": spec}


def owned(value: Json, manager: str) -> Any:
    found = [each["fieldsV1"] for each in value["metadata"].get("managedFields", ()) if each["manager"] == manager]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("full", "empty"), [({"tags": {"a": "1"}}, {"tags": {}}), ({"users": [{"name": "a"}]}, {"users": []})]
)
def test_who_empties_what_another_made_does_not_own_it(full: Json, empty: Json) -> None:
    (name,) = full
    made, emptied = body(**full), body(**empty)
    track_update(None, made, manager="ada", now=NOW, schema=SCHEMA)
    track_update(made, emptied, manager="bob", now=NOW, schema=SCHEMA)
    assert owned(emptied, "ada") == {"f:spec": {".": {}, f"f:{name}": {}}}
    assert owned(emptied, "bob") is None


def test_what_holds_things_without_a_schema_is_owned_itself() -> None:
    made = apply(None, body(any={"a": {"b": 1}}), manager="ada", force=False, now=NOW, schema=SCHEMA)
    assert owned(made, "ada") == {"f:spec": {"f:any": {"f:a": {".": {}, "f:b": {}}}}}


def test_conflicts_come_level_by_level_and_those_of_an_apply_first() -> None:
    live = body(size=1, growth={"by": 1})
    track_update(None, live, manager="ada", now=NOW, schema=SCHEMA)
    live = apply(live, body(size=1, growth={"by": 1}), manager="ada", force=False, now=NOW, schema=SCHEMA)
    with pytest.raises(ApiError) as error:
        apply(live, body(size=2, growth={"by": 2}), manager="bob", force=False, now=NOW, schema=SCHEMA)
    listed = "\n- .spec.size\n- .spec.growth.by"
    two = f'conflicts with "ada":{listed}\nconflicts with "ada" using v1:{listed}'
    assert str(error.value) == f"Apply failed with 4 conflicts: {two}"


def test_an_apply_of_a_status_says_nothing_of_metadata() -> None:
    world = World.of_ours()
    kind = world.kind("statefuldatabases")
    whole: Json = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "a"}}
    spec: Json = {"engine": {"type": "MariaDB", "version": "10.11"}, "resources": {"cpus": "1", "memory": "1Gi"}}
    spec |= {"storage": {"strategy": "PersistentVolume", "size": "1Gi"}}
    world.create(kind.plural, {**whole, "spec": spec})
    whole["metadata"] |= {"labels": {"a": "b"}, "finalizers": ["example.dev/x"]}
    content_type, body = "application/apply-patch+yaml", {**whole, "status": {"summary": "x"}}
    told = world.patch(kind.plural, "a", body, content_type=content_type, subresource="status", manager="ada")
    assert owned(told, "ada") == {"f:status": {"f:summary": {}}}
    assert not {"labels", "finalizers"} & set(told["metadata"])


def test_an_apply_with_a_version_makes_what_is_not_there() -> None:
    """As a real server does: who wants to change only what is there has to look at what was made."""
    world = World()
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "resourceVersion": "1"}}
    assert world.patch("configmaps", "a", body, content_type="application/apply-patch+yaml")
    with pytest.raises(ApiError) as error:
        world.patch("configmaps", "a", body, content_type="application/apply-patch+yaml")
    assert error.value.code == 409


def test_nothing_is_left_of_empty_maps_and_lists_of_built_in_kinds() -> None:
    world = World()
    made = world.create("configmaps", {"metadata": {"name": "a"}, "data": {}, "binaryData": {}})
    assert not {"data", "binaryData"} & set(made)
    world.create("configmaps", {"metadata": {"name": "b"}, "data": {"x": "1"}})
    assert "data" not in world.patch("configmaps", "b", {"data": {"x": None}})
    assert "secrets" not in world.create("serviceaccounts", {"metadata": {"name": "a"}, "secrets": []})


def test_a_page_of_a_version_is_of_that_version() -> None:
    world = World()
    first = world.create("configmaps", {"metadata": {"name": "a"}})["metadata"]["resourceVersion"]
    world.create("configmaps", {"metadata": {"name": "b"}})
    kind = world.kind("configmaps")

    def names(**query: str) -> list[str]:
        return [one["metadata"]["name"] for one in page(world.store, kind, "home", query)[0]]

    assert names(resourceVersion=first, limit="5") == ["a"]
    assert names(resourceVersion=first) == ["a", "b"]
    assert names(resourceVersion=first, limit="5", resourceVersionMatch="NotOlderThan") == ["a", "b"]
