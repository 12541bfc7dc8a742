"""An agent that falls silent."""

from collections.abc import Iterator

import pytest

from conformance.mesos.client import Json
from conformance.mesos.conftest import AGENTS, MASTERS, Subscribe, opened
from conformance.mesos.masters import Control, Mesos
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import bundled, framework, launch, task
from conformance.mesos.tidying import eventually, settled

# The master gives an agent up after as many pings as these take: a real one takes no less than a second for each.
PINGS = {"agent_ping_timeout": "1secs", "max_agent_ping_timeouts": "5"}
UNAWARE = [{"type": "MULTI_ROLE"}, {"type": "RESERVATION_REFINEMENT"}]


@pytest.fixture(scope="module", params=MASTERS)
def mesos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesos]:
    """Yield a master that soon gives up on an agent."""
    if request.param == "real":
        pytest.skip("needs process control of single daemons (STATEFULDB_TEST_MESOS_CONTROL)")
    with opened(request, tmp_path_factory, flags=PINGS) as one:
        yield one


@pytest.fixture
def agent(control: Control, mesos: Mesos) -> Iterator[Json]:
    """Yield the id of agent 0, found out by killing it once; in the end it is there again."""
    settled(mesos.http, AGENTS)
    everybody = set(mesos.agents())
    control.run("kill9", "agent", 0)
    (away,) = eventually(lambda: everybody - set(mesos.agents()), "an agent that is away")
    control.run("start", "agent", 0)
    settled(mesos.http, AGENTS)
    yield {"value": away}
    control.run("resume", "agent", 0)
    settled(mesos.http, AGENTS)


def reconciled(one: Scheduler, name: str, agent: Json, state: str) -> Json:
    seen = len(one.task_updates(name))
    one.call("RECONCILE", {"tasks": [{"task_id": {"value": name}, "agent_id": agent}]})
    return one.task(name, state, seen=seen)


def test_a_silent_agent_is_unreachable_and_comes_back_with_its_tasks(
    subscribe: Subscribe, control: Control, agent: Json
) -> None:
    one = subscribe(framework(checkpoint=True))
    offer = one.offer(lambda held: held["agent_id"] == agent and one.is_whole(held))
    one.accept(offer, *bundled("part-1", agent, "part-v", "exec sleep 300"))
    one.finished("part-v-r", "part-v-c")
    one.task("part-1", "TASK_RUNNING")
    outstanding = one.offer(lambda held: held["agent_id"] == agent, recorded=False)

    control.run("pause", "agent", 0)
    status = one.task("part-1", "TASK_UNREACHABLE")
    assert (status["reason"], status["message"]) == ("REASON_AGENT_REMOVED", "health check timed out")
    assert status["unreachable_time"]["nanoseconds"] > 0
    assert "uuid" not in status
    one.told("RESCIND", offer_id=outstanding["id"])
    one.told("FAILURE", agent_id=agent)
    answer = reconciled(one, "part-1", agent, "TASK_UNREACHABLE")
    assert answer["message"] == "Reconciliation: Task is unreachable"
    assert answer["unreachable_time"] == status["unreachable_time"]
    asked = {"operation_id": {"value": "part-v-r"}, "agent_id": agent}
    one.call("RECONCILE_OPERATIONS", {"operations": [asked]})
    told = one.operation("part-v-r", seen=1)
    assert told["state"] == "OPERATION_UNREACHABLE"
    assert told["message"] == "Reconciliation: Agent is unreachable"
    one.call("RECONCILE", {"tasks": []})
    # Its id is taken as long as nobody knows better.
    elsewhere = one.offer(lambda held: held["agent_id"] != agent, recorded=False)
    one.accept(elsewhere, launch(task("part-1", elsewhere["agent_id"])))
    error = one.task("part-1", "TASK_ERROR")
    assert error["message"] == "Task reuses the ID of an unreachable task: part-1"

    seen = len(one.task_updates("part-1"))
    control.run("resume", "agent", 0)
    back = one.task("part-1", "TASK_RUNNING", seen=seen)
    assert (back["reason"], back["source"]) == ("REASON_AGENT_REREGISTERED", "SOURCE_MASTER")
    assert back["message"] == "Unreachable agent re-reregistered"
    assert "uuid" not in back
    assert reconciled(one, "part-1", agent, "TASK_RUNNING")["message"] == "Reconciliation: Latest task state"
    one.call("KILL", {"task_id": {"value": "part-1"}})
    assert one.task("part-1", "TASK_KILLED")["source"] == "SOURCE_EXECUTOR"


def test_to_a_framework_that_knows_no_partitions_its_task_is_lost_and_runs_again(
    subscribe: Subscribe, control: Control, agent: Json
) -> None:
    one = subscribe(framework(checkpoint=True, capabilities=UNAWARE))
    offer = one.offer(lambda held: held["agent_id"] == agent and one.is_whole(held))
    one.accept(offer, launch(task("part-2", agent, command="exec sleep 300")))
    one.task("part-2", "TASK_RUNNING")
    control.run("pause", "agent", 0)
    lost = one.task("part-2", "TASK_LOST")
    assert (lost["reason"], lost["message"]) == ("REASON_AGENT_REMOVED", "health check timed out")
    assert reconciled(one, "part-2", agent, "TASK_LOST")["message"] == "Reconciliation: Task is unreachable"
    seen = len(one.task_updates("part-2"))
    control.run("resume", "agent", 0)
    assert one.task("part-2", "TASK_RUNNING", seen=seen)["reason"] == "REASON_AGENT_REREGISTERED"


def test_an_agent_that_dies_is_unreachable_too_and_its_tasks_live_on(
    subscribe: Subscribe, control: Control, agent: Json
) -> None:
    one = subscribe(framework(checkpoint=True))
    offer = one.offer(lambda held: held["agent_id"] == agent and one.is_whole(held))
    one.accept(offer, launch(task("part-3", agent, command="exec sleep 300")))
    one.task("part-3", "TASK_RUNNING")
    control.run("kill9", "agent", 0)
    assert one.task("part-3", "TASK_UNREACHABLE")["reason"] == "REASON_AGENT_REMOVED"
    seen = len(one.task_updates("part-3"))
    control.run("start", "agent", 0)
    assert one.task("part-3", "TASK_RUNNING", seen=seen)["reason"] == "REASON_AGENT_REREGISTERED"
