"""Which agents are registered and what they can do, as GET_AGENTS says; asked again where it may have changed."""

import threading
from collections.abc import Callable, Mapping, Sequence
from logging import getLogger
from typing import Any

from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)

# Without both, an agent's master drops every operation that carries an id (Mesos 1.8 and later have both).
FEEDBACK = frozenset({"AGENT_OPERATION_FEEDBACK", "RESOURCE_PROVIDER"})


class AgentRegistry:
    """The registered agents' capabilities, by agent id."""

    def __init__(self, list_agents: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        self._list_agents = list_agents
        self._lock = threading.Lock()
        self._capabilities: dict[str, frozenset[str]] = {}

    def list(self) -> Sequence[Mapping[str, Any]]:
        """Return the agents as the master lists them now. Raises EffectFailed."""
        agents = self._list_agents()
        found = {
            agent["agent_info"]["id"]["value"]: frozenset(
                str(capability.get("type", "")) for capability in agent.get("capabilities", [])
            )
            for agent in agents
        }
        with self._lock:
            self._capabilities = found
        return agents

    def gives_feedback(self, agent_id: str) -> bool:
        """Say whether operations on this agent may carry ids. False where it cannot be known."""
        return self._of(agent_id) >= FEEDBACK

    def registered(self, agent_id: str) -> bool:
        """Say whether the agent is registered. False where it cannot be known."""
        self._of(agent_id)
        with self._lock:
            return agent_id in self._capabilities

    def lost(self, agent_id: str) -> None:
        """Note that an agent was removed, or may come back as another version."""
        with self._lock:
            self._capabilities.pop(agent_id, None)

    def clear(self) -> None:
        """Forget all: another master may know other agents."""
        with self._lock:
            self._capabilities.clear()

    def _of(self, agent_id: str) -> frozenset[str]:
        with self._lock:
            known = self._capabilities.get(agent_id)
        if known is None:
            try:
                self.list()
            except EffectFailed as error:
                log.warning("agents could not be listed: %s", error)
        with self._lock:
            return self._capabilities.get(agent_id, frozenset())
