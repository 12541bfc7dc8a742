"""What a real server refuses, so that nothing is stored or deleted that was not meant."""

from typing import Any

import pytest

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.serving.options import delete_options
from unit.local.api_server.world import World, write

Json = dict[str, Any]
APPLY = "application/apply-patch+yaml"
KEEP = "example.dev/keep"


@pytest.fixture
def world() -> World:
    return World.of_ours()


def profile(name: str = "a", **more: Any) -> Json:
    return {
        **{"apiVersion": "statefuldb.dev/v1alpha1", "kind": "StorageProfile", "metadata": {"name": name}},
        **{"spec": {"strategies": ["DFS"]}, **more},
    }


def code(world: World, plural: str, body: Json) -> int:
    with pytest.raises(ApiError) as error:
        world.create(plural, body)
    return error.value.code


@pytest.mark.parametrize("kind", ["Other", "ConfigMap", 5])
def test_a_deletion_whose_body_is_something_else_deletes_nothing(kind: object) -> None:
    with pytest.raises(ApiError) as error:
        delete_options({}, {"kind": kind, "apiVersion": "v1"})
    assert error.value.code == 400


@pytest.mark.parametrize("kind", ["DeleteOptions", "", None])
def test_the_body_of_a_deletion_need_not_say_what_it_is(kind: object) -> None:
    body = {"kind": kind, "apiVersion": "v1", "propagationPolicy": "Orphan"}
    assert delete_options({}, body)["propagationPolicy"] == "Orphan"


@pytest.mark.parametrize(
    "metadata",
    [
        {"finalizers": [KEEP, KEEP]},
        {"ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": name, "uid": "u"} for name in ("o", "p")]},
    ],
)
def test_an_apply_that_has_an_item_twice_is_refused(world: World, metadata: Json) -> None:
    body = profile(metadata={"name": "a", **metadata})
    with pytest.raises(ApiError) as error:
        world.patch("storageprofiles", "a", body, content_type=APPLY)
    assert error.value.code == 500
    assert "duplicate entries" in str(error.value)
    assert world.names("storageprofiles") == []


def test_an_apply_that_has_an_item_of_a_status_twice_is_refused(world: World) -> None:
    condition = {"type": "Ready", "status": "True"}
    status = {"conditions": [condition, condition]}
    body = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "status": status}
    kind = world.kind("statefuldatabases")
    body |= {"apiVersion": kind.api_version, "kind": kind.kind}
    with pytest.raises(ApiError) as error:
        world.patch("statefuldatabases", "a", body, content_type=APPLY, subresource="status")
    assert error.value.code == 500


@pytest.mark.parametrize("version", [None, "", 5])
def test_a_custom_object_says_its_version(world: World, version: object) -> None:
    assert code(world, "storageprofiles", profile(apiVersion=version)) == 400


@pytest.mark.parametrize("field", ["creationTimestamp", "deletionTimestamp"])
@pytest.mark.parametrize("value", ["x", "", 5])
def test_a_time_in_metadata_is_one(world: World, field: str, value: object) -> None:
    assert code(world, "storageprofiles", profile(metadata={"name": "a", field: value})) == 400
    assert code(world, "configmaps", {"metadata": {"name": "a", field: value}}) == 400


@pytest.mark.parametrize(
    "metadata",
    [{"generation": "5"}, {"deletionGracePeriodSeconds": 1.5}, {"managedFields": "x"}, {"managedFields": [5]}],
)
def test_what_the_server_writes_into_metadata_is_of_its_type(world: World, metadata: Json) -> None:
    assert code(world, "configmaps", {"metadata": {"name": "a", **metadata}}) == 400


def test_an_owner_is_of_its_types(world: World) -> None:
    owner = {"apiVersion": "v1", "kind": "X", "name": "o", "uid": "u"}
    for part in ({"name": 5}, {"controller": "x"}, {"blockOwnerDeletion": 1}):
        metadata = {"name": "a", "ownerReferences": [{**owner, **part}]}
        assert code(world, "configmaps", {"metadata": metadata}) == 400


