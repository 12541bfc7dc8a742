"""Reading a file of a task's sandbox through its agent (Mesos docs, endpoints/files/read)."""

import urllib.request
from typing import Any
from urllib.parse import urlencode

from statefuldb.adapters.mesos.master_api import MasterApi, fetch
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.reconcile.ports import EffectFailed

PAGE_BYTES = 64 * 1024


class AgentFiles:
    """Files of sandboxes. The master is asked where an agent listens."""

    def __init__(self, *, master: MasterApi, transport: Transport) -> None:
        self._master = master
        self._transport = transport

    def read(self, *, agent_id: str, framework_id: str, task_id: str, name: str) -> str:
        """Return a whole file of the latest sandbox of a command task. Raises EffectFailed."""
        address = self._address(agent_id)
        directory = self._sandbox(address, framework_id, task_id)
        text, offset = "", 0
        while True:
            query = urlencode({"path": f"{directory}/{name}", "offset": offset, "length": PAGE_BYTES})
            page = self._get(address, f"/files/read?{query}").get("data", "")
            if not page:
                return text
            text += page
            offset += len(page.encode())

    def _address(self, agent_id: str) -> str:
        for agent in self._master.agents():
            info = agent["agent_info"]
            if info.get("id", {}).get("value") == agent_id:
                return str(agent["pid"].rpartition("@")[2])
        raise EffectFailed(f"agent {agent_id} is not registered")

    def _sandbox(self, address: str, framework_id: str, task_id: str) -> str:
        state = self._get(address, "/slave(1)/state")
        for framework in state.get("frameworks", []):
            if framework["id"] != framework_id:
                continue
            for executor in framework.get("executors", []):
                if executor["id"] == task_id:
                    return str(executor["directory"])
        raise EffectFailed(f"{address} does not know task {task_id}")

    def _get(self, address: str, path: str) -> dict[str, Any]:
        return fetch(urllib.request.Request(self._transport.url(address, path)), self._transport)
