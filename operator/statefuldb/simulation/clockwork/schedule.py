"""Time: what is to happen, in order. Nothing happens by itself; time goes from one event to the next."""

import heapq
from collections.abc import Callable

from statefuldb.model.instant import instant
from statefuldb.simulation.clockwork.dice import Dice

Call = Callable[[], None]
BEGINNING = 1_800_000_000.0


class Event:
    """Something that is to happen, unless it is cancelled before."""

    __slots__ = ("_call",)

    def __init__(self, call: Call) -> None:
        self._call: Call | None = call

    def happen(self) -> None:
        """Let it happen."""
        if self._call is not None:
            self._call()

    def cancel(self) -> None:
        """Let it never happen."""
        self._call = None


class Schedule:
    """The events to come. Events of one instant happen in the order in which they were made."""

    def __init__(self) -> None:
        self.now = BEGINNING
        self._events: list[tuple[float, int, Event]] = []
        self._made = 0

    def after(self, seconds: float, call: Call) -> Event:
        """Have `call` made in `seconds`, unless what is returned is cancelled before."""
        self._made += 1
        event = Event(call)
        heapq.heappush(self._events, (self.now + max(0.0, seconds), self._made, event))
        return event

    def next_at(self) -> float:
        """Return when the next event is due; infinity where none is."""
        return self._events[0][0] if self._events else float("inf")

    def step(self) -> None:
        """Let the next event happen."""
        at, _, event = heapq.heappop(self._events)
        self.now = max(self.now, at)
        event.happen()

    def pass_by(self, seconds: float) -> None:
        """Let everything happen that is due within `seconds`."""
        until = self.now + seconds
        while self.next_at() <= until:
            self.step()
        self.now = max(self.now, until)

    def instant(self) -> str:
        """Return the present time as Kubernetes writes it."""
        return instant(self.now)


class Link:
    """One direction of a connection: what is sent arrives in order, each after a while; nothing once it is cut."""

    def __init__(self, schedule: Schedule, dice: Dice, slow_seconds: float = 0.02) -> None:
        self._schedule = schedule
        self._dice = dice
        self._slow_seconds = slow_seconds
        self._last = 0.0
        self._cut = False

    def send(self, arrive: Call) -> None:
        """Have `arrive` called when what is sent arrives, if the link lasts so long."""
        at = max(self._last, self._schedule.now + self._dice.between(0.001, self._slow_seconds))
        self._last = at
        self._schedule.after(at - self._schedule.now, lambda: None if self._cut else arrive())

    def cut(self) -> None:
        """Lose what is under way, and all that is sent from now on."""
        self._cut = True
