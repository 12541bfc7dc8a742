"""A fleet in the simulator: begun, one rack lost, and at rest. `python fleet.py [DATABASES[/AGENTS] ...]`

The operator, the API server's and the master's state machines are the real ones; hosts and time are simulated. All of
them run in this one process, and so do the laws that judge the run: the CPU is that of all together.
"""

import gc
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from measuring import table, write

from statefuldb.local.api_server.objects.store import Change
from statefuldb.simulation.actors.people import database
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World

Json = dict[str, Any]
SIZES = ("1000", "10000")
SEED = 1
RACK = 0.02
APPLIED_SECONDS = 60.0
PATIENCE_SECONDS = 4 * 3600.0
REST_SECONDS = 900.0
ALLOCATION_SECONDS = 1.0  # of a real master, by default
CALM_SECONDS = 120.0
# What docs/mesos.md states for a fleet at rest: each 15 min, and nothing else.
AT_REST = {"RECONCILE": 2, "RECONCILE_OPERATIONS": 1}
BEGUN = ("databases", "agents", "to all Ready", "wall", "CPU", "CPU each", "passes", "calls", "writes", "peak memory")
LOST = ("databases", "agents lost", "databases lost", "until all Ready", "CPU", "passes", "calls", "writes")
REST = ("databases", "CPU a minute", "passes", "calls in 15 min", "writes")
SAID = (
    "Each database has one member with a persistent volume, and all are applied within "
    "{applied:g} simulated seconds, and nothing fails but what is said. Wall and CPU are real, other times simulated; "
    "calls are those to Mesos, writes those to the API.\n"
)
SAID_OF_RACK = (
    "\nThe rack is {rack:.0%} of the agents, which lose power with their tasks and are back after a minute.\n"
)
SAID_OF_REST = (
    "\nAt rest, {calm:g} s later, for 15 min. The benchmark fails where there is a write, or a call beyond what "
    "`docs/mesos.md` states.\n"
)


class Readiness:
    """Which databases are Ready, as the API server's changes tell."""

    def __init__(self) -> None:
        self.ready: set[str] = set()
        self.missed: set[str] = set()

    def again(self, count: int) -> Callable[[], bool]:
        """Return what says whether so many are Ready after some were not, which are in `missed`."""
        self.missed = set()
        return lambda: bool(self.missed) and len(self.ready) == count

    def changed(self, change: Change) -> None:
        stored = change.object
        if stored["kind"] != "StatefulDatabase":
            return
        conditions = stored.get("status", {}).get("conditions", [])
        is_ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        (self.ready.add if is_ready else self.ready.discard)(stored["metadata"]["name"])
        if not is_ready:
            self.missed.add(stored["metadata"]["name"])


class Measured:
    """What one stretch of a run took: seconds (simulated, of the wall, of the CPU), passes, calls, writes."""

    def __init__(self, world: World, name: str, until: Callable[[], bool]) -> None:
        passes, calls, writes = _work(world)
        cpu, wall, now = time.process_time(), time.perf_counter(), world.schedule.now
        while not until():
            world.pass_by(1.0)
            assert world.schedule.now - now < PATIENCE_SECONDS, "it does not come to an end"
        self.seconds = world.schedule.now - now
        self.cpu, self.wall = time.process_time() - cpu, time.perf_counter() - wall
        after = _work(world)
        self.passes, self.calls, self.writes = after[0] - passes, after[1] - calls, after[2] - writes
        sys.stderr.write(f"{name}: {self.seconds:.0f} s simulated, {self.cpu:.1f} s CPU, {dict(self.calls)}\n")

    @property
    def made(self) -> tuple[str, str, str]:
        """The passes, calls and writes, as a table has them."""
        return f"{self.passes:,}", f"{self.calls.total():,}", f"{self.writes:,}"


def _work(world: World) -> tuple[int, Counter[str], int]:
    assert world.life is not None
    return world.life.passes, Counter(world.calls), world.api.store.version


def measured(size: str) -> tuple[tuple[str, ...], ...]:
    """Make, hurt and rest one fleet; return its row of each table."""
    count, agents = map(int, size.split("/") if "/" in size else (size, size))
    world = World(SEED, Size(agents=agents, databases=0, pause_seconds=float("inf")), faulty=False)
    readiness = Readiness()
    world.api.listen(readiness.changed)
    world.mesos.allocation_seconds = ALLOCATION_SECONDS
    world.begin()
    for number in range(count):
        world.people.apply_in(APPLIED_SECONDS * number / count, database(f"db{number}", "PersistentVolume"))
    begun = Measured(world, f"{count:,} begun", lambda: len(readiness.ready) == count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _calm_down(world)
    rack = world.agents[: max(1, round(RACK * agents))]
    for agent in rack:
        agent.lose_power()
        world.schedule.after(60.0, agent.boot)
    lost = Measured(world, f"{count:,} rack lost", readiness.again(count))
    hurt = len(readiness.missed)
    _calm_down(world)
    end = world.schedule.now + REST_SECONDS
    rest = Measured(world, f"{count:,} at rest", lambda: world.schedule.now >= end)
    assert (rest.calls, rest.writes) == (AT_REST, 0), f"not at rest: {rest.calls}, {rest.writes} writes"
    times = (f"{begun.seconds:.0f} s", f"{begun.wall:.0f} s", f"{begun.cpu:.1f} s", f"{1e3 * begun.cpu / count:.1f} ms")
    return (
        (f"{count:,}", f"{agents:,}", *times, *begun.made, f"{peak:.0f} MiB"),
        (f"{count:,}", f"{len(rack):,}", f"{hurt:,}", f"{lost.seconds:.0f} s", f"{lost.cpu:.1f} s", *lost.made),
        (f"{count:,}", f"{rest.cpu * 60 / rest.seconds:.2f} s", *rest.made),
    )


def _calm_down(world: World) -> None:
    end = world.schedule.now + CALM_SECONDS
    Measured(world, "calm", lambda: world.schedule.now >= end)


def main(sizes: tuple[str, ...]) -> None:
    """Measure each size, and write the results down."""
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)
    begun, lost, rest = zip(*map(measured, sizes), strict=True)
    parts = [SAID.format(applied=APPLIED_SECONDS), table(BEGUN, begun), SAID_OF_RACK.format(rack=RACK)]
    parts += [table(LOST, lost), SAID_OF_REST.format(calm=CALM_SECONDS), table(REST, rest)]
    write("fleet", "A fleet in the simulator", parts)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or SIZES)
