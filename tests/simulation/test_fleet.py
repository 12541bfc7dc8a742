"""A small fleet that loses an agent, comes back to Ready and then rests: `benchmarks/fleet.py` measures large ones."""

from statefuldb.simulation.actors.people import NAMESPACE, database
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World

STRATEGIES = ("PersistentVolume", "HostPath", "DFS")
DATABASES = [f"db{number}" for number in range(6)]
# docs/mesos.md, "at rest, each 15 min": what is followed, what is not, and operations.
PERIOD_SECONDS = 900.0
RECONCILIATION = {"RECONCILE": 2, "RECONCILE_OPERATIONS": 1}


def test_at_rest_after_a_loss_nothing_is_written_and_mesos_is_asked_once_in_its_period() -> None:
    world = World(3, Size(agents=5, databases=0, pause_seconds=float("inf")), faulty=False)
    world.begin()
    for number, name in enumerate(DATABASES):
        world.people.apply_in(number, database(name, STRATEGIES[number % len(STRATEGIES)]))
    world.pass_by(60.0)
    assert ready(world) == set(DATABASES)
    for agent in world.agents:
        agent.lose_power()
        world.schedule.after(30.0, agent.boot)
    world.pass_by(30.0)
    assert ready(world) != set(DATABASES)
    world.pass_by(150.0)
    assert ready(world) == set(DATABASES)
    calls, version = dict(world.calls), world.api.store.version
    world.pass_by(PERIOD_SECONDS)
    made = {kind: count - calls.get(kind, 0) for kind, count in world.calls.items() if count != calls.get(kind)}
    assert (made, world.api.store.version - version) == (RECONCILIATION, 0)


def ready(world: World) -> set[str]:
    """Return the databases that are called Ready."""
    stored = {name: world.api.find("statefuldatabases", NAMESPACE, name) for name in DATABASES}
    conditions = {name: (each or {}).get("status", {}).get("conditions", []) for name, each in stored.items()}
    return {
        name for name, each in conditions.items() if {"True"} == {c["status"] for c in each if c["type"] == "Ready"}
    }
