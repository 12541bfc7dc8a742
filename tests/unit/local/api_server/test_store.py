"""The store: versions, history, and what can be told from it."""

import copy
import json
import random

import pytest

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.objects.store import HISTORY_LIMIT
from unit.local.api_server.world import NOW, World, write


@pytest.mark.parametrize("seed", range(20))
def test_history_replayed_from_any_version_gives_the_present(seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201
    choose = random.Random(seed)
    world = World()
    kind = world.kind("configmaps")
    moments: dict[int, str] = {}

    def present() -> str:
        return json.dumps([(list(a), o) for a, o in sorted(world.store.objects.items()) if a[0] == kind.key])

    moments[world.store.version] = present()
    for _ in range(60):
        name = f"cm{choose.randrange(6)}"
        here = name in world.names("configmaps")
        match choose.randrange(3):
            case 0 if not here:
                finalizers = ["a/b"] if choose.random() < 0.3 else []
                world.create("configmaps", {"metadata": {"name": name, "finalizers": finalizers}})
            case 1 if here:
                value = str(choose.randrange(3))
                patch = {"data": {"x": value}, "metadata": {"finalizers": None}}
                world.patch("configmaps", name, patch)
            case 2 if here:
                world.delete("configmaps", name)
        moments[world.store.version] = present()
    for version, then in moments.items():
        listed = world.store.list_at(kind, "", version)
        assert listed is not None
        state = {(kind.key, o["metadata"]["namespace"], o["metadata"]["name"]): o for o in listed}
        assert json.dumps([(list(a), o) for a, o in sorted(state.items())]) == then
        for change in world.store.since(version) or ():
            if change.address[0] != kind.key:
                continue
            if change.type == "DELETED":
                del state[change.address]
            else:
                assert (change.address in state) is (change.type == "MODIFIED")
                state[change.address] = change.object
        assert json.dumps([(list(a), o) for a, o in sorted(state.items())]) == present()


def test_versions_grow_by_one_over_all_kinds() -> None:
    world = World()
    world.create("configmaps", {"metadata": {"name": "a"}})
    world.create("secrets", {"metadata": {"name": "b"}})
    world.patch("configmaps", "a", {"data": {"x": "1"}})
    world.patch("configmaps", "a", {"data": {"x": "1"}})
    world.delete("secrets", "b")
    versions = [change.version for change in world.changes]
    assert versions == list(range(versions[0], versions[0] + 5))


def test_a_change_is_told_before_it_is_answered_and_never_altered_later() -> None:
    world = World()
    stored = world.create("configmaps", {"metadata": {"name": "a"}, "data": {"x": "1"}})
    told = copy.deepcopy(world.changes[-1].object)
    assert told == stored
    world.patch("configmaps", "a", {"data": {"x": "2"}})
    assert world.changes[-2].object == told
    assert world.changes[-1].previous == told


def test_what_is_forgotten_cannot_be_watched_or_listed() -> None:
    world = World()
    before = world.store.version
    world.create("configmaps", {"metadata": {"name": "a"}})
    assert world.store.since(before) is not None
    world.store.forget()
    assert world.store.since(before) is None
    assert world.store.list_at(world.kind("configmaps"), "", before) is None
    assert list(world.store.since(world.store.version) or ()) == []


def test_history_is_bounded() -> None:
    world = World()
    world.create("configmaps", {"metadata": {"name": "a"}})
    kind = world.kind("configmaps")
    first = world.store.version
    for number in range(HISTORY_LIMIT + 1):
        old = world.store.get(kind, "home", "a")
        world.store.update(kind, {**copy.deepcopy(old), "data": {"x": str(number)}}, old)
    assert len(world.store.history) == HISTORY_LIMIT
    assert world.store.since(first) is None
    assert world.store.since(world.store.oldest) is not None


def test_restored_objects_serve_their_definitions() -> None:
    world = World()
    crd = {
        "metadata": {"name": "xs.g.dev"},
        "spec": {
            "group": "g.dev",
            "scope": "Cluster",
            "names": {"plural": "xs", "kind": "X"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        },
    }
    world.create("customresourcedefinitions", crd)
    world.create("xs", {"apiVersion": "g.dev/v1", "kind": "X", "metadata": {"name": "x"}})
    other = World()
    other.store.restore(world.store.version, copy.deepcopy(world.store.objects))
    assert other.names("xs") == ["x"]
    assert other.store.version == world.store.version
    other.delete("customresourcedefinitions", "xs.g.dev")
    assert ("g.dev", "v1", "xs") not in other.store.kinds


def test_the_last_finalizer_removes_without_storing() -> None:
    world = World()
    world.create("configmaps", {"metadata": {"name": "a", "finalizers": ["a/b"]}})
    kept = world.delete("configmaps", "a")
    assert kept is not None
    assert kept["metadata"]["deletionTimestamp"] == NOW
    answer = world.patch("configmaps", "a", {"metadata": {"finalizers": None}})
    assert answer["metadata"]["resourceVersion"] == kept["metadata"]["resourceVersion"]
    last = world.changes[-1]
    assert (last.type, last.object["metadata"]["finalizers"]) == ("DELETED", ["a/b"])
    assert int(last.object["metadata"]["resourceVersion"]) > int(kept["metadata"]["resourceVersion"])


def test_a_dry_run_leaves_no_trace() -> None:
    world = World()
    world.create("configmaps", {"metadata": {"name": "a"}})
    before = (world.store.version, copy.deepcopy(world.store.objects), len(world.changes))
    world.create("configmaps", {"metadata": {"name": "b"}}, dry_run=True)
    world.patch("configmaps", "a", {"data": {"x": "1"}}, dry_run=True)
    world.service.delete(world.kind("configmaps"), "home", "a", {"propagationPolicy": "Orphan"}, write(dry_run=True))
    assert (world.store.version, world.store.objects, len(world.changes)) == before
    with pytest.raises(ApiError) as error:
        world.create("configmaps", {"metadata": {"name": "a"}}, dry_run=True)
    assert error.value.code == 409
