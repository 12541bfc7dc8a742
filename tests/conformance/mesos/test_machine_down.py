"""A machine that is put down and up again: START_MAINTENANCE and STOP_MAINTENANCE (Mesos docs, maintenance).

All agents of a test are on one machine, so this file has a master of its own, with one agent.
"""

import time
from collections.abc import Iterator

import pytest

from conformance.mesos.client import Http
from conformance.mesos.conftest import MASTERS, Subscribe, opened
from conformance.mesos.masters import Mesos
from conformance.mesos.recording import Recording
from conformance.mesos.things import Json, framework, launch, task
from conformance.mesos.tidying import eventually

HOUR = 3600 * 10**9


@pytest.fixture(scope="module", params=[name for name in MASTERS if name != "given"])
def mesos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesos]:
    """Yield a master with one agent, which is lost to it afterwards."""
    with opened(request, tmp_path_factory, 1) as one:
        yield one


def test_a_machine_that_goes_down_takes_its_agents_with_it(
    subscribe: Subscribe, master: Http, recording: Recording
) -> None:
    def ask(kind: str, **body: object) -> tuple[int, str]:
        answer = master.ask(kind, **body)
        recording.call({"type": kind, **body}, answer.status, answer.text)
        return answer.status, answer.text

    one = subscribe(framework(checkpoint=True))
    offer = one.offer()
    one.accept(offer, launch(task("down", offer["agent_id"], command="exec sleep 300")))
    one.task("down", "TASK_RUNNING")
    rest = one.offer(lambda held: held["agent_id"] == offer["agent_id"], recorded=False)
    (agent,) = master.get("GET_AGENTS")["agents"]
    address = agent["pid"].partition("@")[2].rpartition(":")[0]
    machine: Json = {"hostname": agent["agent_info"]["hostname"], "ip": address}
    text = f'{{"hostname":"{machine["hostname"]}","ip":"{address}"}}'
    away = {"start": {"nanoseconds": int(time.time() * 1e9)}, "duration": {"nanoseconds": HOUR}}
    planned = {"windows": [{"machine_ids": [machine], "unavailability": away}]}
    assert ask("UPDATE_MAINTENANCE_SCHEDULE", schedule=planned) == (200, "")
    assert ask("START_MAINTENANCE", machines=[machine]) == (200, "")
    status = one.task("down", "TASK_LOST")
    assert status["reason"] == "REASON_AGENT_REMOVED"
    assert status["message"] == f"Agent {machine['hostname']} removed: Operator initiated 'Machine DOWN'"
    assert "uuid" not in status
    one.stream.wait(lambda: [e for e in one.stream.events if e["type"] == "FAILURE"], about="the agent's end")
    assert rest["id"] not in [held["id"] for held in one.offers()]
    eventually(lambda: not master.get("GET_AGENTS").get("agents"), "no agent")
    assert master.get("GET_MAINTENANCE_STATUS") == {"status": {"down_machines": [machine]}}
    assert ask("START_MAINTENANCE", machines=[machine]) == (
        400,
        f"Machine '{text}' is not in DRAINING mode and cannot be brought down",
    )
    assert ask("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": []}) == (
        400,
        f"Machine '{text}' is deactivated and cannot be removed from the schedule",
    )
    seen = len(one.task_updates("down"))
    asked = {"task_id": {"value": "down"}, "agent_id": offer["agent_id"]}
    assert one.call("RECONCILE", {"tasks": [asked]}).status == 202
    one.stream.wait(lambda: one.task_updates("down")[seen:], about="what is known of the task")
    assert ask("STOP_MAINTENANCE", machines=[machine]) == (200, "")
    assert master.get("GET_MAINTENANCE_STATUS") == {"status": {}}
    assert master.get("GET_MAINTENANCE_SCHEDULE") == {"schedule": {}}
