"""The verbs on one store: warnings, admission, definitions, and objects that earlier versions stored."""

from typing import Any

import pytest

from statefuldb.local.api_server.errors import ApiError
from unit.local.api_server.world import NOW, World

Json = dict[str, Any]
PART = {"type": "object", "properties": {"n": {"type": "integer"}}}
SCHEMA: Json = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "default": 1},
                "kind": {"type": "string"},
                "parts": {"type": "object", "additionalProperties": PART},
            },
            "x-kubernetes-validations": [
                {"rule": "!has(oldSelf.kind) || self.kind == oldSelf.kind", "message": "kind stays"},
                {"rule": "self.size < 10", "messageExpression": "'size is ' + string(self.size)", "fieldPath": ".size"},
            ],
        }
    },
}


def defined(world: World, *, served: bool = True) -> Json:
    version = {"name": "v1", "served": served, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}}
    crd = {
        "metadata": {"name": "xs.g.dev"},
        "spec": {
            "group": "g.dev",
            "scope": "Namespaced",
            "names": {"plural": "xs", "kind": "X"},
            "versions": [version],
        },
    }
    return world.create("customresourcedefinitions", crd)


def x(name: str, **spec: Any) -> Json:
    return {"apiVersion": "g.dev/v1", "kind": "X", "metadata": {"name": name}, "spec": spec}


def refused(world: World, body: Json, **more: Any) -> ApiError:
    with pytest.raises(ApiError) as error:
        world.create("xs", body, **more)
    return error.value


def test_a_rule_speaks_by_its_expression_and_names_its_field() -> None:
    world = World()
    defined(world)
    error = refused(world, x("a", size=12))
    assert error.details is not None
    assert error.details["causes"] == [
        {"field": "spec.size", "message": "Invalid value: size is 12", "reason": "FieldValueInvalid"}
    ]


def test_a_transition_rule_needs_something_before() -> None:
    world = World()
    defined(world)
    world.create("xs", x("a", kind="one"))
    with pytest.raises(ApiError) as error:
        world.patch("xs", "a", {"spec": {"kind": "two"}})
    assert error.value.details is not None
    assert error.value.details["causes"][0]["message"] == "Invalid value: kind stays"


def test_pruning_and_defaulting_reach_into_maps() -> None:
    world = World()
    defined(world)
    stored = world.create("xs", x("a", parts={"p": {"n": 1, "junk": 2}}))
    assert stored["spec"] == {"size": 1, "parts": {"p": {"n": 1}}}
    error = refused(world, x("b", parts={"p": {"junk": 2}}), validation="Strict")
    assert (error.code, 'unknown field "spec.parts.p.junk"' in str(error)) == (400, True)


def test_a_definition_that_goes_takes_no_new_objects() -> None:
    world = World()
    defined(world)
    world.create("xs", {**x("a"), "metadata": {"name": "a", "finalizers": ["a/b"]}})
    kept = world.delete("customresourcedefinitions", "xs.g.dev")
    assert kept is not None
    assert [c["type"] for c in kept["status"]["conditions"]] == ["NamesAccepted", "Established", "Terminating"]
    assert refused(world, x("b")).code == 403
    world.patch("xs", "a", {"metadata": {"finalizers": None}})
    assert world.names("customresourcedefinitions") == []
    assert not [kind for kind in world.store.kinds.values() if kind.plural == "xs"]


def test_a_version_that_is_not_served_is_not_there() -> None:
    world = World()
    defined(world, served=False)
    assert not [kind for kind in world.store.kinds.values() if kind.plural == "xs"]


def test_a_namespace_stored_by_an_earlier_version_can_still_go() -> None:
    world = World()
    address = ("namespaces", "", "home")
    metadata = {"name": "home", "uid": "u", "resourceVersion": "2", "creationTimestamp": NOW}
    old = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata, "status": {"phase": "Active"}}
    world.store.objects[address] = old
    world.create("configmaps", {"metadata": {"name": "a"}})
    world.delete("namespaces", "home")
    assert address not in world.store.objects
    assert world.names("configmaps") == []

    dying = {**metadata, "deletionTimestamp": NOW, "finalizers": ["kubernetes"]}
    world.store.objects[address] = {**old, "metadata": dying, "status": {"phase": "Terminating"}}
    world.create("namespaces", {"metadata": {"name": "other"}})
    world.service.settle(NOW)
    assert address not in world.store.objects


def test_a_patch_without_a_version_never_conflicts_and_with_one_it_may() -> None:
    world = World()
    stored = world.create("configmaps", {"metadata": {"name": "a"}})
    version = stored["metadata"]["resourceVersion"]
    world.patch("configmaps", "a", {"data": {"x": "1"}})
    world.patch("configmaps", "a", {"data": {"x": "2"}})
    with pytest.raises(ApiError) as error:
        world.patch("configmaps", "a", {"metadata": {"resourceVersion": version}, "data": {"x": "3"}})
    assert error.value.code == 409
    assert world.store.objects["configmaps", "home", "a"]["data"] == {"x": "2"}


def test_what_is_refused_changes_nothing() -> None:
    world = World()
    defined(world)
    world.create("xs", x("a", size=3))
    before = (world.store.version, str(dict(world.store.objects)))
    for patch in ({"spec": {"size": 99}}, {"spec": {"size": "x"}}, {"metadata": {"name": "b"}}):
        with pytest.raises(ApiError):
            world.patch("xs", "a", patch)
    assert (world.store.version, str(dict(world.store.objects))) == before


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"labels": ["a"]}, "array into Go struct field ObjectMeta.metadata.labels of type map[string]string"),
        ({"labels": {"a": {}}}, "object into Go struct field ObjectMeta.metadata.labels of type string"),
        ({"annotations": {"a": 5}}, "number into Go struct field ObjectMeta.metadata.annotations of type string"),
        ({"finalizers": "a"}, "string into Go struct field ObjectMeta.metadata.finalizers of type []string"),
        ({"ownerReferences": [1]}, "number into Go struct field ObjectMeta.metadata.ownerReferences of type v1.Owner"),
        ({"name": True}, "bool into Go struct field ObjectMeta.metadata.name of type string"),
    ],
)
def test_metadata_of_other_types_is_refused_not_stumbled_over(metadata: Json, words: str) -> None:
    world = World()
    defined(world)
    error = refused(world, {**x("a", size=1), "metadata": {"name": "a", **metadata}})
    assert error.code == 400
    assert words in str(error)
    world.create("xs", x("b", size=1))
    with pytest.raises(ApiError, match="cannot unmarshal"):
        world.patch("xs", "b", {"metadata": metadata})


def test_what_is_no_metadata_is_refused() -> None:
    world = World()
    defined(world)
    assert "cannot unmarshal number" in str(refused(world, {**x("a", size=1), "metadata": 5}))
