"""That the simulated master and its agents do what real ones do."""

from typing import Any
from unittest.mock import Mock

from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.schedule import Schedule
from statefuldb.simulation.cluster.mesos import Mesos
from statefuldb.simulation.cluster.task_statuses import TaskStatuses
from statefuldb.simulation.laws.liveness import come_to_rest
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World

LOST_SECONDS = 20.0
SENT_AGAIN_SECONDS = 120.0


def test_a_status_that_was_lost_is_sent_again_by_an_agent_that_was_started_again() -> None:
    world = World(seed=1, size=Size(agents=2, databases=1), faulty=False)
    world.mesos.mistreat(lost=1_000_000)
    world.begin()
    while not any(agent.host.keepers for agent in world.agents):
        world.step()
    for agent in world.agents:
        agent.die()
    world.pass_by(LOST_SECONDS)
    for agent in world.agents:
        agent.boot()
    world.pass_by(LOST_SECONDS)
    world.mesos.mistreat(lost=0)
    world.pass_by(SENT_AGAIN_SECONDS)
    come_to_rest(world)
    assert world.verdict.tried["eventually_stable"]


def test_a_call_that_arrives_after_its_sender_was_deposed_is_refused_and_is_no_act_of_the_framework() -> None:
    """Seed 476 of then: the oracle judged an ACCEPT that the master refused by its stream."""
    judged: list[Any] = []
    mesos = Mesos(Schedule(), Dice(1), Mock(), judged.append)
    info = {"user": "u", "name": "f", "roles": ["r"], "capabilities": [{"type": "MULTI_ROLE"}], "failover_timeout": 9.0}
    first = mesos.subscribe({"subscribe": {"framework_info": info}}, Mock())
    (framework_id,) = mesos.master.cluster.frameworks
    owner = {"value": framework_id}
    second = mesos.subscribe({"framework_id": owner, "subscribe": {"framework_info": {**info, "id": owner}}}, Mock())
    assert first is not None
    assert second is not None
    call = {"type": "SUPPRESS", "framework_id": owner}
    judged.clear()
    status, said = mesos.call(call, first)
    assert (status, "didn't match" in said, judged) == (400, True, [])
    assert mesos.call(call, second)[0] == 202
    assert judged == [call]


def test_a_master_is_told_at_registration_what_it_has_not_heard_of_a_task() -> None:
    """Seed 41 of then: told the last state without its uuid, a master kept a task whose end was acknowledged."""
    said = Mock()
    statuses = TaskStatuses(Schedule(), said, Dice(1).uuid)
    statuses.begin("task")
    statuses.add("task", "TASK_RUNNING", "agent")
    statuses.add("task", "TASK_FAILED", "agent")
    told = [statuses.heard_last("task")]
    while "uuid" in told[-1]:
        assert statuses.acknowledged("task", told[-1]["uuid"]) == told[-1]["state"]
        told.append(statuses.heard_last("task"))
    assert [each["state"] for each in told] == ["TASK_RUNNING", "TASK_FAILED", "TASK_FAILED"]
    assert [call.args[1]["state"] for call in said.mock_calls] == ["TASK_RUNNING", "TASK_FAILED"]
