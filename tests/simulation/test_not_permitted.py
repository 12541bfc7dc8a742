"""Masters whose ACLs do not let the operator give back what it has reserved: it asks ever more rarely until they do."""

from typing import Any

import pytest

from simulation.test_fleet import ready
from statefuldb.local.mesos.master.authorization import Acls
from statefuldb.simulation.actors.people import database
from statefuldb.simulation.laws.liveness import unsettled
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World

Json = dict[str, Any]
ANY, NONE = {"type": "ANY"}, {"type": "NONE"}
DENIED = Acls(
    {
        "unreserve_resources": [{"principals": ANY, "reserver_principals": NONE}],
        "destroy_volumes": [{"principals": ANY, "creator_principals": NONE}],
    }
)
WHILE_SECONDS = 600.0
ATTEMPTS = 12
# Of two attempts: that one is made is written down and shown, and then what is waited for.
WRITES = 6


def begun(strategy: str, **spec: Json) -> World:
    """Return a world with a database that serves, and masters that take nothing back from then on."""
    world = World(4, Size(agents=2, databases=0, pause_seconds=float("inf")), faulty=False)
    world.begin()
    wanted = database("db0", strategy)
    world.people.apply({**wanted, "spec": {**wanted["spec"], **spec}})
    world.pass_by(60.0)
    assert ready(world) == {"db0"}
    world.mesos.master.cluster.acls = DENIED
    return world


def made(world: World, seconds: float) -> dict[str, int]:
    """Return the calls to Mesos in so many seconds."""
    before = dict(world.calls)
    world.pass_by(seconds)
    return {kind: count - before.get(kind, 0) for kind, count in world.calls.items()}


@pytest.mark.parametrize("strategy", ["PersistentVolume", "HostPath"])
def test_data_that_goes_is_given_back_once_it_may_be(strategy: str) -> None:
    kept: Json = {"deletionProtection": "Disabled", "retention": {"whenDeleted": "Delete"}}
    world = begun(strategy, **kept)
    world.people.delete("db0")
    calls, version = made(world, WHILE_SECONDS), world.api.store.version
    assert calls["ACCEPT"] <= ATTEMPTS
    assert calls["REVIVE"] <= 3 * ATTEMPTS
    world.pass_by(WHILE_SECONDS)
    assert world.api.store.version - version <= ATTEMPTS
    assert unsettled(world)
    world.mesos.master.cluster.acls = Acls()
    world.pass_by(WHILE_SECONDS)
    assert not unsettled(world)
    assert not world.api.objects("databasevolumes")


def test_a_database_that_serves_stays_ready_with_what_it_does_not_use() -> None:
    world = begun("PersistentVolume")
    (stored,) = world.people.stored()
    world.people.edit("db0", {**stored["spec"], "resources": {"cpus": "100m", "memory": "256Mi"}})
    world.pass_by(60.0)
    assert ready(world) == {"db0"}
    assert made(world, WHILE_SECONDS)["ACCEPT"] <= ATTEMPTS
    version, until = world.api.store.version, world.schedule.now + WHILE_SECONDS
    while world.schedule.now < until:
        world.step()
        assert ready(world) == {"db0"}
    assert world.api.store.version - version <= WRITES
    world.mesos.master.cluster.acls = Acls()
    world.pass_by(WHILE_SECONDS)
    (entry,) = world.api.objects("databasevolumes")
    assert "givingBack" not in entry["spec"]
    assert not entry["spec"]["launch"]["leavesSurplus"]
