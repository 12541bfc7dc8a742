"""One database's life from a script: started, changed, struck, stopped, given up and taken up again, and deleted.

What is to be compared with itself needs a life in which nothing is left to chance but the seed. A step begins when the
one before has come to its end.
"""

from collections.abc import Callable, Iterator
from typing import Any

from statefuldb.model.volume_object import from_object
from statefuldb.simulation.actors.people import database
from statefuldb.simulation.laws.liveness import come_to_rest, unsettled
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World

Json = dict[str, Any]
NAME = "db"
SIZE = Size(agents=3, databases=0, pause_seconds=float("inf"))
STEP_SECONDS = 900.0
CALM_SECONDS = 10.0
AFTERWARDS_SECONDS = 120.0
STEPS = ("apply", "more memory", "more disk", "restart", "crash", "stop", "start", "recreate", "delete")


def go_through(world: World, strategy: str, steps: tuple[str, ...] = STEPS) -> Iterator[tuple[str, Json]]:
    """Live through the steps in a fresh world; yield each with the state that it came to. Raises LawBroken."""
    people = world.people

    def crash() -> None:
        for host in world.hosts:
            for keeper in list(host.keepers.values()):
                keeper.crash(-9)

    def delete() -> None:
        people.edit(NAME, {"retention": {"whenDeleted": "Delete"}})
        people.delete(NAME)

    acts: dict[str, Callable[[], None]] = {
        "apply": lambda: people.apply_in(0.0, database(NAME, strategy)),
        "more memory": lambda: people.edit(NAME, {"resources": {"memory": "384Mi"}}),
        "more disk": lambda: people.edit(NAME, {"storage": {"size": "2Gi"}}),
        "restart": lambda: people.restart(NAME),
        "crash": crash,
        "stop": lambda: people.edit(NAME, {"replicas": 0}),
        "start": lambda: people.edit(NAME, {"replicas": 1}),
        "recreate": lambda: people.recreate(NAME),
        "delete": delete,
    }
    world.begin()
    world.clients.begin(NAME)
    for step in steps:
        acts[step]()
        _settle(world, step)
        yield step, state_of(world)
    world.pass_by(AFTERWARDS_SECONDS)
    come_to_rest(world)


def state_of(world: World) -> Json:
    """Return what there is, without what may differ between two lives that came to the same: agents, ids, times."""
    reserved: dict[str, float] = {}
    for agent in world.agents:
        for resource in agent.total:
            if resource.get("reservations") and "scalar" in resource:
                reserved[resource["name"]] = reserved.get(resource["name"], 0.0) + resource["scalar"]["value"]
    volumes = [
        {"intent": str(volume.intent), "phase": str(volume.phase), "bytes": volume.size_bytes}
        for volume in map(from_object, world.api.objects("databasevolumes"))
    ]
    running = sum(len(host.keepers) for host in world.hosts)
    return {"reserved": reserved, "volumes": volumes, "running": running}


def _settle(world: World, step: str) -> None:
    until = world.schedule.now + STEP_SECONDS
    world.pass_by(1.0)
    while world.people.to_come or unsettled(world):
        late = world.schedule.now >= until
        open_ends = "; ".join(text for text, _ in unsettled(world))
        world.verdict.judge("eventually_stable", not late, f"{STEP_SECONDS:g} s after {step}: {open_ends}")
        world.pass_by(1.0)
    world.pass_by(CALM_SECONDS)
