"""One agent: checkpointed resources, volumes and tasks; a stream to its master; what it says until acknowledged."""

import asyncio
import os
import shutil
import uuid
from collections.abc import Coroutine
from logging import getLogger
from pathlib import Path
from typing import Any

from statefuldb.local.mesos.agent import running_groups, statuses, volumes
from statefuldb.local.mesos.agent.agent_link import AgentLink
from statefuldb.local.mesos.agent.checkpoint import Checkpoint
from statefuldb.local.mesos.agent.lives import ENDED, Lives
from statefuldb.local.mesos.agent.sandboxes import Sandboxes
from statefuldb.local.mesos.agent.tasks import DEFAULT_GRACE_SECONDS, RunningTask, grace_of, key_of
from statefuldb.local.mesos.agent.unacknowledged import Unacknowledged
from statefuldb.local.mesos.json_files import load_json, save_json

log = getLogger(__name__)
Json = dict[str, Any]
EXITED_WITH_1 = 256


class Agent:
    """The agent's life. `info` is what it says of itself, its resources as in the flags. Raises Incompatible."""

    def __init__(self, *, work_dir: Path, master: str, info: Json, heartbeat_seconds: float) -> None:
        self.work_dir = work_dir
        self._info = info
        self._kept = Checkpoint(work_dir, info)
        self._sandboxes = Sandboxes(work_dir)
        self._link = AgentLink(master, heartbeat_seconds)
        self.tasks: dict[str, RunningTask] = {}
        self.gone = asyncio.Event()
        self._background: set[asyncio.Task[None]] = set()
        self._said = Unacknowledged(send=self._link.send, save=self._save_said, spawn=self._spawn)
        self._lives = Lives(
            kept=self._kept,
            address=info["ip"],
            tasks=self.tasks,
            say=self._say,
            forget=self._forget,
            spawn=self._spawn,
        )
        self._recover()

    @property
    def id(self) -> str | None:
        """Its id, once the master has given it one."""
        return self._kept.id

    @property
    def frameworks(self) -> dict[str, Json]:
        """What the frameworks that it has run tasks of say of themselves."""
        return self._kept.frameworks

    async def run(self) -> None:
        """Serve until cancelled: connect, take orders, connect again when the master is gone."""
        self._lives.resume()
        try:
            await self._link.follow(
                describe=self._description, obey=self._obey, identity=lambda: self.id, until=self.gone
            )
        finally:
            for work in self._background:
                work.cancel()

    async def stop_tasks(self, grace_seconds: float) -> None:
        """End every task cleanly, as when the machine is shut down."""
        running = list(self.tasks.values())
        await asyncio.gather(*(task.kill(grace_seconds) for task in running))
        await asyncio.gather(*(task.watch(lambda _: None) for task in running))

    def sandbox_of(self, framework_id: str, executor_id: str) -> Path | None:
        """Return the latest sandbox of an executor (for command tasks, of the task of that id)."""
        return self._sandboxes.latest(str(self.id), framework_id, executor_id)

    def _recover(self) -> None:
        """Take up what is checkpointed; what the executors wrote down while we were away is said now.

        A new agent takes up nothing of the one that it was, but for its resources.
        """
        folders = sorted((self._kept.folder / "tasks").glob("*"))
        if self.id is None:
            save_json(self._kept.folder / "operations.json", [])
        for message in load_json(self._kept.folder / "operations.json", []):
            self._said.restore(message["uuid_of"], [message])
        for folder in folders:
            order = load_json(folder / "order.json", None)
            if order is None:
                shutil.rmtree(folder)
                continue
            task = RunningTask(folder, order)
            if self.id is None or not self.frameworks.get(task.framework_id, {}).get("checkpoint", False):
                # Its framework did not ask for it to outlive this process.
                task.kill_all()
                task.remove()
                continue
            self.tasks[task.key] = task
            self._said.restore(task.key, load_json(folder / "pending.json", []))

    def _save_said(self, key: str, waiting: list[Json]) -> None:
        task = self.tasks.get(key)
        if task is not None:
            save_json(task.folder / "pending.json", waiting)
        else:
            save_json(self._kept.folder / "operations.json", [self._said.of(key)[0] for key in self._operations()])

    def _operations(self) -> list[str]:
        return self._said.keys("OPERATION_UPDATE")

    def _description(self) -> Json:
        return {
            "id": self.id,
            "info": self._info,
            "total": self._kept.total,
            "frameworks": list(self.frameworks.values()),
            "tasks": [self._described(task) for task in self.tasks.values()],
            "executors": running_groups.executors(self.tasks.values()),
            "operations": [self._operation(key) for key in self._operations()],
        }

    def _described(self, task: RunningTask) -> Json:
        said = [message["status"] for message in self._said.of(task.key)[:1]]
        status = said[0] if said else load_json(task.folder / "state.json", {"state": "TASK_STAGING"})
        return {"framework_id": task.framework_id, "task": task.order["task"], "status": status}

    def _operation(self, key: str) -> Json:
        (message, *_) = self._said.of(key)
        return {"uuid": key, **{name: message[name] for name in ("framework_id", "operation", "status")}}

    async def _obey(self, message: Json) -> None:
        match message["type"]:
            case "REGISTERED":
                self._kept.admitted(message["agent_id"])
                self._said.resend([*self._operations(), *self._said.keys("UPDATE")])
            case "APPLY":
                self._apply(message)
            case "RUN_TASK":
                self._run_task(message["framework"], message["task"])
            case "RUN_GROUP":
                self._run_group(message["framework"], message["executor"], message["tasks"])
            case "KILL":
                self._kill(message)
            case "SHUTDOWN":
                self._shut_down(key_of(message["framework_id"], message["task_id"]))
            case "RESEND":
                self._said.resend(self._said.keys("UPDATE"))
            case "DRAIN":
                self._drain(message["config"])
            case "GONE":
                await self.stop_tasks(DEFAULT_GRACE_SECONDS)
                self.gone.set()
            case _:
                self._answer(message)

    def _answer(self, message: Json) -> None:
        """Take thanks, and what the master misses in our report."""
        match message["type"]:
            case "ACK":
                self._acknowledged(message)
            case "ACK_OPERATION":
                self._said.acknowledge(message["uuid"], self._uuid_of(message["uuid"]))
            case "UNKNOWN_TASK":
                self._disown(message)
            case "UNKNOWN_OPERATION":
                self._report(message, "OPERATION_DROPPED")

    def _shut_down(self, key: str) -> None:
        """End a task whose framework is gone, and say nothing of it."""
        task = self.tasks.get(key)
        if task is not None:
            task.unwanted = True
            self._said.drop(key)
            self._spawn(self._lives.end(task, DEFAULT_GRACE_SECONDS))

    def _apply(self, message: Json) -> None:
        """Carry out one operation: checkpoint the new total, make or remove the volumes, report."""
        operation = message["operation"]
        kind = operation["type"]
        for volume in operation.get("create", {}).get("volumes", []):
            volumes.create(self.work_dir, volume)
        self._kept.keep_total(message["total"])
        for volume in operation.get("destroy", {}).get("volumes", []) if kind == "DESTROY" else []:
            volumes.destroy(self.work_dir, volume)
        self._report(message, "OPERATION_FINISHED")

    def _report(self, message: Json, state: str) -> None:
        """Say how an operation ended; until acknowledged where its framework gave it an id."""
        report = statuses.of_operation(str(self.id), message, state)
        if "id" in message["operation"]:
            self._said.add(message["uuid"], report)
        else:
            self._link.send(report)

    def _uuid_of(self, key: str) -> str:
        return str(self._said.of(key)[0]["uuid"]) if self._said.of(key) else ""

    def _run_group(self, framework: Json, executor: Json, tasks: list[Json]) -> None:
        """Run the tasks of a group on the executor that they name, which may run already."""
        framework_id, executor_id = framework["id"]["value"], executor["executor_id"]["value"]
        if executor["type"] != "DEFAULT":
            self._without_executor(framework, executor_id, tasks)
            return
        parent = running_groups.sandbox_of(self.tasks.values(), framework_id, executor_id)
        parent = parent or self._sandboxes.make(str(self.id), framework_id, executor_id)
        group = {"id": uuid.uuid4().hex, "executor_id": executor_id, "executor": executor, "sandbox": str(parent)}
        for info in tasks:
            self._run_task(framework, info, group)

    def _without_executor(self, framework: Json, executor_id: str, tasks: list[Json]) -> None:
        """Tell that an executor of the framework's own has ended as it began: this agent runs none."""
        framework_id = framework["id"]["value"]
        self._kept.keep_framework(framework)
        self._link.send(running_groups.executor_ended(framework_id, executor_id, EXITED_WITH_1))
        for info in tasks:
            why = ("REASON_EXECUTOR_TERMINATED", "Executor terminated")
            self._say(framework_id, statuses.of_failure(str(self.id), executor_id, info["task_id"]["value"], *why))

    def _run_task(self, framework: Json, info: Json, group: Json | None = None) -> None:
        """Checkpoint, make the sandbox, link the volumes, start the executor."""
        if "executor" in info:
            self._without_executor(framework, info["executor"]["executor_id"]["value"], [info])
            return
        framework_id, task_id = framework["id"]["value"], info["task_id"]["value"]
        key = key_of(framework_id, task_id)
        if self._lives.has(key):
            # So does a real agent: its executor outlives its task by about a second (slave.cpp:3194).
            log.critical("Check failed: executor == nullptr")
            os.abort()
        self._kept.keep_framework(framework)
        if group is None:
            sandbox = self._sandboxes.make(str(self.id), framework_id, task_id)
        else:
            sandbox = self._sandboxes.make_nested(Path(group["sandbox"]))
        self._sandboxes.link_volumes(sandbox, info)
        folder = self._kept.folder / "tasks" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        order = {"framework_id": framework_id, "task": info, "sandbox": str(sandbox)}
        if group is not None:
            order["group"] = group
        save_json(folder / "order.json", order)
        task = RunningTask(folder, order)
        self.tasks[key] = task
        self._lives.begin(task)

    def _kill(self, message: Json) -> None:
        task = self.tasks.get(key_of(message["framework_id"], message["task_id"]))
        if task is None:
            return
        grace = grace_of(message.get("kill_policy")) or task.grace_seconds
        # Of what is given up that would be its last status, after which it is forgotten.
        if not task.given_up and {"type": "TASK_KILLING_STATE"} in self._capabilities(task):
            self._lives.tell(task, "TASK_KILLING")
        self._spawn(self._lives.end(task, grace))

    def _capabilities(self, task: RunningTask) -> list[Json]:
        return list(self.frameworks.get(task.framework_id, {}).get("capabilities", []))

    def _drain(self, config: Json) -> None:
        """End all tasks, each within its own grace, or a shorter one that is given for all."""
        longest = config.get("max_grace_period")
        for task in list(self.tasks.values()):
            if not task.draining:
                aware = {"type": "PARTITION_AWARE"} in self._capabilities(task)
                task.draining, task.given_up = True, bool(config.get("mark_gone")) and aware
                grace = task.grace_seconds
                self._spawn(self._lives.end(task, min(grace, longest["nanoseconds"] / 1e9) if longest else grace))

    def _disown(self, message: Json) -> None:
        """Say of a task that we never got it, or have lost it."""
        framework = message["framework"]
        if not self._said.of(key_of(framework["id"]["value"], message["task_id"])):
            self._say(framework["id"]["value"], statuses.of_unknown(str(self.id), framework, message["task_id"]))

    def _say(self, framework_id: str, status: Json) -> None:
        message = {"type": "UPDATE", "framework_id": framework_id, "uuid": status["uuid"], "status": status}
        self._said.add(key_of(framework_id, status["task_id"]["value"]), message)

    def _acknowledged(self, message: Json) -> None:
        key = key_of(message["framework_id"], message["task_id"])
        done = self._said.acknowledge(key, message["uuid"])
        task = self.tasks.get(key)
        if task is not None and done is not None and done["status"]["state"] in ENDED:
            self._forget(task)

    def _forget(self, task: RunningTask) -> None:
        del self.tasks[task.key]
        task.remove()
        identity = task.framework_id, task.executor_id
        if task.group is not None and running_groups.sandbox_of(self.tasks.values(), *identity) is None:
            self._link.send(running_groups.executor_ended(*identity, 0))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
