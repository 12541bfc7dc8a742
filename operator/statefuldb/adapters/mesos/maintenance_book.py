"""Maintenance that Mesos announces: the windows, and the inverse offers that wait for an honest answer.

An inverse offer asks whether our tasks will be gone from an agent. It is accepted once none is alive there, and
declined where the window has begun and one still is.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from statefuldb.model.resources import AgentOffer, Unavailability


@dataclass(frozen=True, slots=True, kw_only=True)
class InverseOffer:
    """One inverse offer."""

    id: str
    agent_id: str
    window: Unavailability


class MaintenanceBook:
    """Book-keeping only: nothing here talks to Mesos. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, Unavailability] = {}
        self._open: dict[str, InverseOffer] = {}
        # The latest question about each agent, answered or not: an answer may be lost.
        self._asked: dict[str, str] = {}

    def windows(self) -> Mapping[str, Unavailability]:
        """Return when agents, by id, are announced to be away."""
        with self._lock:
            return dict(self._windows)

    def announced(self, offers: Iterable[InverseOffer]) -> None:
        """Take inverse offers up."""
        with self._lock:
            for offer in offers:
                self._windows[offer.agent_id] = offer.window
                self._open[offer.id] = offer
                self._asked[offer.agent_id] = offer.id

    def offered(self, offers: Iterable[AgentOffer]) -> None:
        """Note what offers say of their agents: a window, or that there is none any more."""
        with self._lock:
            for offer in offers:
                if offer.unavailability is not None:
                    self._windows[offer.agent_id] = offer.unavailability
                else:
                    self._windows.pop(offer.agent_id, None)

    def rescinded(self, offer_id: str) -> str | None:
        """Drop an inverse offer and its window: the schedule has changed. Return its agent's id, where it is known."""
        with self._lock:
            self._open.pop(offer_id, None)
            agent_id = next((agent for agent, asked in self._asked.items() if asked == offer_id), None)
            if agent_id is not None:
                del self._asked[agent_id]
                self._windows.pop(agent_id, None)
            return agent_id

    def clear(self) -> None:
        """Forget all: a new subscription announces anew."""
        with self._lock:
            self._windows.clear()
            self._open.clear()
            self._asked.clear()

    def answers(self, alive_on: Callable[[str], bool], now: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the ids of inverse offers to accept and to decline now; they are answered once."""
        with self._lock:
            accepted = tuple(i for i, offer in self._open.items() if not alive_on(offer.agent_id))
            declined = tuple(
                i for i, offer in self._open.items() if i not in accepted and offer.window.start_seconds <= now
            )
            for each in (*accepted, *declined):
                del self._open[each]
            return accepted, declined

    def next_start(self) -> float | None:
        """Return when the first window begins for which an inverse offer waits for its answer, or None."""
        with self._lock:
            return min((offer.window.start_seconds for offer in self._open.values()), default=None)
