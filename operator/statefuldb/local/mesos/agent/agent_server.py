"""The agent's sockets: its state and the files of its sandboxes (Mesos docs, endpoints/files)."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from statefuldb.local.mesos.agent import shown_files
from statefuldb.local.mesos.agent.agent import Agent

Json = dict[str, Any]


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
        query = request.query
        try:
            shown = shown_files.page(self._path(query), query.get("offset"), query.get("length"))
        except shown_files.NotShown as refused:
            return web.Response(status=refused.status, text=str(refused))
        return web.json_response(shown)

    async def _browse(self, request: web.Request) -> web.Response:
        try:
            listed = shown_files.listing(self._path(request.query), request.query["path"])
        except shown_files.NotShown as refused:
            return web.Response(status=refused.status, text=str(refused))
        return web.json_response(listed)

    def _path(self, query: Mapping[str, str]) -> Path:
        """Return the path that is asked for, by its real name or by that of its executor. Raises NotShown."""
        text = query.get("path", "")
        if not text:
            raise shown_files.NotShown(400, "Expecting 'path=value' in query.\n")
        parts = [part for part in text.split("/") if part]
        if len(parts) >= 6 and parts[0] == "frameworks" and parts[2] == "executors":
            sandbox = self._agent.sandbox_of(parts[1], parts[3])
            path = sandbox.joinpath(*parts[6:]) if sandbox is not None else None
        else:
            path = Path(text)
        return shown_files.within((self._agent.work_dir / "slaves").resolve(), path)
