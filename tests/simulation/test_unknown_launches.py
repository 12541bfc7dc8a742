"""The API is restored from a backup while an agent is cut off, and the master fails over: a launch that nobody knows.

Its server hangs on the shared file system, whose servers have freed its lock, and goes on once its agent is back.
"""

import pytest

from simulation.test_fleet import ready
from simulation.test_let_in_again import SIZE, fenced, home, serving
from statefuldb.model.keeper import KeeperConfig
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import from_object
from statefuldb.simulation.cluster.agent import Agent
from statefuldb.simulation.cluster.api import Backup
from statefuldb.simulation.runs.run import judged
from statefuldb.simulation.world import World

MOVED_SECONDS, AWAY_SECONDS = 300.0, 900.0


def moved(world: World) -> tuple[Agent, Agent, Backup]:
    """Begin a database and have it move; return where it was, where it is, and a backup of before."""
    first, other = serving(world)
    backup = world.api.backup()
    first.lose_power()
    world.pass_by(MOVED_SECONDS)
    assert ready(world) == {"db0"}
    assert home(world) == other.host.hostname
    first.boot()
    world.pass_by(MOVED_SECONDS)
    return first, other, backup


def restore(world: World, backup: Backup) -> None:
    """Have the master fail over, so that it knows only what agents tell, and restore the API."""
    world.stop_operators()
    world.pass_by(90.0)
    world.mesos.fail_over(5.0)
    world.pass_by(15.0)
    world.restorers.put_back(backup)
    world.stopped = False


def cut_off(world: World) -> Agent:
    """Restore the API while the agent of a member that has moved since the backup is cut off; return that agent."""
    _, other, backup = moved(world)
    other.cut_off(AWAY_SECONDS)
    restore(world, backup)
    return other


def entry(world: World) -> VolumeRecord:
    (stored,) = world.api.objects("databasevolumes")
    return from_object(stored)


def test_no_second_server_is_begun_beside_one_that_nobody_knows_of() -> None:
    world = World(1, SIZE, faulty=False)
    with judged(world):
        mine = cut_off(world)
        world.pass_by(2 * AWAY_SECONDS)
        assert mine.host.network
        assert ready(world) == {"db0"}
    assert world.verdict.broken is None, world.story.short(str(world.verdict.broken))
    assert fenced(world) == 2
    assert entry(world).unheard is None


def test_what_it_waits_for_is_told() -> None:
    world = World(1, SIZE, faulty=False)
    with judged(world):
        mine = cut_off(world)
        world.pass_by(60.0)
        (stored,) = world.people.stored()
        (wait,) = stored["status"]["plan"]["waiting"]
        assert str(entry(world).task_id) in wait["message"]
        assert home(world) == mine.host.hostname
    assert world.verdict.broken is None


def test_keepers_that_do_not_look_begin_a_second_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keeper is broken on purpose: whatever has opened the data counts as over."""
    monkeypatch.setattr(KeeperConfig, "unheard_of", lambda *_: False)
    world = World(1, SIZE, faulty=False)
    with judged(world):
        cut_off(world)
        world.pass_by(2 * AWAY_SECONDS)
    assert world.verdict.broken is not None
    assert world.verdict.broken.law == "one_writer"


def test_nothing_is_removed_under_it() -> None:
    world = World(1, SIZE, faulty=False)
    with judged(world):
        mine = cut_off(world)
        world.people.recreate("db0", with_data=True)
        world.pass_by(AWAY_SECONDS / 2)
        assert not mine.host.network
        assert len(world.shared.directories) == 2
        world.pass_by(AWAY_SECONDS)
        assert len(world.shared.directories) == 1
        assert ready(world) == {"db0"}
    assert world.verdict.broken is None, world.story.short(str(world.verdict.broken))


def test_what_runs_goes_on_where_every_agent_is_back() -> None:
    world = World(1, SIZE, faulty=False)
    with judged(world):
        _, other, backup = moved(world)
        restore(world, backup)
        world.pass_by(60.0)
        assert ready(world) == {"db0"}
        assert home(world) == other.host.hostname
    assert world.verdict.broken is None, str(world.verdict.broken)
    assert fenced(world) == 1


def test_where_it_has_ended_and_every_agent_is_back_nobody_is_asked() -> None:
    world = World(1, SIZE, faulty=False)
    with judged(world):
        _, other, backup = moved(world)
        world.stop_operators()
        (keeper,) = other.host.keepers.values()
        keeper.crash()
        restore(world, backup)
        world.pass_by(90.0)
        assert ready(world) == {"db0"}
        assert entry(world).unheard is None
    assert world.verdict.broken is None, str(world.verdict.broken)
    assert fenced(world) == 1
