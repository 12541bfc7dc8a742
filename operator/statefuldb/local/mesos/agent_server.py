"""The agent's sockets: its state and the files of its sandboxes (Mesos docs, endpoints/files)."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from aiohttp import web

from statefuldb.local.mesos.agent import Agent

Json = dict[str, Any]
PAGE_BYTES = 64 * 1024


class AgentServer:
    """HTTP around one agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def application(self) -> web.Application:
        """Return the HTTP application; the paths answer under `/slave(1)` too, as in Mesos."""
        app = web.Application()
        for prefix in ("", "/slave(1)"):
            app.router.add_get(prefix + "/state", self._state)
            app.router.add_get(prefix + "/files/read", self._read)
            app.router.add_get(prefix + "/files/browse", self._browse)
            app.router.add_get(prefix + "/health", self._health)
        return app

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _state(self, request: web.Request) -> web.Response:
        agent = self._agent
        frameworks = []
        for framework_id, info in agent.frameworks.items():
            running: dict[str, Json] = {}
            for task in agent.tasks.values():
                if task.framework_id == framework_id:
                    directory = task.sandbox if task.group is None else task.group["sandbox"]
                    shown = {"id": task.executor_id, "directory": str(directory), "tasks": []}
                    executor = running.setdefault(task.executor_id, shown)
                    executor["tasks"].append({"id": task.id, "name": task.order["task"].get("name", "")})
            frameworks.append(
                {
                    "id": framework_id,
                    "name": info.get("name", ""),
                    "executors": list(running.values()),
                    "completed_executors": self._completed(framework_id, running),
                }
            )
        return web.json_response({"id": agent.id, "version": "1.11.0", "frameworks": frameworks})

    def _completed(self, framework_id: str, running: Collection[str]) -> list[Json]:
        """Return the executors whose tasks are over, as their sandboxes tell."""
        folder = self._agent.work_dir / "slaves" / str(self._agent.id) / "frameworks" / framework_id / "executors"
        names = [path.name for path in sorted(folder.glob("*")) if path.name not in running]
        return [
            {"id": name, "directory": str(self._agent.sandbox_of(framework_id, name)), "tasks": []} for name in names
        ]

    async def _read(self, request: web.Request) -> web.Response:
        path = self._resolve(request.query.get("path", ""))
        if path is None or not path.is_file():
            return web.Response(status=404)
        offset = int(request.query.get("offset", -1))
        size = path.stat().st_size
        if offset < 0:
            return web.json_response({"data": "", "offset": size})
        length = min(int(request.query.get("length", PAGE_BYTES)), PAGE_BYTES)
        with path.open("rb") as file:
            file.seek(offset)
            text = file.read(length).decode(errors="replace")
        return web.json_response({"data": text, "offset": offset})

    async def _browse(self, request: web.Request) -> web.Response:
        path = self._resolve(request.query.get("path", ""))
        if path is None or not path.is_dir():
            return web.Response(status=404)
        listed = [
            {"path": str(entry), "size": entry.lstat().st_size, "mode": "-rw-r--r--", "nlink": 1}
            for entry in sorted(path.iterdir())
        ]
        return web.json_response(listed)

    def _resolve(self, text: str) -> Path | None:
        """Return a path within a sandbox of this agent, or None: nothing else is shown."""
        parts = [part for part in text.split("/") if part]
        if len(parts) >= 6 and parts[0] == "frameworks" and parts[2] == "executors":
            sandbox = self._agent.sandbox_of(parts[1], parts[3])
            path = sandbox.joinpath(*parts[6:]) if sandbox is not None else None
        else:
            path = Path(text)
        root = (self._agent.work_dir / "slaves").resolve()
        if path is None or ".." in path.parts or not path.is_relative_to(root):
            return None
        return path
