"""Running one short command on each agent, by a framework of its own that is gone as soon as its connection closes.

It takes a sliver of unreserved resources alone, whatever else it is offered in the role, and its fail-over time-out is
zero: closing the stream is its end, no TEARDOWN is sent.
"""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statefuldb.adapters.mesos.agent_files import AgentFiles
from statefuldb.adapters.mesos.calls import CallFailed
from statefuldb.adapters.mesos.driver import ConnectionState, Driver, Event
from statefuldb.adapters.mesos.masters import Masters
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.model.observed import TaskState
from statefuldb.model.volume import AgentRef
from statefuldb.reconcile.machine import Machine
from statefuldb.reconcile.ports import EffectFailed

Json = dict[str, Any]
NAME = "statefuldb-scout"
CPUS, MEM_MIB = 0.1, 64
NOT_WANTED_SECONDS = 5.0
CAPABILITIES = ("MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one agent's command wrote, or in `trouble` why there is nothing."""

    agent: AgentRef
    output: str = ""
    trouble: str = ""


class Scout:
    """One round over agents. Who it is in Mesos is given as for the operator: role, user and principal."""

    def __init__(
        self,
        *,
        masters: Masters,
        transport: Transport,
        files: AgentFiles,
        machine: Machine,
        role: str,
        user: str,
        principal: str,
    ) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._waiting: dict[str, AgentRef] = {}
        self._running: dict[str, AgentRef] = {}
        self._reports: list[Report] = []
        self._command: Sequence[str] = ()
        self._result = ""
        self._error = "no offer of it came with unreserved resources"
        self._driver = Driver(
            masters=masters,
            transport=transport,
            framework_info={
                "user": user,
                "name": NAME,
                "roles": [role],
                "principal": principal,
                "capabilities": [{"type": each} for each in CAPABILITIES],
                "failover_timeout": 0.0,
            },
            on_event=self._event,
            on_state=self._state,
            machine=machine,
        )

    def run(
        self, command: Sequence[str], result: str, agents: Sequence[AgentRef], patience_seconds: float
    ) -> list[Report]:
        """Run `command` once on each agent, which writes the file `result` into its sandbox; return what it wrote.

        There is a report of each agent, of those that did not answer in time too.
        """
        self._command, self._result = command, result
        self._waiting = {agent.id: agent for agent in agents}
        if not agents:
            return []
        self._driver.start()
        try:
            self._done.wait(patience_seconds)
        finally:
            self._driver.stop()
        with self._lock:
            late = [Report(agent=agent, trouble=self._error) for agent in self._waiting.values()]
            late += [Report(agent=agent, trouble="it did not end in time") for agent in self._running.values()]
            return sorted([*self._reports, *late], key=lambda report: report.agent.hostname)

    def _state(self, state: ConnectionState) -> None:
        if state.error:
            self._error = state.error
        if state.fatal:
            self._done.set()

    def _event(self, event: Event) -> None:
        kind = event.get("type")
        if kind == "OFFERS":
            for offer in event["offers"]["offers"]:
                self._offered(offer)
        elif kind == "UPDATE":
            self._updated(event["update"]["status"])

    def _offered(self, offer: Json) -> None:
        agent = self._waiting.get(offer["agent_id"]["value"])
        resources = sliver(offer["resources"])
        if agent is None or not resources:
            self._try(lambda: self._driver.declineOffer([offer["id"]], filters={"refuse_seconds": NOT_WANTED_SECONDS}))
            return
        task_id = f"{NAME}.{uuid.uuid4()}"
        task = {
            "name": NAME,
            "task_id": {"value": task_id},
            "agent_id": offer["agent_id"],
            "resources": resources,
            "command": {"shell": False, "value": self._command[0], "arguments": list(self._command)},
        }
        with self._lock:
            self._running[task_id] = self._waiting.pop(agent.id)
        launch = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
        self._try(lambda: self._driver.acceptOffers([offer["id"]], [launch]))

    def _updated(self, status: Json) -> None:
        task_id, state = status["task_id"]["value"], TaskState(status["state"])
        agent = self._running.get(task_id)
        if agent is not None and not state.alive:
            report = self._report(agent, task_id, state, status)
            with self._lock:
                del self._running[task_id]
                self._reports.append(report)
        if "uuid" in status:
            self._try(lambda: self._driver.acknowledgeStatusUpdate(status))
        if not self._running and not self._waiting:
            self._done.set()

    def _report(self, agent: AgentRef, task_id: str, state: TaskState, status: Mapping[str, Any]) -> Report:
        if state is not TaskState.FINISHED:
            return Report(agent=agent, trouble=f"{state}: {status.get('message', '')}")
        try:
            sandbox = self._files.sandbox(task_id, agent_id=agent.id)
            size = self._files.size(sandbox, self._result)
            return Report(agent=agent, output=self._files.text(sandbox, self._result, 0, size))
        except EffectFailed as failure:
            return Report(agent=agent, trouble=str(failure))

    def _try(self, call: Callable[[], None]) -> None:
        try:
            call()
        except CallFailed as failure:
            self._error = str(failure)


def sliver(offered: Sequence[Json]) -> list[Json]:
    """Return the little that the command needs of an offer's unreserved resources; nothing where they are too few."""
    taken = []
    for name, amount in (("cpus", CPUS), ("mem", float(MEM_MIB))):
        for resource in offered:
            free = not resource.get("reservations") and "disk" not in resource and not resource.get("revocable")
            if resource["name"] == name and free and resource["scalar"]["value"] >= amount:
                taken.append({**resource, "scalar": {"value": amount}})
                break
    return taken if len(taken) == 2 else []
