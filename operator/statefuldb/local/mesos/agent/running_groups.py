"""The tasks of groups on one agent, and the default executors that run them (Mesos docs on pods).

A group ends as one: where one of its tasks fails or is killed, the others are killed. Its executor ends once nothing
that it ran is left, and what ended has been acknowledged.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from statefuldb.local.mesos.agent.tasks import RunningTask

Json = dict[str, Any]


def others(tasks: Collection[RunningTask], one: RunningTask) -> list[RunningTask]:
    """Return the other tasks of one's group that are still there."""
    if one.group is None:
        return []
    return [
        task for task in tasks if task is not one and task.group is not None and task.group["id"] == one.group["id"]
    ]


def sandbox_of(tasks: Collection[RunningTask], framework_id: str, executor_id: str) -> Path | None:
    """Return the sandbox of an executor of groups, or None where it does not run."""
    for task in tasks:
        if task.group is not None and (task.framework_id, task.executor_id) == (framework_id, executor_id):
            return Path(task.group["sandbox"])
    return None


def executors(tasks: Collection[RunningTask]) -> list[Json]:
    """Return each executor of groups that runs, as the master is told of it."""
    running = {
        (task.framework_id, task.executor_id): task.group["executor"] for task in tasks if task.group is not None
    }
    return [{"framework_id": framework_id, "executor": info} for (framework_id, _), info in running.items()]


def executor_ended(framework_id: str, executor_id: str, status: int) -> Json:
    """Return what the master is told of an executor's end; `status` is as of waitpid(2)."""
    return {"type": "EXECUTOR_ENDED", "framework_id": framework_id, "executor_id": executor_id, "status": status}
