"""An agent that was fenced and let in again: its member serves on there, and is fenced anew before it moves.

Servers hang while their agent is cut off from the shared file system, and go on where they were, as on NFS mounts.
"""

import pytest

from simulation.test_fleet import ready
from statefuldb.planning.storage.dfs import Dfs
from statefuldb.simulation.actors.people import database
from statefuldb.simulation.cluster.agent import Agent
from statefuldb.simulation.runs.run import judged
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World

OUT_OF_REACH_SECONDS = 255.0
SIZE = Size(agents=2, databases=0, pause_seconds=float("inf"), hangs=True)


def home(world: World) -> str:
    """Return where the member was launched last."""
    (entry,) = world.api.objects("databasevolumes")
    return str(entry["spec"]["launch"]["agent"]["hostname"])


def fenced(world: World) -> int:
    """Return how often an agent was cut off."""
    return world.story.text().count("is cut off from the shared file system")


def serving(world: World) -> tuple[Agent, Agent]:
    """Begin a database; return its agent and the other one."""
    world.begin()
    world.people.apply(database("db0", "DFS"))
    world.clients.begin("db0")
    world.pass_by(60.0)
    assert ready(world) == {"db0"}
    mine, other = sorted(world.agents, key=lambda agent: agent.host.hostname != home(world))
    return mine, other


def test_an_agent_that_was_let_in_again_is_cut_off_again_before_its_member_moves() -> None:
    world = World(1, SIZE, faulty=False)
    with judged(world):
        mine, other = serving(world)
        first = home(world)
        other.lose_power()
        mine.cut_off(OUT_OF_REACH_SECONDS)
        world.pass_by(OUT_OF_REACH_SECONDS)
        assert fenced(world) == 1
        world.pass_by(600.0)
        assert f"let {first} in again" in world.story.text()
        assert ready(world) == {"db0"}
        assert home(world) == first, "no other agent was there"
        other.boot()
        world.pass_by(60.0)
        mine.cut_off(2 * OUT_OF_REACH_SECONDS)
        world.pass_by(OUT_OF_REACH_SECONDS)
        assert home(world) != first
        assert fenced(world) == 2
        world.pass_by(600.0)
        assert ready(world) == {"db0"}
        assert not mine.host.keepers, "what was replaced is stopped"
    assert world.verdict.broken is None, str(world.verdict.broken)


def test_a_server_that_goes_on_beside_its_successor_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator is broken on purpose: that an agent is out of reach counts as proof that it is cut off."""
    monkeypatch.setattr(Dfs, "reattaches_after", lambda *_: True)
    monkeypatch.setattr("statefuldb.reconcile.decide.violations", lambda *_: ())
    world = World(1, SIZE, faulty=False)
    with judged(world):
        mine, _ = serving(world)
        mine.cut_off(OUT_OF_REACH_SECONDS)
        world.pass_by(OUT_OF_REACH_SECONDS + 60.0)
    assert world.verdict.broken is not None
    assert world.verdict.broken.law == "one_writer"
