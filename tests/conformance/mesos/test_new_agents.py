"""Agents that were given other flags, or lost their id, and one that takes another's place."""

from collections.abc import Iterator

import pytest

from conformance.mesos.client import Json
from conformance.mesos.conftest import AGENTS, MASTERS, Subscribe, opened
from conformance.mesos.masters import RESOURCES, Control, Mesos, Whole
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import bundled, framework
from conformance.mesos.tidying import eventually, settled

CHANGED = [
    ({"resources": "cpus:2;mem:8192;disk:40960;ports:[31000-31099]"}, "Incompatible agent info detected"),
    ({"resources": RESOURCES.replace("cpus:4", "cpus:8")}, "Incompatible agent info detected"),
    ({"attributes": "rack:r2"}, "Incompatible agent info detected"),
    ({"resources": RESOURCES.replace("disk:40960", "disk:100")}, "Checkpointed resources "),
]


@pytest.fixture(params=MASTERS)
def mesos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesos]:
    """Yield a master whose agents are started again in each test."""
    if request.param == "given":
        pytest.skip("needs the work directories of the agents, and to see them refuse to start")
    with opened(request, tmp_path_factory) as one:
        yield one


def bound(one: Scheduler, name: str, *others: str) -> Json:
    """Run a task on a volume; return the agent's id. It is not one of `others`."""
    offer = one.offer(lambda held: held["agent_id"]["value"] not in others and one.is_whole(held))
    agent: Json = offer["agent_id"]
    one.accept(offer, *bundled(name, agent, f"{name}-v", "exec sleep 300"))
    one.finished(f"{name}-v-r", f"{name}-v-c")
    one.task(name, "TASK_RUNNING")
    return agent


def test_with_other_resources_or_attributes_an_agent_refuses_to_start(
    subscribe: Subscribe, mesos: Mesos, whole: Whole
) -> None:
    one = subscribe(framework(checkpoint=True))
    agent = bound(one, "new-1")
    # On each agent there is something, so that each has the same reason; real ones end together with the first.
    bound(one, "new-2", agent["value"])
    for flags, reason in CHANGED:
        whole.kill()
        said = whole.refusal(**flags)
        assert f"EXIT with status 1: Failed to perform recovery: {reason}" in said
        if reason != "Checkpointed resources ":
            assert "To restart this agent with a new agent id instead, do as follows:\nrm -f " in said
            assert "/meta/slaves/latest" in said
    # With the flags that it had it is as it was.
    whole.kill()
    whole.start_master()
    whole.start_agents()
    settled(mesos.http, AGENTS)
    assert agent["value"] in mesos.agents()
    again = one.succeeded_by()
    again.call("RECONCILE", {"tasks": [{"task_id": {"value": "new-1"}, "agent_id": agent}]})
    again.task("new-1", "TASK_RUNNING")
    again.teardown()


def test_a_new_agent_takes_the_place_of_one_that_is_away(
    subscribe: Subscribe, control: Control, mesos: Mesos, whole: Whole
) -> None:
    one = subscribe(framework(checkpoint=True))
    agent = bound(one, "new-3")
    for number in range(AGENTS):
        control.run("kill9", "agent", number)
    eventually(lambda: not mesos.agents(), "agents that are away")
    assert not [status for status in one.task_updates("new-3") if "LOST" in status["state"]]
    whole.forget()
    whole.start_agents()
    lost = one.task("new-3", "TASK_LOST")
    assert lost["reason"] == "REASON_AGENT_REMOVED"
    assert lost["message"].startswith("Agent ")
    assert lost["message"].endswith(" removed: a new agent registered at the same address")
    assert "uuid" not in lost
    one.told("FAILURE", agent_id=agent)
    settled(mesos.http, AGENTS)
    assert agent["value"] not in mesos.agents()
    held = one.offer(lambda offer: any("disk" in r for r in offer["resources"]), recorded=False)
    assert held["agent_id"]["value"] in mesos.agents()
    seen = len(one.task_updates("new-3"))
    one.call("RECONCILE", {"tasks": [{"task_id": {"value": "new-3"}, "agent_id": agent}]})
    assert one.task("new-3", "TASK_UNKNOWN", seen=seen)["message"] == "Reconciliation: Task is unknown"