@pytest.mark.parametrize(
    "about", [{"kind": "Other"}, {"kind": "Scale", "apiVersion": "autoscaling/v2"}, {"apiVersion": "apps/v1"}]
)
def test_only_a_scale_scales(world: World, about: Json) -> None:
    kind = world.kind("statefuldatabases")
    spec = {"engine": {"type": "MariaDB", "version": "10.11"}, "resources": {"cpus": "1", "memory": "1Gi"}}
    spec |= {"storage": {"strategy": "PersistentVolume", "size": "1Gi"}}
    world.create(
        kind.plural, {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "a"}, "spec": spec}
    )
    body = {"metadata": {"name": "a"}, "spec": {"replicas": 0}}
    with pytest.raises(ApiError) as error:
        world.service.replace(kind, "home", "a", {**body, **about}, write(subresource="scale"))
    assert error.value.code == 400
    shown, _ = world.service.replace(kind, "home", "a", {**body, "kind": "Scale"}, write(subresource="scale"))
    assert shown["spec"]["replicas"] == 0


def test_a_finalizer_of_a_built_in_kind_has_a_domain(world: World) -> None:
    def metadata(name: str) -> Json:
        return {"name": "a", "finalizers": [name]}

    for plural in ("configmaps", "namespaces", "roles", "services"):
        assert code(world, plural, {"metadata": metadata("noslash")}) == 422
    assert code(world, "configmaps", {"metadata": metadata("")}) == 422
    for plural, body in (("leases", {}), ("storageprofiles", profile())):
        assert world.create(plural, {**body, "metadata": metadata("noslash")})
    assert world.create("configmaps", {"metadata": metadata("kubernetes")})


def test_an_apply_has_no_unknown_metadata(world: World) -> None:
    owner = {"apiVersion": "v1", "kind": "X", "name": "o", "uid": "u", "extra": 1}
    for more in ({"a": 1}, {"ownerReferences": [owner]}):
        with pytest.raises(ApiError) as error:
            world.patch("storageprofiles", "a", profile(metadata={"name": "a", **more}), content_type=APPLY)
        assert error.value.code == 500
        assert "field not declared in schema" in str(error.value)


def test_a_version_is_a_number_also_of_what_is_not_there(world: World) -> None:
    kind = world.kind("leases")
    body = {"metadata": {"name": "a", "resourceVersion": "abc"}}
    with pytest.raises(ApiError) as error:
        world.service.replace(kind, "home", "a", body, write())
    assert error.value.code == 500
    assert world.names("leases") == []


def test_a_custom_object_is_better_held_by_a_finalizer_with_a_domain(world: World) -> None:
    kind = world.kind("storageprofiles")
    body = profile(metadata={"name": "a", "finalizers": ["noslash", "kubernetes", KEEP]})
    _, warnings = world.service.create(kind, "", body, write(validation="Ignore"))
    assert [text[:31] for text in warnings] == ['metadata.finalizers: "noslash":']
    patch = {"metadata": {"labels": {"a": "b"}}}
    assert world.service.patch(kind, "", "a", patch, "application/merge-patch+json", write())[1] == []


def test_an_owner_that_is_there_twice_counts_once(world: World) -> None:
    owner = {"apiVersion": "v1", "kind": "X", "name": "o", "uid": "u"}
    metadata = {"name": "a", "ownerReferences": [owner, {**owner}, {**owner, "uid": "v"}]}
    made, warnings = world.service.create(world.kind("configmaps"), "home", {"metadata": metadata}, write())
    assert [each["uid"] for each in made["metadata"]["ownerReferences"]] == ["u", "v"]
    assert [text.endswith("duplicate UID(s) observed: u") for text in warnings] == [True]


def test_a_secret_has_no_key_without_a_name(world: World) -> None:
    assert code(world, "secrets", {"metadata": {"name": "a"}, "stringData": {"": "x"}}) == 422
