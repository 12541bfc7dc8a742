"""The whole operator, and a machine that burns: its data is given up by the guide, and a new database made."""

import pytest

from simulation.test_lost_entries import NAME, VOLUMES, Json, entry, serving
from statefuldb.model.identity import ANNOTATION_RELEASE
from statefuldb.model.volume import Intent
from statefuldb.model.volume_object import from_object
from statefuldb.simulation.actors.people import database
from statefuldb.simulation.cluster.agent import Agent
from statefuldb.simulation.runs.run import judged
from statefuldb.simulation.world import World

# What would be True, or False, of a database that is not well.
WELL = {"Ready": "True", "StorageReady": "True", "Degraded": "False", "DataAtRisk": "False", "Stalled": "False"}


def given_up(strategy: str, *, gone: bool) -> tuple[World, Agent, str]:
    """Return a world in which a machine was lost, its data released and its database made anew; and the old entry."""
    world = serving(database(NAME, strategy))
    old = from_object(entry(world))
    assert old.agent is not None
    machine = next(agent for agent in world.agents if agent.id == old.agent.id)
    if gone:
        machine.lose_power()
        world.mesos.mark_gone(old.agent.id)
        world.pass_by(60.0)
    else:
        machine.cut_off(600.0)
        world.pass_by(120.0)
    world.people.delete(NAME)
    world.pass_by(30.0)
    world.laws.given_up(old.identity.uid)
    named = {"metadata": {"annotations": {ANNOTATION_RELEASE: old.name}}, "spec": {"intent": "Delete"}}
    status, answer = world.api.exchange("PATCH", f"{VOLUMES}/{old.name}", named, "application/merge-patch+json")
    assert status == 200, answer
    world.pass_by(30.0)
    world.people.apply(database(NAME, strategy))
    world.pass_by(90.0)
    return world, machine, old.name


def conditions(world: World) -> Json:
    stored = world.people.find(NAME) or {}
    return {c["type"]: c["status"] for c in stored["status"]["conditions"]}


def intents(world: World) -> dict[str, Intent]:
    records = map(from_object, world.api.objects("databasevolumes"))
    return {record.name: record.intent for record in records}


@pytest.mark.parametrize("gone", [True, False])
@pytest.mark.parametrize("strategy", ["HostPath", "PersistentVolume"])
def test_the_new_database_is_well_and_the_old_entry_can_be_deleted(strategy: str, gone: bool) -> None:
    world, machine, old = given_up(strategy, gone=gone)
    with judged(world):
        assert intents(world)[old] is Intent.DELETE
        assert conditions(world) | WELL == conditions(world)
        status, answer = world.api.exchange("DELETE", f"{VOLUMES}/{old}")
        assert status < 300, answer
        world.pass_by(60.0)
        assert old not in intents(world)
        if not gone:
            # Its server ran on all the time.
            world.pass_by(600.0)
            assert machine.reachable
            assert intents(world)[old] is Intent.RETAIN
        assert conditions(world) | WELL == conditions(world)
    assert world.verdict.broken is None, f"{world.verdict.broken}\n{world.story.short(str(world.verdict.broken))}"
