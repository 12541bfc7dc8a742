"""Single agents killed and started again."""

from collections.abc import Iterator

import pytest

from conformance.mesos.client import Http, Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.masters import Control, Mesos
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import BUNDLE, bundled, framework, launch, operation, task
from conformance.mesos.tidying import eventually, settled


@pytest.fixture
def agent(control: Control, mesos: Mesos) -> Iterator[Json]:
    """Yield the id of agent 0, found out by killing it once."""
    everybody = set(mesos.agents())
    control.run("kill9", "agent", 0)
    (gone,) = eventually(lambda: everybody - set(mesos.agents()), "an agent that is away", 120)
    control.run("start", "agent", 0)
    settled(mesos.http, len(everybody))
    yield {"value": gone}
    settled(mesos.http, len(everybody))


def bound(one: Scheduler, agent: Json, name: str) -> None:
    """Run a task on a volume of an agent."""
    offer = one.offer(lambda held: held["agent_id"] == agent and one.is_whole(held))
    one.accept(offer, *bundled(name, agent, f"{name}-v", "echo kept > data/file; exec sleep 300"))
    one.finished(f"{name}-v-r", f"{name}-v-c")
    one.task(name, "TASK_RUNNING")


def reconciled(one: Scheduler, name: str, agent: Json, state: str) -> Json:
    """Ask for a task until the answer says so: while agents are away there may be none."""
    seen = len(one.task_updates(name))

    def told() -> list[Json]:
        one.call("RECONCILE", {"tasks": [{"task_id": {"value": name}, "agent_id": agent}]})
        answers = one.task_updates(name)[seen:]
        return [status for status in answers if status["state"] == state and "uuid" not in status]

    answer: Json = eventually(told, f"the reconciliation of {name}", 60)[0]
    return answer


def test_a_checkpointed_task_outlives_its_agents_process(
    subscribe: Subscribe, control: Control, agent: Json, master: Http, mesos: Mesos
) -> None:
    agents = len(mesos.agents())
    one = subscribe(framework(checkpoint=True))
    bound(one, agent, "ag-1")
    control.run("kill9", "agent", 0)
    control.run("start", "agent", 0)
    settled(master, agents)
    assert reconciled(one, "ag-1", agent, "TASK_RUNNING")["reason"] == "REASON_RECONCILIATION"
    for status in one.task_updates("ag-1"):
        # An acknowledgement just before the agent's death may be lost.
        assert "uuid" not in status or one.acknowledge(status).status == 202
    assert {status["state"] for status in one.task_updates("ag-1")} == {"TASK_STARTING", "TASK_RUNNING"}
    one.call("KILL", {"task_id": {"value": "ag-1"}})
    assert one.task("ag-1", "TASK_KILLED")["message"] == "Command terminated with signal Terminated"


def test_what_a_dead_framework_has_not_acknowledged_holds_nobody_up(
    subscribe: Subscribe, control: Control, agent: Json, master: Http, mesos: Mesos
) -> None:
    agents = len(mesos.agents())
    one = subscribe(framework(checkpoint=True))
    offer = one.offer(lambda held: held["agent_id"] == agent and one.is_whole(held))
    one.accept(offer, operation("RESERVE", BUNDLE, "left"))
    one.operation("left", acknowledge=False)
    one.teardown()
    # It says again what nobody has thanked it for.
    control.run("kill9", "agent", 0)
    control.run("start", "agent", 0)
    settled(master, agents)
    assert master.ask("DRAIN_AGENT", agent_id=agent).status == 200

    def drained() -> bool:
        (found,) = [a for a in master.get("GET_AGENTS")["agents"] if a["agent_info"]["id"] == agent]
        return bool(found["drain_info"]["state"] == "DRAINED")

    eventually(drained, "an agent with nothing left to do")
    assert master.ask("REACTIVATE_AGENT", agent_id=agent).status == 200


def test_without_checkpointing_a_task_is_lost_with_its_agents_process(
    subscribe: Subscribe, control: Control, agent: Json
) -> None:
    one = subscribe(framework(checkpoint=False))
    bound(one, agent, "ag-2")
    control.run("kill9", "agent", 0)
    lost = one.task("ag-2", "TASK_LOST")
    assert lost["reason"] == "REASON_AGENT_DISCONNECTED"
    assert lost["message"].endswith(" disconnected")
    assert "uuid" not in lost
    control.run("start", "agent", 0)
    answer = reconciled(one, "ag-2", agent, "TASK_GONE")
    assert answer["message"] == "Reconciliation: Task is unknown to the agent"
    held = one.offer(lambda other: other["agent_id"] == agent and one.is_whole(other))
    (kept,) = [r for r in held["resources"] if "disk" in r]
    one.accept(held, launch(task("again", agent, [*BUNDLE[:2], kept], "grep -q kept data/file")))
    one.runs_to("TASK_FINISHED", "again")
