"""What is on agents, found by its key and by its agent: nobody walks through that of thousands of others."""

from collections.abc import Hashable, Iterator, MutableMapping
from typing import Protocol, TypeVar


class OnAgent(Protocol):
    """Something on an agent, on which it stays."""

    @property
    def agent_id(self) -> str:
        """Its agent."""
        ...


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=OnAgent)


class ByAgent(MutableMapping[K, V]):
    """A dictionary that also finds its values by their agent."""

    def __init__(self) -> None:
        self._all: dict[K, V] = {}
        self._on: dict[str, dict[K, V]] = {}
        self._changes: dict[str, int] = {}

    def on(self, agent_id: str) -> list[V]:
        """Return what is on an agent, in the order in which it came."""
        return list(self._on.get(agent_id, {}).values())

    def changes(self, agent_id: str) -> int:
        """Return how often that of an agent has changed."""
        return self._changes.get(agent_id, 0)

    def touch(self, agent_id: str) -> None:
        """Note that something of an agent has changed in itself."""
        self._changes[agent_id] = self._changes.get(agent_id, 0) + 1

    def __getitem__(self, key: K) -> V:
        return self._all[key]

    def __setitem__(self, key: K, value: V) -> None:
        if key in self._all and self._all[key].agent_id != value.agent_id:
            del self[key]
        self._all[key] = value
        self._on.setdefault(value.agent_id, {})[key] = value
        self.touch(value.agent_id)

    def __delitem__(self, key: K) -> None:
        agent_id = self._all.pop(key).agent_id
        held = self._on[agent_id]
        del held[key]
        if not held:
            del self._on[agent_id]
        self.touch(agent_id)

    def __iter__(self) -> Iterator[K]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
