"""A keeper that gives no signs of life makes its database not Ready, for as long as it gives none, and no longer."""

from collections.abc import Callable

import pytest

from simulation.test_fleet import ready
from statefuldb.simulation.actors.people import NAMESPACE, database
from statefuldb.simulation.cluster.silence import MISSED_SECONDS
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World

LASTS_SECONDS = 40.0
# What a pass and its write take.
REACTION_SECONDS = 2.0
# What it takes to be tried again.
AGAIN_SECONDS = 8.0


def its_keeper_hangs(world: World) -> None:
    for host in world.hosts:
        for keeper in host.keepers.values():
            keeper.silence.begin(LASTS_SECONDS)


def its_file_system_is_away(world: World) -> None:
    world.shared.go_away(LASTS_SECONDS)


def its_agent_is_cut_off(world: World) -> None:
    for agent in world.agents:
        agent.cut_off(LASTS_SECONDS)


@pytest.mark.parametrize(
    ("strategy", "strike"),
    [
        ("PersistentVolume", its_keeper_hangs),
        ("DFS", its_file_system_is_away),
        ("HostPath", its_agent_is_cut_off),
    ],
)
def test_a_database_of_which_nothing_is_heard_is_not_ready(strategy: str, strike: Callable[[World], None]) -> None:
    world = World(5, Size(agents=3, databases=0, pause_seconds=float("inf")), faulty=False)
    world.begin()
    world.people.apply_in(0, database("db0", strategy))
    world.pass_by(60.0)
    assert ready(world) == {"db0"}
    tasks = [task for host in world.hosts for task in host.keepers]
    strike(world)
    world.pass_by(MISSED_SECONDS + REACTION_SECONDS)
    assert ready(world) == set()
    stored = world.api.find("statefuldatabases", NAMESPACE, "db0") or {}
    assert {c["reason"] for c in stored["status"]["conditions"] if c["type"] == "Ready"} == {"KeeperUnreachable"}
    world.pass_by(LASTS_SECONDS - MISSED_SECONDS - REACTION_SECONDS + AGAIN_SECONDS)
    assert ready(world) == {"db0"}
    assert [task for host in world.hosts for task in host.keepers] == tasks, "it was started anew"
