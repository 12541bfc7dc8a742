"""Who holds the other ends of the simulated master's streams."""

from typing import Any, Protocol

Json = dict[str, Any]


class Subscriber(Protocol):
    """The other end of a framework's stream."""

    def receive(self, event: Json) -> None:
        """Take an event."""
        ...

    def closed(self) -> None:
        """Take in that the stream has ended."""
        ...


class AgentEnd(Protocol):
    """The other end of an agent's stream."""

    @property
    def reachable(self) -> bool:
        """Whether the agent runs and what it sends arrives."""
        ...

    def obey(self, message: Json) -> None:
        """Take an order."""
        ...

    def closed(self) -> None:
        """Take in that the stream has ended."""
        ...
