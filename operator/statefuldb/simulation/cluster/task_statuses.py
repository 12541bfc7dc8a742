"""What an agent says of its tasks: each status again and again until it is acknowledged, one after the other."""

from collections.abc import Callable
from typing import Any

from statefuldb.simulation.clockwork.schedule import Schedule
from statefuldb.simulation.cluster.operation_reports import RESEND_FIRST_SECONDS, RESEND_LIMIT_SECONDS

Json = dict[str, Any]


class TaskStatuses:
    """The last state of each task, and what is not acknowledged yet. `say` sends a task's status if it can be sent.

    All of it is on the agent's disk: one that was started again goes on with it.
    """

    def __init__(self, schedule: Schedule, say: Callable[[str, Json], None], fresh_uuid: Callable[[], str]) -> None:
        self._schedule = schedule
        self._say = say
        self._fresh_uuid = fresh_uuid
        self._states: dict[str, str] = {}
        self._pending: dict[str, list[Json]] = {}

    def begin(self, task_id: str) -> None:
        """Take up a task of which nothing was said yet."""
        self._pending[task_id] = []

    def state(self, task_id: str) -> str:
        """Return a task's last state, whether it was heard or not."""
        return self._states[task_id]

    def heard_last(self, task_id: str) -> Json:
        """Return the status that a master is told at registration: the first that is not acknowledged, else the last.

        A master forgets an ended task by the acknowledgement of just that.
        """
        waiting = self._pending[task_id]
        return waiting[0] if waiting else {"state": self._states[task_id]}

    def add(self, task_id: str, state: str, agent_id: str | None, **more: str) -> None:
        """Note a status; it waits until all before it are acknowledged."""
        status: Json = {
            "task_id": {"value": task_id},
            "state": state,
            "source": "SOURCE_EXECUTOR",
            "agent_id": {"value": agent_id},
            "executor_id": {"value": task_id},
            "timestamp": self._schedule.now,
            "uuid": self._fresh_uuid(),
            **more,
        }
        self._states[task_id] = state
        waiting = self._pending[task_id]
        waiting.append(status)
        if len(waiting) == 1:
            self._repeat(task_id, status, RESEND_FIRST_SECONDS)

    def acknowledged(self, task_id: str, uuid: str) -> str | None:
        """Take an acknowledgement; return the state that it was for, None where it is for none that waits."""
        waiting = self._pending.get(task_id, [])
        if not waiting or waiting[0]["uuid"] != uuid:
            return None
        done = waiting.pop(0)
        if waiting:
            self._repeat(task_id, waiting[0], RESEND_FIRST_SECONDS)
        return str(done["state"])

    def resend(self) -> None:
        """Say again what is not acknowledged."""
        for task_id, waiting in list(self._pending.items()):
            if waiting:
                self._say(task_id, waiting[0])

    def forget(self, task_id: str) -> None:
        """Say nothing more of a task."""
        self._states.pop(task_id, None)
        self._pending.pop(task_id, None)

    def clear(self) -> None:
        """Lose all of it."""
        self._states.clear()
        self._pending.clear()

    def __contains__(self, task_id: str) -> bool:
        """Whether anything is kept of a task."""
        return task_id in self._pending

    def _repeat(self, task_id: str, status: Json, pause_seconds: float) -> None:
        if status not in self._pending.get(task_id, [])[:1]:
            return
        self._say(task_id, status)
        again = min(RESEND_LIMIT_SECONDS, pause_seconds * 2)
        self._schedule.after(pause_seconds, lambda: self._repeat(task_id, status, again))
