"""Doing something again and again: a failure is told of, and made up for the next time."""

import threading
from collections.abc import Callable
from logging import getLogger

from statefuldb.reconcile.machine import Call, Machine
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)


class Periodic:
    """Does something every so many seconds, counted from the end of the last time, and sooner where that is wanted.

    Begun by the first wish. Never twice at once: what is wanted while it is done is done again after that.
    """

    def __init__(self, machine: Machine, seconds: float, do: Callable[[], None]) -> None:
        self._machine = machine
        self._seconds = seconds
        self._do = do
        self._lock = threading.Lock()
        self._stopped = False
        self._busy = False
        self._wanted: float | None = None
        self._turn = 0
        self._cancel: Call = lambda: None

    def within(self, seconds: float) -> None:
        """Have it done in so many seconds, counted from the first of any number of wishes; after a failure, again."""
        with self._lock:
            if self._wanted is not None:
                return
            if not self._busy:
                self._wait(seconds)
            self._wanted = seconds

    def stop(self) -> None:
        """Do it no more."""
        with self._lock:
            self._stopped = True
            self._cancel()

    def _wait(self, seconds: float) -> None:
        """Have the next turn in so many seconds, in place of one that waits. Called with the lock held."""
        self._cancel()
        if self._stopped:
            return
        self._turn += 1
        turn = self._turn
        self._cancel = self._machine.after(seconds, lambda: self._take(turn))

    def _take(self, turn: int) -> None:
        with self._lock:
            # A timer that has run out can no longer be cancelled.
            if self._stopped or turn != self._turn:
                return
            asked, self._wanted, self._busy = self._wanted, None, True
        try:
            self._do()
            asked = None
        except EffectFailed as error:
            log.warning("%s", error)
        finally:
            with self._lock:
                self._busy = False
                self._wanted = asked if self._wanted is None else self._wanted
                self._wait(self._seconds if self._wanted is None else self._wanted)
