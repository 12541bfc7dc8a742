"""What follows from a deletion: dependents, namespaces, and what a policy protects."""

import copy

import pytest

from statefuldb.local.api_server.storing.deletion import FOREGROUND
from unit.local.api_server.world import NOW, World, owned, write

POLICY = {
    "metadata": {"name": "keep"},
    "spec": {
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["*"], "operations": ["DELETE"], "resources": ["configmaps"]}
            ]
        },
        "validations": [{"expression": "!(has(oldObject.data) && 'keep' in oldObject.data)", "reason": "Forbidden"}],
    },
}
BINDING = {"metadata": {"name": "keep"}, "spec": {"policyName": "keep", "validationActions": ["Deny"]}}


@pytest.mark.parametrize(("policy", "left"), [("", []), ("Background", []), ("Foreground", []), ("Orphan", ["b", "c"])])
def test_a_chain_follows_or_stays(policy: str, left: list[str]) -> None:
    world = World()
    first = world.create("configmaps", {"metadata": {"name": "a"}})
    second = world.create("configmaps", owned("b", first))
    world.create("configmaps", owned("c", second))
    world.delete("configmaps", "a", policy)
    assert world.names("configmaps") == left


def test_an_owner_waits_for_those_that_block_it_only() -> None:
    world = World()
    owner = world.create("configmaps", {"metadata": {"name": "a"}})
    held = owned("b", owner)
    held["metadata"]["finalizers"] = ["a/b"]
    world.create("configmaps", held)
    world.delete("configmaps", "a", "Foreground")
    assert world.store.objects["configmaps", "home", "a"]["metadata"]["finalizers"] == [FOREGROUND]
    world.patch("configmaps", "b", {"metadata": {"finalizers": None}})
    assert world.names("configmaps") == []

    owner = world.create("configmaps", {"metadata": {"name": "a"}})
    free = owned("b", owner, block=False)
    free["metadata"]["finalizers"] = ["a/b"]
    world.create("configmaps", free)
    world.delete("configmaps", "a", "Foreground")
    assert world.names("configmaps") == ["b"]


def test_a_dependent_of_two_loses_one_and_stays() -> None:
    world = World()
    owners = [world.create("configmaps", {"metadata": {"name": name}}) for name in ("a", "b")]
    world.create("configmaps", owned("c", *owners))
    world.delete("configmaps", "a")
    (left,) = world.store.objects["configmaps", "home", "c"]["metadata"]["ownerReferences"]
    assert left["name"] == "b"
    world.delete("configmaps", "b")
    assert world.names("configmaps") == []


def test_dependents_left_by_a_crash_are_found_at_the_start() -> None:
    world = World()
    owner = world.create("configmaps", {"metadata": {"name": "a"}})
    world.create("configmaps", owned("b", owner))
    stranger = owned("c", owner)
    stranger["metadata"]["ownerReferences"][0]["kind"] = "NeverServed"
    stranger["metadata"]["ownerReferences"][0]["uid"] = "elsewhere"
    world.create("configmaps", stranger)
    kind = world.kind("configmaps")
    world.service.delete(kind, "home", "a", {}, write())  # and here it crashes, before it settles
    after = World()
    after.store.restore(world.store.version, copy.deepcopy(world.store.objects))
    after.store.forget()
    after.service.settle(NOW)
    assert after.names("configmaps") == ["c"], "an owner of a kind that is not served may well exist"


def test_a_namespace_waits_for_what_a_policy_protects() -> None:
    world = World()
    world.create("validatingadmissionpolicies", POLICY)
    world.create("validatingadmissionpolicybindings", BINDING)
    world.create("configmaps", {"metadata": {"name": "a"}})
    world.create("configmaps", {"metadata": {"name": "b"}, "data": {"keep": "1"}})
    world.create("secrets", {"metadata": {"name": "s"}})
    world.delete("namespaces", "home")
    assert world.names("configmaps") == ["b"]
    assert world.names("secrets") == []
    assert world.names("namespaces") == ["home"]
    world.patch("configmaps", "b", {"data": {"keep": None}})
    assert world.names("configmaps") == []
    assert world.names("namespaces") == []


def test_a_protected_dependent_outlives_its_owner() -> None:
    world = World()
    world.create("validatingadmissionpolicies", POLICY)
    world.create("validatingadmissionpolicybindings", BINDING)
    owner = world.create("configmaps", {"metadata": {"name": "a"}})
    world.create("configmaps", {**owned("b", owner), "data": {"keep": "1"}})
    world.delete("configmaps", "a")
    assert world.names("configmaps") == ["b"]


def test_events_go_after_an_hour() -> None:
    world = World()
    about = {"kind": "ConfigMap", "name": "a", "namespace": "home"}
    event = {"metadata": {"generateName": "e-"}, "involvedObject": about}
    world.create("events", event, suffix="1", now="2026-01-01T00:00:00Z")
    world.create("events", event, suffix="2", now="2026-01-01T00:30:00Z")
    world.create("events", event, suffix="3", now="2026-01-01T01:00:01Z")
    assert world.names("events") == ["e-2", "e-3"]


def test_a_dry_run_tells_of_a_namespace_that_would_go() -> None:
    world = World()
    told = world.service.delete(world.kind("namespaces"), "", "home", {}, write(dry_run=True))
    assert told is not None
    assert told["status"] == {"phase": "Terminating"}
    assert world.store.objects["namespaces", "", "home"]["status"] == {"phase": "Active"}
