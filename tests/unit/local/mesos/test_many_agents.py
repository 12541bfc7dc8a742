"""What happens to one agent, task or operation costs no walk through those of thousands of others."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from statefuldb.local.mesos.master.by_agent import ByAgent
from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.effects import ToAgent, ToFramework
from statefuldb.local.mesos.master.master import Master

Json = dict[str, Any]
AGENTS = 20
CAPABILITIES = [{"type": name} for name in ("MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE")]
FRAMEWORK: Json = {"user": "u", "name": "f", "roles": ["r"], "capabilities": CAPABILITIES, "checkpoint": True}
CPUS: Json = {"name": "cpus", "type": "SCALAR", "scalar": {"value": 2}}
HALF: Json = {**CPUS, "scalar": {"value": 1}, "allocation_info": {"role": "r"}}


def uuid(number: int) -> str:
    """Return the uuid of an operation's status, as messages have it."""
    return b64encode(number.to_bytes(16, "big")).decode()


class Unwalked(ByAgent[Any, Any]):
    """What fails the test where anybody walks through all that it holds."""

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("walked through what is on all agents")


class Fleet:
    """A master with one framework and many agents, on each of which a task runs and a reservation is under way."""

    def __init__(self) -> None:
        self.cluster = Cluster(master_id="m")
        self.master = Master(self.cluster, address="127.0.0.1", port=5050, unreachable_seconds=75)
        self.owner = self.master.subscribe({"subscribe": {"framework_info": FRAMEWORK}}, "stream", 0)
        self.agents = [self.register(number) for number in range(AGENTS)]
        for number, agent_id in enumerate(self.agents):
            self.report(number, agent_id)
        self.master.tick(1)
        for name in ("offers", "tasks", "operations"):
            held = Unwalked()
            held.update(getattr(self.cluster, name))
            setattr(self.cluster, name, held)
        self.cluster.outbox.clear()

    def register(self, number: int, agent_id: str | None = None, tasks: tuple[Json, ...] = ()) -> str:
        """Register an agent, which runs `tasks` and knows of its operation; return its id."""
        info = {"hostname": f"h{number}", "ip": f"10.0.0.{number}", "port": 5051}
        known = [self.operation(number)] if agent_id else []
        message = {"info": info, "total": [CPUS], "tasks": list(tasks), "operations": known}
        return self.master.agents.register({**message, **({"id": agent_id} if agent_id else {})}, 0)

    def operation(self, number: int) -> Json:
        """Return what an agent reports of its operation."""
        identity = {"value": f"o{number}"}
        status = {"operation_id": identity, "state": "OPERATION_FINISHED", "uuid": {"value": uuid(number)}}
        operation = {"type": "RESERVE", "id": identity}
        return {"uuid": f"u{number}", "framework_id": self.owner, "operation": operation, "status": status}

    def running(self, number: int) -> Json:
        """Return what an agent reports of its task."""
        task = {"task_id": {"value": f"t{number}"}, "name": "t", "resources": [HALF]}
        return {"framework_id": self.owner, "task": task, "status": {"state": "TASK_RUNNING"}}

    def report(self, number: int, agent_id: str) -> None:
        """Let an agent come again with its task, and report its operation."""
        self.register(number, agent_id, (self.running(number),))
        self.master.agents.operation_update(agent_id, self.operation(number))

    def acknowledge(self, number: int) -> None:
        """Acknowledge what an agent has reported of its operation."""
        body = {
            "operation_id": {"value": f"o{number}"},
            "uuid": uuid(number),
            "agent_id": {"value": self.agents[number]},
        }
        call = {"type": "ACKNOWLEDGE_OPERATION_STATUS", "acknowledge_operation_status": body}
        self.master.call({**call, "framework_id": {"value": self.owner}}, "stream", 2)

    def ordered(self) -> list[str]:
        """Return what agents were ordered since the last look."""
        ordered = [str(effect.message["type"]) for effect in self.cluster.outbox if isinstance(effect, ToAgent)]
        self.cluster.outbox.clear()
        return ordered


@pytest.fixture
def fleet() -> Fleet:
    """A fleet whose books nobody may walk through any more."""
    return Fleet()


def test_an_acknowledged_operation_is_found_by_its_agent(fleet: Fleet) -> None:
    fleet.acknowledge(7)
    assert fleet.ordered() == ["ACK_OPERATION"]
    assert len(fleet.cluster.operations) == AGENTS - 1


def test_a_report_that_crosses_its_acknowledgement_is_passed_on_and_kept_by_nobody(fleet: Fleet) -> None:
    """As master.cpp does (`updateOperationStatus`); an agent with an operation under way is never drained."""
    fleet.acknowledge(7)
    fleet.cluster.outbox.clear()
    fleet.master.agents.operation_update(fleet.agents[7], fleet.operation(7))
    assert [effect.event["type"] for effect in fleet.cluster.outbox if isinstance(effect, ToFramework)] == [
        "UPDATE_OPERATION_STATUS"
    ]
    assert len(fleet.cluster.operations) == AGENTS - 1


def test_an_agent_that_leaves_and_comes_again_is_compared_with_what_is_its_own(fleet: Fleet) -> None:
    fleet.master.agents.disconnect(fleet.agents[3], 2)
    assert len(fleet.cluster.offers) == AGENTS - 1
    fleet.register(3, fleet.agents[3])
    assert fleet.ordered() == ["UNKNOWN_TASK"]


def test_a_new_agent_at_the_address_of_one_that_is_away_succeeds_that_one_alone(fleet: Fleet) -> None:
    fleet.master.agents.disconnect(fleet.agents[3], 2)
    fleet.register(3)
    assert fleet.agents[3] not in fleet.cluster.agents
    assert len(fleet.cluster.tasks) == len(fleet.cluster.operations) == AGENTS - 1
