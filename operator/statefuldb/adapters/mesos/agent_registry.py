"""Which agents are registered and what they can do, as GET_AGENTS says; asked again where it may have changed."""

import sys
import threading
from collections.abc import Callable, Sequence
from logging import getLogger
from typing import Any, TypeVar

from statefuldb.adapters.mesos.master_api import ListEach
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)
Json = dict[str, Any]
T = TypeVar("T")

# Without both, an agent's master drops every operation that carries an id (Mesos 1.8 and later have both).
FEEDBACK = frozenset({"AGENT_OPERATION_FEEDBACK", "RESOURCE_PROVIDER"})


class AgentRegistry:
    """The registered agents' capabilities, by agent id."""

    def __init__(self, list_agents: ListEach) -> None:
        self._list_agents = list_agents
        self._lock = threading.Lock()
        self._capabilities: dict[str, frozenset[str]] = {}
        self._losses = 0

    def list(self, read: Callable[[Json], T]) -> Sequence[T]:
        """Return what `read` makes of each agent that the master lists now (ListEach). Raises EffectFailed."""
        found: dict[str, frozenset[str]] = {}

        def noted(agent: Json) -> T:
            # Interned: a name that stayed of each agent would keep the memory of the whole list from being given back.
            able = (sys.intern(str(capability.get("type", ""))) for capability in agent.get("capabilities", []))
            found[agent["agent_info"]["id"]["value"]] = frozenset(able)
            return read(agent)

        with self._lock:
            losses = self._losses
        listed = self._list_agents(noted)
        with self._lock:
            # What was lost while the list was on its way may be in it still: then it is asked for again when needed.
            if losses == self._losses:
                self._capabilities = found
        return listed

    def look(self) -> None:
        """Learn which agents there are. Raises EffectFailed."""
        self.list(lambda _: None)

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
            self._losses += 1
            self._capabilities.pop(agent_id, None)

    def clear(self) -> None:
        """Forget all: another master may know other agents."""
        with self._lock:
            self._losses += 1
            self._capabilities.clear()

    def _of(self, agent_id: str) -> frozenset[str]:
        with self._lock:
            known = self._capabilities.get(agent_id)
        if known is None:
            try:
                self.look()
            except EffectFailed as error:
                log.warning("agents could not be listed: %s", error)
        with self._lock:
            return self._capabilities.get(agent_id, frozenset())
