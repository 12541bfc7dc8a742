"""The directories that tasks run in, with their volumes linked (slave/paths.cpp)."""

import uuid
from pathlib import Path
from typing import Any

from statefuldb.local.mesos.agent import volumes

Json = dict[str, Any]


class Sandboxes:
    """The sandboxes of one agent, below its work directory. They stay for people to look at."""

    def __init__(self, work_dir: Path) -> None:
        self._work_dir = work_dir

    def make(self, agent_id: str, framework_id: str, executor_id: str) -> Path:
        """Make a new sandbox for an executor and return it."""
        runs = self._runs(agent_id, framework_id, executor_id)
        sandbox = runs / str(uuid.uuid4())
        sandbox.mkdir(parents=True)
        latest = runs / "latest"
        latest.unlink(missing_ok=True)
        latest.symlink_to(sandbox)
        return sandbox

    def make_nested(self, parent: Path) -> Path:
        """Make a new sandbox for a task of a group within that of its executor, and return it."""
        sandbox = parent / "containers" / str(uuid.uuid4())
        sandbox.mkdir(parents=True)
        return sandbox

    def link_volumes(self, sandbox: Path, info: Json) -> None:
        """Show a task its volumes."""
        for resource in info["resources"]:
            target = resource.get("disk", {}).get("volume", {}).get("container_path", "")
            # A path with a slash is accepted and not mounted, as in Mesos.
            if target and "/" not in target:
                (sandbox / target).symlink_to(volumes.path_of(self._work_dir, resource))

    def latest(self, agent_id: str, framework_id: str, executor_id: str) -> Path | None:
        """Return the latest sandbox of an executor (for command tasks, of the task of that id)."""
        path = self._runs(agent_id, framework_id, executor_id) / "latest"
        return path.resolve() if path.exists() else None

    def _runs(self, agent_id: str, framework_id: str, executor_id: str) -> Path:
        owner = self._work_dir / "slaves" / agent_id / "frameworks" / framework_id
        return owner / "executors" / executor_id / "runs"
