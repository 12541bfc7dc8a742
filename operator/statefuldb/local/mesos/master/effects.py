"""What a master wants sent: events and orders, and ends of streams."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToFramework:
    """An event for a framework's stream."""

    framework_id: str
    event: Json


@dataclass(frozen=True, slots=True)
class ToAgent:
    """A message for an agent's stream."""

    agent_id: str
    message: Json


@dataclass(frozen=True, slots=True)
class CloseStream:
    """The end of one subscription's stream."""

    framework_id: str
    stream: str


@dataclass(frozen=True, slots=True)
class CloseAgent:
    """The end of an agent's stream: it must register again."""

    agent_id: str


Effect = ToFramework | ToAgent | CloseStream | CloseAgent
