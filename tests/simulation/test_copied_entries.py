"""An entry of the ledger that was copied into another namespace, with and without the database: no data goes by it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from statefuldb.simulation.actors.people import database
from statefuldb.simulation.runs.run import judged, run
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World

Json = dict[str, Any]
API = "/apis/statefuldb.dev/v1alpha1/namespaces"
MERGE = "application/merge-patch+json"
BUSY = Size(agents=5, databases=6, busy_seconds=90.0, pause_seconds=4.0, copies=True)
STRATEGIES = ("HostPath", "PersistentVolume", "DFS")


def serving(strategy: str, **spec: Any) -> World:
    """Return a world in which one database serves, and nothing happens by itself."""
    world = World(1, Size(agents=3, databases=0, busy_seconds=0.0, pause_seconds=1e9), faulty=False)
    world.begin()
    manifest = database("orders", strategy)
    manifest["spec"] |= spec
    world.people.apply(manifest)
    world.clients.begin("orders")
    world.pass_by(60.0)
    assert ready(world)
    return world


def ask(world: World, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
    status, answer = world.api.exchange(method, path, body, kind)
    assert status < 300, answer
    return answer


def entries(world: World, namespace: str) -> list[Json]:
    return [v for v in world.api.objects("databasevolumes") if v["metadata"]["namespace"] == namespace]


def entry(world: World, namespace: str = "default") -> Json:
    (found,) = entries(world, namespace)
    return found


def ready(world: World, namespace: str = "default") -> bool:
    return conditions(world, namespace).get("Ready", ("",))[0] == "True"


def conditions(world: World, namespace: str) -> dict[str, tuple[str, str]]:
    stored = world.api.find("statefuldatabases", namespace, "orders") or {}
    return {c["type"]: (c["status"], c["reason"]) for c in stored.get("status", {}).get("conditions", [])}


def copied(world: World, namespace: str, owner: str = "") -> Json:
    """Copy the entry into another namespace, as `kubectl get | sed | kubectl create` does."""
    world.api.exchange("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    original = json.loads(json.dumps(entry(world)))
    original["spec"]["database"]["uid"] = owner or original["spec"]["database"]["uid"]
    metadata = {"name": original["metadata"]["name"], "namespace": namespace, "labels": original["metadata"]["labels"]}
    return dict(ask(world, "POST", f"{API}/{namespace}/databasevolumes", {**original, "metadata": metadata}))


def release(world: World, namespace: str) -> None:
    """Give the data of an entry up, as `statefuldb volumes release` did before it looked for others."""
    name = entry(world, namespace)["metadata"]["name"]
    patch = {"metadata": {"annotations": {"statefuldb.dev/release": name}}, "spec": {"intent": "Delete"}}
    ask(world, "PATCH", f"{API}/{namespace}/databasevolumes/{name}", patch, MERGE)


def remove(world: World, namespace: str) -> None:
    ask(world, "DELETE", f"{API}/{namespace}/databasevolumes/{entry(world, namespace)['metadata']['name']}")


def unharmed(world: World) -> None:
    assert world.verdict.broken is None, f"{world.verdict.broken}\n{world.story.short(str(world.verdict.broken))}"


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("namespace", ["abroad", "scratch"])
def test_the_database_serves_on_while_its_entry_is_copied_released_and_removed_elsewhere(
    strategy: str, namespace: str
) -> None:
    """By name, one namespace comes before that of the database, and one after it."""
    world = serving(strategy)
    with judged(world):
        running = entry(world)["spec"]
        copy = copied(world, namespace)
        world.pass_by(60.0)
        assert entry(world, namespace)["spec"] == copy["spec"], "nothing is written into it"
        release(world, namespace)
        world.pass_by(600.0)
        assert entry(world)["spec"]["incarnation"] == running["incarnation"], "its member was not stopped"
        world.people.restart("orders")
        world.pass_by(120.0)
        assert entry(world)["spec"]["incarnation"] == running["incarnation"] + 1, "it is looked after as ever"
        remove(world, namespace)
        world.pass_by(60.0)
    unharmed(world)
    assert ready(world)
    assert not entries(world, namespace)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_database_whose_manifest_was_copied_too_waits_for_the_copied_entry_to_go(strategy: str) -> None:
    world = serving(strategy)
    with judged(world):
        copied(world, "scratch")
        ask(world, "POST", f"{API}/scratch/statefuldatabases", database("orders", strategy))
        world.pass_by(120.0)
        assert ready(world)
        assert conditions(world, "scratch")["Ready"] == ("False", "LedgerEntryDuplicate")
        assert conditions(world, "scratch")["Stalled"] == ("True", "LedgerEntryDuplicate")
        (wait,) = world.api.find("statefuldatabases", "scratch", "orders")["status"]["plan"]["waiting"]  # type: ignore[index]
        name = entry(world)["metadata"]["name"]
        assert f"default/{name}" in wait["message"]
        assert f"kubectl delete databasevolume {name} -n scratch" in wait["fix"]
        remove(world, "scratch")
        world.pass_by(120.0)
        assert ready(world, "scratch")
        assert entry(world, "scratch")["spec"]["identity"] != entry(world)["spec"]["identity"]
    unharmed(world)
    assert ready(world)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_copy_that_was_made_out_to_the_copied_database_is_left_alone_too(strategy: str) -> None:
    world = serving(strategy)
    with judged(world):
        running = entry(world)["spec"]["incarnation"]
        ask(world, "POST", "/api/v1/namespaces", {"metadata": {"name": "scratch"}})
        manifest = database("orders", strategy)
        manifest["spec"]["replicas"] = 0
        made = ask(world, "POST", f"{API}/scratch/statefuldatabases", manifest)
        world.pass_by(30.0)
        copied(world, "scratch", owner=made["metadata"]["uid"])
        world.pass_by(120.0)
        assert entry(world)["spec"]["incarnation"] == running
        assert conditions(world, "scratch")["Ready"] == ("False", "LedgerEntryDuplicate")
    unharmed(world)
    assert ready(world)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("retention", ["Retain", "Delete"])
def test_data_of_a_deleted_database_waits_until_one_of_its_entries_is_gone(strategy: str, retention: str) -> None:
    world = serving(strategy, retention={"whenDeleted": retention})
    with judged(world):
        copied(world, "scratch")
        world.people.delete("orders")
        world.pass_by(300.0)
        assert world.people.find("orders") is None
        before = [entry(world)["spec"], entry(world, "scratch")["spec"]]
        assert [spec["intent"] for spec in before] == [retention, "Use"]
        remove(world, "scratch")
        world.pass_by(300.0)
        left = entries(world, "default")
        assert [v["spec"]["phase"] for v in left] == (["Retained"] if retention == "Retain" else [])
    unharmed(world)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_entry_in_use_that_is_removed_for_the_copy_comes_back(strategy: str) -> None:
    """Somebody takes the wrong one for the copy: the member's database is there, and its task tells of the entry."""
    world = serving(strategy)
    with judged(world):
        incarnation = entry(world)["spec"]["incarnation"]
        copied(world, "scratch")
        remove(world, "default")
        world.pass_by(120.0)
        assert entry(world)["spec"]["incarnation"] == incarnation
        assert entry(world, "scratch")["spec"]["intent"] == "Use"
    unharmed(world)
    assert ready(world)


@pytest.mark.parametrize(("seed", "workers"), [(1, 1), (2, 1), (3, 3), (4, 8)])
def test_a_busy_world_in_which_people_copy_entries_give_them_up_and_clear_them_away(seed: int, workers: int) -> None:
    result = run(seed, replace(BUSY, workers=workers))
    assert result.verdict.broken is None, result.short
    assert "give up the copy" in result.story
