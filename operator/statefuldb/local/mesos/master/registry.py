"""What a master keeps across its death: which agents it admitted, which frameworks are dead for ever."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from statefuldb.local.mesos.json_files import load_json, save_json
from statefuldb.local.mesos.master.records import Agent

Json = dict[str, Any]


def kept(agent: Agent) -> Json:
    """Return what is kept of an admitted agent."""
    names = ("id", "info", "gone", "deactivated", "drain_info", "drain_started_at")
    return {name: getattr(agent, name) for name in names}


class Registry:
    """The registry of one master, in its work directory."""

    def __init__(self, work_dir: Path) -> None:
        work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._agents = work_dir / "agents.json"
        self._removed = work_dir / "removed.json"
        self._saved: list[str] | None = None

    def agents(self) -> list[Json]:
        """Return the admitted agents."""
        return list(load_json(self._agents, []))

    def removed(self) -> list[str]:
        """Return the ids of frameworks that are dead for ever."""
        return list(load_json(self._removed, []))

    def save_agents(self, agents: Iterable[Agent]) -> None:
        """Write the admitted agents."""
        save_json(self._agents, [kept(agent) for agent in agents])

    def save_removed(self, removed: list[str]) -> None:
        """Write the dead frameworks, where they changed."""
        if removed != self._saved and (removed or self._saved):
            save_json(self._removed, removed)
        self._saved = list(removed)
