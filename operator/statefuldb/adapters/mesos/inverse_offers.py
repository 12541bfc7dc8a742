"""Answering inverse offers: when a task ends, when one comes, and when a window begins."""

import threading
from collections.abc import Callable, Sequence

from statefuldb.adapters.mesos.maintenance_book import MaintenanceBook
from statefuldb.reconcile.machine import Call, Clock, Timers

LOOK_AGAIN_LIMIT_SECONDS = 900.0


class InverseOffers:
    """The times of answering. `answer` takes the ids to accept and those to decline."""

    def __init__(
        self,
        *,
        book: MaintenanceBook,
        alive_on: Callable[[str], bool],
        answer: Callable[[Sequence[str], Sequence[str]], None],
        timers: Timers,
        clock: Clock,
    ) -> None:
        self._book = book
        self._alive_on = alive_on
        self._answer = answer
        self._timers = timers
        self._clock = clock
        self._lock = threading.Lock()
        self._cancel: Call | None = None
        self._stopped = False

    def look(self) -> None:
        """Answer what can be answered, and look again when the next window begins."""
        now = self._clock.now()
        accepted, declined = self._book.answers(self._alive_on, now)
        if accepted or declined:
            self._answer(accepted, declined)
        with self._lock:
            # Within the lock: who finds later what is open must also be who sets the timer last.
            start = self._book.next_start()
            if self._cancel is not None:
                self._cancel()
                self._cancel = None
            if start is not None and not self._stopped:
                self._cancel = self._timers.after(min(LOOK_AGAIN_LIMIT_SECONDS, max(0.0, start - now)), self.look)

    def stop(self) -> None:
        """Look no more."""
        with self._lock:
            self._stopped = True
            if self._cancel is not None:
                self._cancel()
