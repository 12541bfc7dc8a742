"""The whole operator, and somebody who deletes a ledger entry: no empty database is served in its place."""

from typing import Any

import pytest

from statefuldb.simulation.actors.people import database
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.runs.run import judged
from statefuldb.simulation.size import Size, size_of, with_all_strikes
from statefuldb.simulation.world import World

Json = dict[str, Any]
VOLUMES = "/apis/statefuldb.dev/v1alpha1/namespaces/default/databasevolumes"
QUIET = Size(agents=3, databases=0, busy_seconds=0.0, pause_seconds=1e9)
NAME = "orders"


def serving(manifest: Json) -> World:
    """Return a world in which nothing happens by itself, with a database that clients write to."""
    world = World(1, QUIET, faulty=False)
    world.begin()
    world.people.apply(manifest)
    world.clients.begin(NAME)
    world.pass_by(60.0)
    assert ready(world).get("status") == "True"
    return world


def ready(world: World) -> Json:
    stored = world.people.find(NAME) or {}
    return next((c for c in stored.get("status", {}).get("conditions", []) if c["type"] == "Ready"), {})


def entry(world: World) -> Json:
    (found,) = world.api.objects("databasevolumes")
    return found


def delete_entry(world: World) -> None:
    status, answer = world.api.exchange("DELETE", f"{VOLUMES}/{entry(world)['metadata']['name']}")
    assert status < 300, answer


def lose_its_agent(world: World) -> None:
    home = entry(world)["spec"]["agent"]["hostname"]
    next(agent for agent in world.agents if agent.host.hostname == home).lose_power()


def waits_for_it(world: World) -> None:
    assert world.verdict.broken is None, f"{world.verdict.broken}\n{world.story.short(str(world.verdict.broken))}"
    assert ready(world)["reason"] == "VolumeMissing"


@pytest.mark.parametrize("strategy", ["HostPath", "PersistentVolume"])
def test_a_database_that_was_stopped_meanwhile_begins_no_empty_one(strategy: str) -> None:
    world = serving(database(NAME, strategy))
    with judged(world):
        world.people.edit(NAME, {"replicas": 0})
        world.pass_by(90.0)
        if strategy == "PersistentVolume":
            lose_its_agent(world)
            world.pass_by(120.0)
        delete_entry(world)
        world.pass_by(30.0)
        world.people.edit(NAME, {"replicas": 1})
        world.pass_by(240.0)
    waits_for_it(world)


@pytest.mark.parametrize("strategy", ["HostPath", "PersistentVolume"])
def test_a_database_that_once_began_empty_begins_no_second_time(strategy: str) -> None:
    """`bootstrap: Empty` is in the manifest since its first day. Its agent is down, and the master fails over."""
    manifest = database(NAME, strategy)
    manifest["spec"]["bootstrap"] = {"type": "Empty"}
    world = serving(manifest)
    with judged(world):
        lose_its_agent(world)
        world.mesos.fail_over(2.0)
        assert world.life is not None
        world.life.kill()
        delete_entry(world)
        world.pass_by(400.0)
    waits_for_it(world)


def test_a_directory_of_an_earlier_life_is_not_begun_anew_on_another_agent() -> None:
    """Stopped; its namespace's objects go and are applied again. Mesos still holds what is reserved for it."""
    manifest = database(NAME, "HostPath")
    world = serving(manifest)
    with judged(world):
        world.people.edit(NAME, {"replicas": 0, "deletionProtection": "Disabled"})
        world.pass_by(90.0)
        world.people.delete(NAME)
        world.pass_by(30.0)
        delete_entry(world)
        world.pass_by(30.0)
        world.people.apply(manifest)
        world.pass_by(240.0)
    waits_for_it(world)
    assert not world.api.objects("databasevolumes")


def delete_entries(world: World, dice: Dice) -> None:
    """Have somebody delete an entry now and then, of a member that runs or rests: of another it may be half written."""

    def act() -> None:
        settled = [stored for stored in world.api.objects("databasevolumes") if runs_or_rests(world, stored["spec"])]
        if settled:
            name = dice.pick(settled)["metadata"]["name"]
            world.story.tell("people", f"delete the ledger entry {name}")
            world.api.exchange("DELETE", f"{VOLUMES}/{name}")
        world.schedule.after(dice.between(5.0, 40.0), act)

    world.schedule.after(20.0, act)


def runs_or_rests(world: World, spec: Json) -> bool:
    launched = spec.get("launch", {}).get("incarnation")
    running = {(k.config.uid, k.config.incarnation) for host in world.hosts for k in host.keepers.values()}
    over = spec.get("ending", {}).get("incarnation") == launched
    return bool(spec["initialised"]) and (over or (spec["identity"]["uid"], launched) in running)


@pytest.mark.parametrize("seed", [1, 11, 38, 42])
def test_whatever_else_goes_wrong_while_entries_are_deleted(seed: int) -> None:
    """Seeds in which a database was begun anew, with the task ids of its first life."""
    size = with_all_strikes(size_of(seed))
    world = World(seed, size)
    with judged(world):
        world.begin()
        delete_entries(world, Dice(seed))
        world.pass_by(size.busy_seconds)
    assert world.verdict.broken is None, f"seed {seed}: {world.verdict.broken}"
    assert "delete the ledger entry" in world.story.text()
