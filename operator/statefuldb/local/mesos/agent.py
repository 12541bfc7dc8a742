"""One agent: checkpointed resources, volumes and tasks; a stream to its master; task status until acknowledged."""

import asyncio
import base64
import contextlib
import shutil
import time
import uuid
from logging import getLogger
from pathlib import Path
from typing import Any

import aiohttp

from statefuldb.local.mesos.recordio import decode
from statefuldb.local.mesos.registry import load_json, save_json
from statefuldb.local.mesos.tasks import DEFAULT_GRACE_SECONDS, RunningTask

log = getLogger(__name__)
Json = dict[str, Any]
RETRY_FIRST_SECONDS = 10.0
RETRY_LIMIT_SECONDS = 600.0
RECONNECT_SECONDS = 0.5


class Agent:
    """The agent's life. `total` is its resources as given by flags, before any reservation."""

    def __init__(
        self,
        *,
        work_dir: Path,
        master: str,
        info: Json,
        total: list[Json],
        heartbeat_seconds: float,
    ) -> None:
        self.work_dir = work_dir
        self._master = f"http://{master}"
        self._info = info
        self._heartbeat_seconds = heartbeat_seconds
        self._meta = work_dir / "meta"
        self._meta.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.id: str | None = load_json(self._meta / "id.json", None)
        self.total: list[Json] = load_json(self._meta / "total.json", total)
        self.frameworks: dict[str, Json] = load_json(self._meta / "frameworks.json", {})
        self.tasks: dict[str, RunningTask] = {}
        self._pending: dict[str, list[Json]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._recover()

    async def run(self) -> None:
        """Serve until cancelled: connect, take orders, connect again when the master is gone."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, connect=5))
        for task in self.tasks.values():
            self._spawn(task.watch(self._ended))
        self._spawn(self._beat())
        try:
            while True:
                try:
                    await self._serve_master()
                except (aiohttp.ClientError, OSError) as error:
                    log.info("master is away: %s", error)
                await asyncio.sleep(RECONNECT_SECONDS)
        finally:
            for work in self._background:
                work.cancel()
            await self._session.close()

    async def stop_tasks(self, grace_seconds: float) -> None:
        """End every task cleanly, as when the machine is shut down."""
        running = list(self.tasks.values())
        await asyncio.gather(*(task.kill(grace_seconds) for task in running))
        await asyncio.gather(*(task.watch(lambda _: None) for task in running))

    def sandbox_of(self, framework_id: str, executor_id: str) -> Path | None:
        """Return the latest sandbox of an executor (for command tasks, of the task of that id)."""
        path = self._sandboxes(framework_id, executor_id) / "latest"
        return path.resolve() if path.exists() else None

    def _sandboxes(self, framework_id: str, executor_id: str) -> Path:
        owner = self.work_dir / "slaves" / str(self.id) / "frameworks" / framework_id
        return owner / "executors" / executor_id / "runs"

    def _recover(self) -> None:
        """Take up the checkpointed tasks; what the executor wrote down while we were away is sent now."""
        for folder in sorted((self._meta / "tasks").glob("*")):
            order = load_json(folder / "order.json", None)
            if order is None:
                shutil.rmtree(folder)
                continue
            task = RunningTask(folder, order)
            self.tasks[task.id] = task
            self._pending[task.id] = load_json(folder / "pending.json", [])

    async def _serve_master(self) -> None:
        assert self._session is not None
        body = {
            "id": self.id,
            "info": self._info,
            "total": self.total,
            "frameworks": list(self.frameworks.values()),
            "tasks": [self._described(task) for task in self.tasks.values()],
        }
        async with self._session.post(f"{self._master}/internal/agent", json=body) as response:
            response.raise_for_status()
            while (message := await decode(response.content)) is not None:
                await self._obey(message)

    def _described(self, task: RunningTask) -> Json:
        sent = self._pending.get(task.id) or [load_json(task.folder / "state.json", {})]
        state = sent[-1].get("state", "TASK_STAGING")
        return {"framework_id": task.framework_id, "task": task.order["task"], "state": state}

    async def _obey(self, message: Json) -> None:
        match message["type"]:
            case "REGISTERED":
                self.id = message["agent_id"]
                save_json(self._meta / "id.json", self.id)
                await self._resend_all()
            case "APPLY":
                await self._apply(message)
            case "RUN_TASK":
                self._run_task(message)
            case "KILL":
                self._kill(message)
            case "SHUTDOWN":
                task = self.tasks.get(message["task_id"])
                if task is not None:
                    self._spawn(task.kill(DEFAULT_GRACE_SECONDS))
            case "ACK":
                await self._acknowledged(message)
            case "RESEND":
                await self._resend_all()
            case _:
                pass

    async def _apply(self, message: Json) -> None:
        """Carry out one operation: checkpoint the new total, make or remove the volumes, report."""
        operation = message["operation"]
        kind = operation["type"]
        if kind == "CREATE":
            for volume in operation["create"]["volumes"]:
                self._volume_path(volume).mkdir(parents=True, exist_ok=True)
        self.total = message["total"]
        save_json(self._meta / "total.json", self.total)
        if kind == "DESTROY":
            for volume in operation["destroy"]["volumes"]:
                shutil.rmtree(self._volume_path(volume), ignore_errors=True)
        if "id" in operation:
            status = {
                "operation_id": operation["id"],
                "state": "OPERATION_FINISHED",
                "uuid": {"value": _uuid()},
                "agent_id": {"value": self.id},
            }
            await self._post(
                {
                    "type": "OPERATION_UPDATE",
                    "framework_id": message["framework_id"],
                    "status": status,
                }
            )

    def _volume_path(self, volume: Json) -> Path:
        role = str(volume["reservations"][-1]["role"]).replace("/", " ")
        root = volume["disk"].get("source", {}).get("path", {}).get("root")
        base = Path(root) if root else self.work_dir
        return base / "volumes" / "roles" / role / str(volume["disk"]["persistence"]["id"])

    def _run_task(self, message: Json) -> None:
        """Checkpoint, make the sandbox, link the volumes, start the executor."""
        info, framework = message["task"], message["framework"]
        framework_id, task_id = framework["id"]["value"], info["task_id"]["value"]
        self.frameworks[framework_id] = framework
        save_json(self._meta / "frameworks.json", self.frameworks)
        runs = self._sandboxes(framework_id, task_id)
        sandbox = runs / str(uuid.uuid4())
        sandbox.mkdir(parents=True)
        latest = runs / "latest"
        latest.unlink(missing_ok=True)
        latest.symlink_to(sandbox)
        for resource in info["resources"]:
            target = resource.get("disk", {}).get("volume", {}).get("container_path", "")
            # A path with a slash is accepted and not mounted, as in Mesos (reference trap 6).
            if target and "/" not in target:
                (sandbox / target).symlink_to(self._volume_path(resource))
        folder = self._meta / "tasks" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        order = {"framework_id": framework_id, "task": info, "sandbox": str(sandbox)}
        save_json(folder / "order.json", order)
        task = RunningTask(folder, order)
        self.tasks[task_id] = task
        self._pending[task_id] = []
        task.start(self._environment(framework_id, task))
        self._enqueue(task, "TASK_STARTING", "")
        self._enqueue(task, "TASK_RUNNING", "")
        self._spawn(task.watch(self._ended))

    def _environment(self, framework_id: str, task: RunningTask) -> Json:
        given = task.order["task"]["command"].get("environment", {}).get("variables", [])
        return {
            **{v["name"]: v.get("value", "") for v in given},
            "MESOS_SANDBOX": str(task.sandbox),
            "MESOS_DIRECTORY": str(task.sandbox),
            "MESOS_TASK_ID": task.id,
            "MESOS_FRAMEWORK_ID": framework_id,
            "MESOS_SLAVE_ID": str(self.id),
        }

    def _kill(self, message: Json) -> None:
        task = self.tasks.get(message["task_id"])
        if task is None:
            return
        policy = message.get("kill_policy") or task.order["task"].get("kill_policy") or {}
        nanoseconds = policy.get("grace_period", {}).get("nanoseconds", DEFAULT_GRACE_SECONDS * 1e9)
        self._enqueue(task, "TASK_KILLING", "")
        self._spawn(task.kill(nanoseconds / 1e9))

    def _ended(self, task: RunningTask) -> None:
        known = load_json(task.folder / "state.json", {})
        if known.get("state") not in ("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED"):
            self._enqueue(task, *task.ending())

    def _enqueue(self, task: RunningTask, state: str, message: str) -> None:
        """Note a status, to be sent until it is acknowledged; later ones wait behind it."""
        status: Json = {
            "task_id": {"value": task.id},
            "state": state,
            "source": "SOURCE_EXECUTOR",
            "agent_id": {"value": self.id},
            "executor_id": {"value": task.id},
            "timestamp": time.time(),
            "uuid": _uuid(),
        }
        if message:
            status["message"] = message
        waiting = self._pending[task.id]
        waiting.append(status)
        save_json(task.folder / "pending.json", waiting)
        save_json(task.folder / "state.json", {"state": state})
        if len(waiting) == 1:
            self._spawn(self._send_until_acknowledged(task, status))

    async def _send_until_acknowledged(self, task: RunningTask, status: Json) -> None:
        pause = RETRY_FIRST_SECONDS
        while status in self._pending.get(task.id, [])[:1]:
            await self._send(task, status)
            await asyncio.sleep(pause)
            pause = min(RETRY_LIMIT_SECONDS, pause * 2)

    async def _send(self, task: RunningTask, status: Json) -> None:
        await self._post({"type": "UPDATE", "framework_id": task.framework_id, "status": status})

    async def _resend_all(self) -> None:
        for task in list(self.tasks.values()):
            if self._pending.get(task.id):
                await self._send(task, self._pending[task.id][0])

    async def _acknowledged(self, message: Json) -> None:
        task = self.tasks.get(message["task_id"])
        waiting = self._pending.get(message["task_id"], [])
        if task is None or not waiting or waiting[0]["uuid"] != message["uuid"]:
            return
        done = waiting.pop(0)
        save_json(task.folder / "pending.json", waiting)
        if done["state"] in ("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED"):
            del self.tasks[task.id], self._pending[task.id]
            task.remove()
        elif waiting:
            self._spawn(self._send_until_acknowledged(task, waiting[0]))

    async def _post(self, message: Json) -> None:
        """Send the master a message. A lost one is sent again by whoever waits for its acknowledgement."""
        assert self._session is not None
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with self._session.post(
                f"{self._master}/internal/agent/message", json={**message, "agent_id": self.id}
            ):
                pass

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            await self._post({"type": "ALIVE"})

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _uuid() -> str:
    return base64.b64encode(uuid.uuid4().bytes).decode()
