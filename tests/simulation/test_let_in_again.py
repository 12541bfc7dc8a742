"""An agent that was fenced and let in again: its member serves on there, and is fenced anew before it moves."""

import pytest

from simulation.test_fleet import ready
from statefuldb.simulation.host import Host
from statefuldb.simulation.people import database
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World

OUT_OF_REACH_SECONDS = 255.0


def home(world: World) -> str:
    """Return where the member was launched last."""
    (entry,) = world.api.objects("databasevolumes")
    return str(entry["spec"]["launch"]["agent"]["hostname"])


def fenced(world: World) -> int:
    """Return how often an agent was cut off."""
    return world.story.text().count("is cut off from the shared file system")


def test_an_agent_that_was_let_in_again_is_cut_off_again_before_its_member_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing moved the first time, with no other agent there. What is fenced only hangs, as on hard NFS mounts."""
    monkeypatch.setattr(Host, "fence", lambda host: setattr(host, "fenced", True))
    world = World(1, Size(agents=2, databases=0, pause_seconds=float("inf")), faulty=False)
    world.begin()
    world.people.apply(database("db0", "DFS"))
    world.pass_by(60.0)
    assert ready(world) == {"db0"}
    first = home(world)
    (mine,) = [agent for agent in world.agents if agent.host.hostname == first]
    (other,) = [agent for agent in world.agents if agent is not mine]
    other.lose_power()
    mine.cut_off(OUT_OF_REACH_SECONDS)
    world.pass_by(OUT_OF_REACH_SECONDS)
    assert fenced(world) == 1
    world.pass_by(600.0)
    assert ready(world) == {"db0"}
    assert home(world) == first
    other.boot()
    world.pass_by(60.0)
    mine.cut_off(2 * OUT_OF_REACH_SECONDS)
    world.pass_by(OUT_OF_REACH_SECONDS)
    assert home(world) != first
    assert fenced(world) == 2
    assert world.verdict.broken is None
