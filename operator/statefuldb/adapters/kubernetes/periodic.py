"""Doing something again and again: a failure is told of, and made up for the next time."""

import threading
from collections.abc import Callable
from logging import getLogger

from statefuldb.reconcile.machine import Call, Machine
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)


class Periodic:
    """Does something every so many seconds, counted from the end of the last time."""

    def __init__(self, machine: Machine, seconds: float, do: Callable[[], None]) -> None:
        self._machine = machine
        self._seconds = seconds
        self._do = do
        self._lock = threading.Lock()
        self._stopped = False
        self._brought_forward = False
        self._turn = 0
        self._cancel: Call = lambda: None

    def start(self, first: float | None = None) -> None:
        """Do it for the first time once `first` seconds have passed, without it as many as between two times."""
        with self._lock:
            self._wait(first if first is not None else self._seconds)

    def within(self, seconds: float) -> None:
        """Have the next time come in so many seconds, unless it was brought forward before."""
        with self._lock:
            if not self._brought_forward:
                self._brought_forward = True
                self._wait(seconds)

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
            self._brought_forward = False
        try:
            self._do()
        except EffectFailed as error:
            log.warning("%s", error)
        finally:
            with self._lock:
                if turn == self._turn:
                    self._wait(self._seconds)
