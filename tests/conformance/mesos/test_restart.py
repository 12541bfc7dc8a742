"""A master that dies and is started again, and what a framework is told until the agents are back."""

from collections.abc import Iterator

import pytest

from conformance.mesos.client import Json
from conformance.mesos.conftest import AGENTS, MASTERS, Subscribe, opened
from conformance.mesos.masters import Mesos, Whole
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import bundled, framework, launch, operation, task, volume
from conformance.mesos.tidying import eventually, settled

# How long a real agent waits for its executors before it returns: time for the master to be asked before.
RETURN = {"executor_reregistration_timeout": "5secs"}


@pytest.fixture(params=MASTERS)
def mesos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesos]:
    """Yield a master of our own, killed in each test."""
    if request.param == "given":
        pytest.skip("the master is killed together with its agents, which one that is given cannot be")
    flags = RETURN if request.param == "real" else {}
    with opened(request, tmp_path_factory, flags=flags) as one:
        yield one


def subscribed_again(one: Scheduler) -> Scheduler:
    """Subscribe with the old id as soon as the master has recovered."""
    eventually(lambda: one.master.ask("GET_AGENTS").status == 200, "a master that has recovered")
    return one.succeeded_by()


def answered(one: Scheduler, *tasks: Json) -> None:
    """Reconcile tasks, and wait for the answer to a last one, of an agent that nobody knows: it comes at once."""
    last = {"task_id": {"value": "last"}, "agent_id": {"value": "none"}}
    seen = len(one.task_updates("last"))
    one.call("RECONCILE", {"tasks": [*tasks, last]})
    assert one.task("last", "TASK_UNKNOWN", seen=seen)["message"] == "Reconciliation: Task is unknown"


def test_tasks_and_reservations_outlive_master_and_agents(subscribe: Subscribe, mesos: Mesos, whole: Whole) -> None:
    one = subscribe(framework(checkpoint=True))
    offer = one.offer()
    agent: Json = offer["agent_id"]
    one.accept(offer, *bundled("re-1", agent, "re-v", "exec sleep 300"))
    one.finished("re-v-r", "re-v-c")
    one.task("re-1", "TASK_RUNNING")
    one.call("SUPPRESS")
    one.put_back(one.offers())
    other = subscribe(framework(checkpoint=False))
    held = other.offer(lambda offer: offer["agent_id"] == agent, recorded=False)
    other.accept(held, launch(task("re-2", agent, command="exec sleep 300")))
    other.task("re-2", "TASK_RUNNING")

    whole.kill()
    one.stream.wait(lambda: one.stream.ended == "broken", about="the end of the stream")
    whole.start_master()
    again = subscribed_again(one)
    named = {"task_id": {"value": "re-1"}, "agent_id": agent}
    answered(again, named, {"task_id": {"value": "re-1"}}, {"task_id": {"value": "never"}, "agent_id": agent})
    again.call("RECONCILE", {"tasks": []})
    asked = {"operation_id": {"value": "re-v-r"}, "agent_id": agent}
    again.call("RECONCILE_OPERATIONS", {"operations": [asked]})
    recovering = again.operation("re-v-r")
    assert recovering["state"] == "OPERATION_RECOVERING"
    back = [found["agent_info"]["id"] for found in mesos.http.get("GET_AGENTS").get("agents", [])]
    assert agent not in back, "the agent came back too soon to see what is said before"
    # Silence: whoever takes it for an answer takes a living task for a lost one.
    assert not again.task_updates("re-1")
    assert not again.task_updates("never")

    whole.start_agents()
    settled(mesos.http, AGENTS)
    again.call("RECONCILE", {"tasks": []})
    status = again.task("re-1", "TASK_RUNNING")
    assert (status["reason"], status["message"]) == ("REASON_RECONCILIATION", "Reconciliation: Latest task state")
    answered(again, {"task_id": {"value": "never"}, "agent_id": agent})
    assert again.task("never", "TASK_GONE")["message"] == "Reconciliation: Task is unknown to the agent"
    later = subscribed_again(other)
    later.call("RECONCILE", {"tasks": [{"task_id": {"value": "re-2"}, "agent_id": agent}]})
    assert later.task("re-2", "TASK_GONE")["reason"] == "REASON_RECONCILIATION"
    again.call("RECONCILE_OPERATIONS", {"operations": [asked]})
    assert again.operation("re-v-r", seen=1)["state"] == "OPERATION_UNKNOWN"
    later.teardown()

    again.call("KILL", {"task_id": {"value": "re-1"}})
    assert again.task("re-1", "TASK_KILLED")["message"] == "Command terminated with signal Terminated"
    held = again.offer(lambda offer: any("disk" in r for r in offer["resources"]), recorded=False)
    again.accept(held, operation("DESTROY", [volume("re-v")], "re-d"))
    again.finished("re-d")
    again.teardown()


def test_an_agent_that_is_called_gone_before_it_is_back_is_never_answered_for(
    subscribe: Subscribe, mesos: Mesos, whole: Whole
) -> None:
    one = subscribe(framework(checkpoint=True))
    agent: Json = one.offer()["agent_id"]
    whole.kill()
    one.stream.wait(lambda: one.stream.ended == "broken", about="the end of the stream")
    whole.start_master()
    again = subscribed_again(one)
    assert mesos.http.ask("MARK_AGENT_GONE", agent_id=agent).status == 200
    named = {"task_id": {"value": "gone-0"}, "agent_id": agent}
    answered(again, named, {"task_id": {"value": "gone-0"}})
    again.call("RECONCILE_OPERATIONS", {"operations": [{"operation_id": {"value": "gone-o"}, "agent_id": agent}]})
    assert again.operation("gone-o")["state"] == "OPERATION_RECOVERING"
    listed = mesos.http.get("GET_AGENTS")
    assert agent in [found["id"] for found in listed["recovered_agents"]]
    # Nor once it has been sent away, and the others are there.
    whole.start_agents()
    settled(mesos.http, AGENTS - 1)
    answered(again, named)
    assert not again.task_updates("gone-0")
    again.teardown()
