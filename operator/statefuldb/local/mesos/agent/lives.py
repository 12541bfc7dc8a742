"""The lives of an agent's tasks: fetched for, started, checked, killed, ended, and what is told of each step."""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from statefuldb.local.mesos.agent import running_groups, statuses
from statefuldb.local.mesos.agent.checkpoint import Checkpoint
from statefuldb.local.mesos.agent.checks import follow
from statefuldb.local.mesos.agent.fetching import fetch_all
from statefuldb.local.mesos.agent.tasks import RunningTask
from statefuldb.local.mesos.json_files import load_json, save_json

Json = dict[str, Any]
PARTING_SECONDS = 1.0
ENDED = ("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_GONE_BY_OPERATOR")


class Lives:
    """What happens to `tasks`, which are the agent's. `address` is the agent's too.

    `say` sends a status of a framework's task until it is acknowledged, `forget` takes a task that nobody wants to hear
    of out of the books, `spawn` lets something happen beside all else.
    """

    def __init__(
        self,
        *,
        kept: Checkpoint,
        address: str,
        tasks: dict[str, RunningTask],
        say: Callable[[str, Json], None],
        forget: Callable[[RunningTask], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._kept = kept
        self._address = address
        self._tasks = tasks
        self._say = say
        self._forget = forget
        self._spawn = spawn
        self._starting: dict[str, asyncio.Event] = {}
        self._parting: dict[str, float] = {}

    def has(self, key: str) -> bool:
        """Say whether a task is there, or its executor still is: that outlives its task by about a second."""
        return key in self._tasks or time.monotonic() - self._parting.get(key, -PARTING_SECONDS) < PARTING_SECONDS

    def begin(self, task: RunningTask) -> None:
        """Start a task's life; its checkpoint is on disk."""
        self._starting[task.key] = asyncio.Event()
        self._spawn(self._follow(task))

    def resume(self) -> None:
        """Go on with the tasks that an earlier process of this agent has started."""
        for task in self._tasks.values():
            self._spawn(self._attend(task))

    async def end(self, task: RunningTask, grace_seconds: float) -> None:
        """End a task; one that is being started, once it has started."""
        starting = self._starting.get(task.key)
        if starting is not None:
            await starting.wait()
        await task.kill(grace_seconds)

    def tell(self, task: RunningTask, state: str, message: str = "", reason: str | None = None) -> None:
        """Note a status, to be sent until it is acknowledged; later ones wait behind it."""
        status = statuses.of_task(str(self._kept.id), task, state, message, address=self._address, reason=reason)
        self._record(task, status)

    async def _follow(self, task: RunningTask) -> None:
        """Fetch what a task needs, start it, and tell of its start once it has started, and of its end."""
        uris = task.order["task"].get("command", {}).get("uris", [])
        problem = await fetch_all(uris, task.sandbox) if uris else None
        if problem is not None:
            self._starting.pop(task.key).set()
            self._not_launched(task, problem)
            return
        task.start(task.environment(str(self._kept.id)))
        self.tell(task, "TASK_STARTING")
        await task.started()
        self.tell(task, "TASK_RUNNING")
        self._starting.pop(task.key).set()
        await self._attend(task)

    async def _attend(self, task: RunningTask) -> None:
        """Make a task's checks until it has ended, and tell of that."""

        def found(reason: str) -> None:
            if not task.killed:
                self.tell(task, "TASK_RUNNING", reason=reason)

        environment = {**os.environ, **task.environment(str(self._kept.id))}
        checking = asyncio.create_task(follow(task, environment, found, partial(task.kill, task.grace_seconds)))
        try:
            await task.watch(self._ended)
        finally:
            checking.cancel()

    def _not_launched(self, task: RunningTask, why: str) -> None:
        """Tell of a task that has no container."""
        if task.unwanted:
            self._forget(task)
            return
        agent_id, reason = str(self._kept.id), "REASON_CONTAINER_LAUNCH_FAILED"
        self._record(task, statuses.of_failure(agent_id, task.executor_id, task.id, reason, why))
        self._end_group(task, "TASK_FAILED")

    def _ended(self, task: RunningTask) -> None:
        if task.unwanted:
            self._forget(task)
            return
        known = load_json(task.folder / "state.json", {})
        if known.get("state") not in ENDED:
            self._parting[task.key] = time.monotonic()
            state, message = task.ending()
            self.tell(task, state, message)
            self._end_group(task, state)

    def _end_group(self, task: RunningTask, state: str) -> None:
        """End the others of a group where one of them has not finished."""
        for other in running_groups.others(self._tasks.values(), task) if state != "TASK_FINISHED" else ():
            if not other.killed:
                self._spawn(self.end(other, other.grace_seconds))

    def _record(self, task: RunningTask, status: Json) -> None:
        save_json(task.folder / "state.json", status)
        self._say(task.framework_id, status)
