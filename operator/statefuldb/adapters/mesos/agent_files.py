"""Reading files of a task's sandbox through its agent (Mesos docs, endpoints/files)."""

import json
import threading
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

from statefuldb.adapters.mesos.master_api import MasterApi, send
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.reconcile.ports import EffectFailed

PAGE_BYTES = 64 * 1024  # an agent answers no more at once, whatever is asked for
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """The latest sandbox of a command task: the agent's host:port, and its directory there."""

    address: str
    directory: str


class NoSandbox(EffectFailed):
    """Agents answered, and none knows the task: it never ran, or its sandbox was collected."""


class AgentFiles:
    """Files of sandboxes. The master is asked where an agent listens."""

    def __init__(self, *, master: MasterApi, transport: Transport) -> None:
        self._master = master
        self._transport = transport
        self._agents: dict[str, str] = {}
        self._asking = threading.Lock()

    def sandbox(self, task_id: str, *, agent_id: str, framework_id: str | None = None) -> Sandbox:
        """Return the sandbox of a task, running or ended, of one framework or of whichever has it.

        An agent that came back under another id still lists what it ran, so where the named one is not registered or
        does not know the task, all others are asked. One that is registered and does not answer is asked again later,
        by whoever asks: nobody else knows better. Raises NoSandbox, EffectFailed.
        """
        # The list is as long as the cluster is large; where an agent listens seldom changes.
        before = self._agents
        found = self._looked_up(before, agent_id, task_id, framework_id)
        if isinstance(found, Sandbox):
            return found
        agents = self._listed(before)
        if agents.get(agent_id) != before.get(agent_id):
            found = self._looked_up(agents, agent_id, task_id, framework_id)
        if isinstance(found, NoSandbox):
            found = self._elsewhere(agents, found, agent_id, task_id, framework_id)
        if isinstance(found, EffectFailed):
            raise found
        return found

    def _looked_up(
        self, agents: dict[str, str], agent_id: str, task_id: str, framework_id: str | None
    ) -> Sandbox | EffectFailed:
        """Return the sandbox on one agent, or why there is none."""
        pid = agents.get(agent_id)
        if pid is None:
            return NoSandbox(f"agent {agent_id} is not registered")
        try:
            return self._sandbox_on(pid, task_id, framework_id)
        except EffectFailed as failure:
            return failure

    def _elsewhere(
        self, agents: dict[str, str], failure: EffectFailed, agent_id: str, task_id: str, framework_id: str | None
    ) -> Sandbox | EffectFailed:
        """Return the sandbox on any other agent, or why it is not found: one that does not answer may have it."""
        for other in sorted(agents.keys() - {agent_id}):
            found = self._looked_up(agents, other, task_id, framework_id)
            if isinstance(found, Sandbox):
                return found
            if not isinstance(found, NoSandbox):
                failure = found
        return failure

    def _listed(self, before: dict[str, str]) -> dict[str, str]:
        """Return the pids of agents by id, asked for once however many threads find that `before` does not do."""
        with self._asking:
            if self._agents is before:
                self._agents = dict(self._master.each_agent(_listening))
            return self._agents

    def _sandbox_on(self, pid: str, task_id: str, framework_id: str | None) -> Sandbox:
        name, _, address = pid.rpartition("@")
        for executor in _executors(self._get(address, f"/{name}/state"), framework_id):
            if executor["id"] == task_id:
                return Sandbox(address=address, directory=str(executor["directory"]))
        raise NoSandbox(f"{address} does not know task {task_id}: its sandbox is gone")

    def names(self, sandbox: Sandbox) -> dict[str, int]:
        """Return the files in a sandbox with their sizes in bytes. Raises EffectFailed."""
        listed = self._get(sandbox.address, "/files/browse?" + urlencode({"path": sandbox.directory}))
        return {PurePosixPath(entry["path"]).name: int(entry["size"]) for entry in listed}

    def size(self, sandbox: Sandbox, name: str) -> int:
        """Return the size of a file in bytes. Raises EffectFailed."""
        return int(self._page(sandbox, name, -1)["offset"])

    def text(self, sandbox: Sandbox, name: str, begin: int, end: int) -> str:
        """Return the bytes from `begin` up to `end` as text; what is no UTF-8 is replaced. Raises EffectFailed."""
        pages = [
            self._page(sandbox, name, offset, min(PAGE_BYTES, end - offset))["data"]
            for offset in range(begin, end, PAGE_BYTES)
        ]
        return "".join(pages)

    def read(self, *, agent_id: str, framework_id: str, task_id: str, name: str) -> str:
        """Return a whole file of the latest sandbox of a command task. Raises EffectFailed."""
        sandbox = self.sandbox(task_id, agent_id=agent_id, framework_id=framework_id)
        return self.text(sandbox, name, 0, self.size(sandbox, name))

    def _page(self, sandbox: Sandbox, name: str, offset: int, length: int = PAGE_BYTES) -> Json:
        query = urlencode({"path": f"{sandbox.directory}/{name}", "offset": offset, "length": length})
        return dict(self._get(sandbox.address, f"/files/read?{query}"))

    def _get(self, address: str, path: str) -> Any:
        request = urllib.request.Request(self._transport.url(address, path))
        try:
            # Agents write the bytes of a file into their JSON as they are: they need not be UTF-8.
            return json.loads(send(request, self._transport).decode(errors="replace"))
        except ValueError as error:
            raise EffectFailed(f"{address}{path}: {error}") from error


def _listening(agent: Json) -> tuple[str, str]:
    """Return an agent's id and pid, of all that the master says of it."""
    return str(agent["agent_info"]["id"]["value"]), str(agent["pid"])


def _executors(state: Json, framework_id: str | None) -> Iterable[Json]:
    """Yield the executors that an agent knows, the running ones first."""
    frameworks = [*state.get("frameworks", []), *state.get("completed_frameworks", [])]
    wanted = [each for each in frameworks if framework_id in (None, each["id"])]
    for kind in ("executors", "completed_executors"):
        for framework in wanted:
            yield from framework.get(kind, [])
