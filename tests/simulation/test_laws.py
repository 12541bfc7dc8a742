"""The oracle itself: what it takes for a breach, and what it waits for."""

from statefuldb.local.mesos.master.master import REREGISTER_SECONDS
from statefuldb.simulation.laws.liveness import come_to_rest
from statefuldb.simulation.laws.on_the_wire import said_anew
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World


def test_what_is_said_anew_is_told_from_what_stayed() -> None:
    before = {"spec": {"image": "a", "hosts": ["x", "y"], "size": 1}, "gone": {"deep": "old"}}
    assert list(said_anew(before, before)) == []
    after = {"spec": {"image": "b", "hosts": ["x", "z", "w"], "size": 2}, "status": {"said": [{"message": "m"}]}}
    assert list(said_anew(after, before)) == ["b", "z", "w", "status", "said", "message", "m"]
    assert list(said_anew({"spec": {"hosts": ["x"]}}, before)) == []
    assert list(said_anew({"spec": "text"}, before)) == ["text"]
    assert list(said_anew({"a": ["b"]}, None)) == ["a", "b"]


def test_rest_begins_once_the_master_has_given_up_what_it_waits_for_since_it_was_started() -> None:
    """Seed 1000190 of worlds with failing masters: it answered for a lost agent ten minutes later, which was news."""
    world = World(3, Size(agents=3, databases=1), faulty=False)
    world.begin()
    world.pass_by(60)
    world.people.rest()
    next(agent for agent in world.agents if not agent.host.keepers).die()
    world.mesos.fail_over(5.0)
    begun = world.schedule.now
    come_to_rest(world)
    assert world.schedule.now > begun + REREGISTER_SECONDS
    assert not any(agent.recovered for agent in world.mesos.master.cluster.agents.values())
