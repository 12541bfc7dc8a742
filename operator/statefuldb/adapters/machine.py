"""The real machine: its clock, its randomness, its threads."""

import heapq
import itertools
import queue
import random
import secrets
import signal
import threading
import time
import uuid
from logging import getLogger

from statefuldb.reconcile.machine import Call, Lane, Lock

log = getLogger(__name__)
SECRET_BYTES = 24
# Those of which a call may be made: more than there are kinds of calls that wait for an answer, twice over.
TIMER_THREADS = 8


class TimerThreads:
    """Makes calls when they are due, by the clock that nobody sets, on a few threads, however many wait.

    As many calls as there are threads may themselves wait for something, and hold up no other. Of the threads that are
    idle, one wakes up when the next call is due. It is told of each that is due sooner, and tells another thread before
    it makes a call itself.
    """

    def __init__(self, limit: int = TIMER_THREADS) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Call]] = []
        self._numbers = itertools.count()
        self._threads = 0

    def after(self, seconds: float, call: Call) -> Call:
        """Have `call` made in `seconds`, unless what is returned is called before."""
        due = (time.monotonic() + seconds, next(self._numbers), call)
        with self._changed:
            self._begin_another()
            heapq.heappush(self._due, due)
            self._changed.notify()
        return lambda: self._cancel(due)

    def _cancel(self, due: tuple[float, int, Call]) -> None:
        with self._changed:
            if due in self._due:
                self._due.remove(due)
                heapq.heapify(self._due)

    def _begin_another(self) -> None:
        """Begin one more thread, below the limit. Those that run suffice: only where none does, raises RuntimeError."""
        if self._threads == self._limit:
            return
        try:
            threading.Thread(target=self._work, name=f"timers-{self._threads}", daemon=True).start()
        except RuntimeError:
            if not self._threads:
                raise
            return
        self._threads += 1

    def _work(self) -> None:
        while True:
            try:
                self._next()()
            except Exception:  # what one call does wrong must not keep the next from being made
                log.exception("a call that was due failed")

    def _next(self) -> Call:
        """Wait for the next call that is due."""
        with self._changed:
            while True:
                seconds = self._due[0][0] - time.monotonic() if self._due else None
                if seconds is not None and seconds <= 0:
                    self._changed.notify()
                    return heapq.heappop(self._due)[2]
                self._changed.wait(seconds)


class RealMachine:
    """The machine port. All of them are one machine."""

    _timers = TimerThreads()

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time()

    def after(self, seconds: float, call: Call) -> Call:
        """Have `call` made in `seconds`, beside everything else, unless what is returned is called before."""
        return self._timers.after(seconds, call)

    def fresh_uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.uuid4())

    def fresh_secret(self) -> str:
        """Return a random password that is safe in a URL."""
        return secrets.token_urlsafe(SECRET_BYTES)

    def lock(self) -> Lock:
        """Return a lock."""
        return threading.Lock()

    def chance(self) -> float:
        """Return a random number from 0 to below 1."""
        return random.random()

    def lane(self, name: str) -> Lane:
        """Return what makes calls on one thread, in order."""
        calls: queue.SimpleQueue[Call] = queue.SimpleQueue()

        def work() -> None:
            while True:
                call = calls.get()
                try:
                    call()
                except Exception:  # what one call does wrong must not keep the next from being made
                    log.exception("%s: a call failed", name)

        threading.Thread(target=work, name=name, daemon=True).start()
        return calls.put


def end_on_signals(stopping: threading.Event) -> None:
    """Have `stopping` set on SIGTERM and SIGINT. Called on the main thread.

    Python runs a handler there, in the middle of whatever it does: an event that is just begun to be waited for is
    locked, and would be so for ever. To hand on is safe anywhere (`queue.SimpleQueue.put`).
    """
    hand_on = RealMachine().lane("signals")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: hand_on(stopping.set))
