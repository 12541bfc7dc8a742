"""The machine under an operator, as protocols: time, timers, locks, threads, and what no two runs have in common."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

Call = Callable[[], None]
Lock = AbstractContextManager[object]
Lane = Callable[[Call], None]


class Clock(Protocol):
    """Time, as Unix seconds."""

    def now(self) -> float:
        """Return the present time."""
        ...


class Timers(Protocol):
    """Calls back after a while, beside everything else, on a thread or on whatever stands for time."""

    def after(self, seconds: float, call: Call) -> Call:
        """Have `call` made in `seconds`, unless what is returned is called before."""
        ...


class Machine(Clock, Timers, Protocol):
    """All that an operator gets from the machine under it and that no two runs have in common.

    Whoever gives it decides it all: a real machine, or a simulated one of which each run can be had again.
    """

    def fresh_uuid(self) -> str:
        """Return a UUID that nobody has."""
        ...

    def fresh_secret(self) -> str:
        """Return a password that nobody guesses."""
        ...

    def chance(self) -> float:
        """Return a random number from 0 to below 1."""
        ...

    def lock(self) -> Lock:
        """Return a lock that may be held while requests are made. Those that never are, are the code's own business."""
        ...

    def lane(self, name: str) -> Lane:
        """Return what makes calls in the order in which they are given, one after the other, beside everything else.

        An exception of one call is logged and does not keep the next from being made.
        """
        ...
