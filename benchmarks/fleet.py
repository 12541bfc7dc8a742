"""A fleet in the simulator: from nothing to all Ready, one rack lost, and at rest. `python fleet.py [COUNT ...]`

The operator, the API server's and the master's state machines are the real ones; hosts and time are simulated. All of
them run in this one process, and so do the laws that judge the run: the CPU is that of all together.
"""

import gc
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from measuring import table, write

from statefuldb.local.api_server.store import Change
from statefuldb.simulation.people import database
from statefuldb.simulation.world import Size, World

Json = dict[str, Any]
SIZES = (100, 300, 1_000)
SEED = 1
RACK = 0.02
APPLIED_SECONDS = 60.0
PATIENCE_SECONDS = 4 * 3600.0
REST_SECONDS = 600.0
ALLOCATION_SECONDS = 1.0  # of a real master, by default
CALM_SECONDS = 120.0
HEADER = (
    *("databases", "agents", "to all Ready", "CPU", "CPU each", "passes", "calls and writes"),
    *("rack lost", "CPU", "calls and writes", "at rest, 10 min", "calls and writes", "peak memory"),
)
SAID = (
    "Each database has one member with a persistent volume; there are as many agents, all databases are applied within "
    "{applied:g} simulated seconds, and nothing fails but what is said. The rack is {rack:.0%} of the agents, which "
    "lose power with their tasks and are back after a minute. At rest the master is asked now and then what may have "
    "been missed: that is counted in calls. Seconds are simulated, CPU is real.\n"
)


class Readiness:
    """Which databases are Ready, as the API server's changes tell."""

    def __init__(self) -> None:
        self.ready: set[str] = set()

    def again(self, count: int) -> Callable[[], bool]:
        """Return what says whether so many are Ready after some were not."""
        missed = False

        def are() -> bool:
            nonlocal missed
            missed = missed or len(self.ready) < count
            return missed and len(self.ready) == count

        return are

    def changed(self, change: Change) -> None:
        stored = change.object
        if stored["kind"] != "StatefulDatabase":
            return
        conditions = stored.get("status", {}).get("conditions", [])
        is_ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        (self.ready.add if is_ready else self.ready.discard)(stored["metadata"]["name"])


class Measured:
    """What one stretch of a run took: simulated seconds, CPU seconds, passes, and calls to Mesos and writes."""

    def __init__(self, world: World, until: Callable[[], bool]) -> None:
        before, cpu, now = _work(world), time.process_time(), world.schedule.now
        while not until():
            world.pass_by(1.0)
            assert world.schedule.now - now < PATIENCE_SECONDS, "it does not come to an end"
        self.seconds = world.schedule.now - now
        self.cpu = time.process_time() - cpu
        self.passes, self.made = (after - each for after, each in zip(_work(world), before, strict=True))


def _work(world: World) -> tuple[int, int]:
    assert world.life is not None
    return world.life.passes, sum(world.calls.values()) + world.api.store.version


def measured(count: int) -> tuple[str, ...]:
    """Make, hurt and rest one fleet; return its row."""
    world = World(SEED, Size(agents=count, databases=0, pause_seconds=float("inf")), faulty=False)
    readiness = Readiness()
    world.api.listen(readiness.changed)
    world.mesos.allocation_seconds = ALLOCATION_SECONDS
    world.begin()
    for number in range(count):
        world.people.apply_in(APPLIED_SECONDS * number / count, database(f"db{number}", "PersistentVolume"))
    made = Measured(world, lambda: len(readiness.ready) == count)
    calm = world.schedule.now + CALM_SECONDS
    Measured(world, lambda: world.schedule.now >= calm)
    rack = world.agents[: max(1, round(RACK * count))]
    for agent in rack:
        agent.lose_power()
        world.schedule.after(60.0, agent.boot)
    lost = Measured(world, readiness.again(count))
    calm = world.schedule.now + CALM_SECONDS
    Measured(world, lambda: world.schedule.now >= calm)
    end = world.schedule.now + REST_SECONDS
    rest = Measured(world, lambda: world.schedule.now >= end)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = (
        *(f"{count:,}", f"{count:,}", f"{made.seconds:.0f} s", f"{made.cpu:.1f} s", f"{1e3 * made.cpu / count:.1f} ms"),
        *(f"{made.passes:,}", f"{made.made:,}", f"{lost.seconds:.0f} s", f"{lost.cpu:.1f} s", f"{lost.made:,}"),
        *(f"{rest.cpu:.1f} s", f"{rest.made:,}", f"{peak:.0f} MiB"),
    )
    sys.stderr.write(" | ".join(row) + "\n")
    return row


def main(sizes: tuple[int, ...]) -> None:
    """Measure each size, and write the results down."""
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)
    rows = [measured(count) for count in sizes]
    write("fleet", "A fleet in the simulator", [SAID.format(applied=APPLIED_SECONDS, rack=RACK), table(HEADER, rows)])


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
