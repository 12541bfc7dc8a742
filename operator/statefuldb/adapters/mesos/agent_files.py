"""Reading a file of a task's sandbox through its agent (Mesos docs, endpoints/files/read)."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from statefuldb.reconcile.ports import EffectFailed

TIMEOUT_SECONDS = 5.0
PAGE_BYTES = 64 * 1024


class AgentFiles:
    """Files of sandboxes. `master` is asked where an agent listens."""

    def __init__(self, *, masters: tuple[str, ...], headers: Mapping[str, str]) -> None:
        self._masters = masters
        self._headers = dict(headers)

    def read(self, *, agent_id: str, framework_id: str, task_id: str, name: str) -> str:
        """Return a whole file of the latest sandbox of a command task. Raises EffectFailed."""
        address = self._address(agent_id)
        directory = self._sandbox(address, framework_id, task_id)
        text, offset = "", 0
        while True:
            query = urlencode({"path": f"{directory}/{name}", "offset": offset, "length": PAGE_BYTES})
            page = self._get(f"http://{address}/files/read?{query}").get("data", "")
            if not page:
                return text
            text += page
            offset += len(page.encode())

    def _address(self, agent_id: str) -> str:
        for agent in self._agents():
            info = agent["agent_info"]
            if info.get("id", {}).get("value") == agent_id:
                return str(agent["pid"].rpartition("@")[2])
        raise EffectFailed(f"agent {agent_id} is not registered")

    def tasks(self) -> list[dict[str, Any]]:
        """Return the tasks that the master knows. Raises EffectFailed."""
        return list(self._ask_master("GET_TASKS")["get_tasks"].get("tasks", []))

    def _agents(self) -> list[dict[str, Any]]:
        return list(self._ask_master("GET_AGENTS")["get_agents"].get("agents", []))

    def _ask_master(self, kind: str) -> dict[str, Any]:
        error = "no master is configured"
        for master in self._masters:
            try:
                return self._post(f"http://{master}/api/v1", {"type": kind})
            except EffectFailed as failure:
                error = str(failure)
        raise EffectFailed(error)

    def _sandbox(self, address: str, framework_id: str, task_id: str) -> str:
        state = self._get(f"http://{address}/slave(1)/state")
        for framework in state.get("frameworks", []):
            if framework["id"] != framework_id:
                continue
            for executor in framework.get("executors", []):
                if executor["id"] == task_id:
                    return str(executor["directory"])
        raise EffectFailed(f"{address} does not know task {task_id}")

    def _post(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {
            **self._headers,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        return _fetch(urllib.request.Request(url, json.dumps(body).encode(), headers))

    def _get(self, url: str) -> dict[str, Any]:
        return _fetch(urllib.request.Request(url, headers=self._headers))


def _fetch(request: urllib.request.Request) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return dict(json.load(answer))
    except (OSError, ValueError) as error:
        where = urlsplit(request.full_url)
        raise EffectFailed(f"{where.netloc}{where.path}: {error}") from error
