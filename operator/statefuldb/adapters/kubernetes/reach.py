"""Whether the API server can be read now: for who asks whether the operator does its work."""

import threading
from collections.abc import Callable

from statefuldb.reconcile.machine import Clock
from statefuldb.reconcile.ports import EffectFailed

PERIOD_SECONDS = 5.0


class Reach:
    """Asks by `read` when it is asked itself, at most every few seconds: nobody's question presses the API server."""

    def __init__(self, read: Callable[[], object], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_at = -float("inf")
        self._said = ""

    def lost(self) -> str:
        """Say why the API server cannot be read, "" where it can."""
        with self._lock:
            # A question of the future: the clock was set back since.
            if not 0 <= self._clock.now() - self._asked_at < PERIOD_SECONDS:
                self._said = self._ask()
                self._asked_at = self._clock.now()
            return self._said

    def _ask(self) -> str:
        try:
            self._read()
        except EffectFailed as failure:
            return str(failure)
        return ""
