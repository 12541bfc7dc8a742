"""The threads of an operator's process, which take turns: each goes on until it waits; time decides who is next.

Those of a real process may interleave anywhere, here only where one waits for an answer or for a lock. That is where it
matters: what no request parts, the locks of the code itself keep together.
"""

from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from types import TracebackType
from typing import Protocol

from greenlet import getcurrent, greenlet

from statefuldb.reconcile.machine import Call, Lock
from statefuldb.simulation.clockwork.schedule import Schedule


class Threads(Protocol):
    """How what one process does at the same time takes turns. `workers` is how many passes it makes at a time."""

    workers: int

    def work(self, call: Call) -> None:
        """Make a call that makes a pass, or let it begin."""
        ...

    def begin(self, call: Call) -> None:
        """Make a call that a thread of its own would make, or let it begin."""
        ...

    def wait(self, seconds: float) -> None:
        """Let the world go on for so long, while a request or its answer is on its way."""
        ...

    def lock(self) -> Lock:
        """Return a lock that may be held while waiting."""
        ...


class OneWorker:
    """One pass at a time, by whose requests alone time goes: all else that the process does takes none.

    The world goes on, by `pass_by`, within the pass that waits.
    """

    workers = 1

    def __init__(self, pass_by: Callable[[float], None]) -> None:
        self._pass_by = pass_by
        self._working = False

    def work(self, call: Call) -> None:
        """Make a call, in which `wait` waits."""
        self._working = True
        try:
            call()
        finally:
            self._working = False

    def begin(self, call: Call) -> None:
        """Make a call."""
        call()

    def wait(self, seconds: float) -> None:
        """Let the world go on for so long, in a pass; whatever else makes requests does not wait for them."""
        if self._working:
            self._working = False
            self._pass_by(seconds)
            self._working = True

    def lock(self) -> Lock:
        """Return what keeps nobody out: there is nobody else."""
        return nullcontext()


class Strands:
    """So many passes at a time, and everything else that a real process does on a thread of its own beside them."""

    def __init__(self, schedule: Schedule, workers: int) -> None:
        self._schedule = schedule
        self.workers = workers

    def work(self, call: Call) -> None:
        """Make a call until it waits for the first time; the schedule goes on with it."""
        self.begin(call)

    def begin(self, call: Call) -> None:
        """Make a call until it waits for the first time; the schedule goes on with it."""
        if _on_strand():
            call()
        else:
            greenlet(call).switch()

    def wait(self, seconds: float) -> None:
        """Let the world go on for so long. What is on no strand, as a process that starts, does not wait."""
        if _on_strand():
            self._schedule.after(seconds, getcurrent().switch)
            _yield()

    def lock(self) -> Lock:
        """Return a lock that one strand holds at a time."""
        return _Lock(self._schedule)


class _Lock:
    """A lock that is had in the order of asking."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._held = False
        self._waiting: deque[greenlet] = deque()

    def __enter__(self) -> None:
        if self._held:
            assert _on_strand(), "waits for a lock on no strand: nothing would ever go on"
            self._waiting.append(getcurrent())
            _yield()
        self._held = True

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._waiting:
            self._schedule.after(0.0, self._waiting.popleft().switch)
        else:
            self._held = False


def _on_strand() -> bool:
    return getcurrent().parent is not None


def _yield() -> None:
    parent = getcurrent().parent
    assert parent is not None
    parent.switch()
