"""Doing something again and again: a failure is told of, and made up for the next time."""

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
        self._stopped = False
        self._cancel: Call = lambda: None

    def start(self) -> None:
        """Do it for the first time once so many seconds have passed."""
        if not self._stopped:
            self._cancel = self._machine.after(self._seconds, self._again)

    def stop(self) -> None:
        """Do it no more."""
        self._stopped = True
        self._cancel()

    def _again(self) -> None:
        try:
            self._do()
        except EffectFailed as error:
            log.warning("%s", error)
        finally:
            self.start()
