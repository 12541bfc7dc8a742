"""When to ask Mesos what became of tasks and operations (Mesos docs, reconciliation).

At once after each subscription; then, ever more rarely, about whatever it has not answered for; soon about what is new,
and about what was out of sight with its agent once that makes offers; and about everything each quarter of an hour.
"""

import threading
from collections.abc import Callable
from logging import getLogger

from statefuldb.reconcile.machine import Call, Clock, Timers
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)

AGAIN_FIRST_SECONDS = 15.0
AGAIN_LIMIT_SECONDS = 240.0
ALL_SECONDS = 900.0


class Reconciler:
    """The times of asking. `ask` is told whether to ask about everything, and says whether answers are owed.

    It raises EffectFailed where not all was asked; then that is asked again soon.
    """

    def __init__(self, *, ask: Callable[[bool], bool], timers: Timers, clock: Clock) -> None:
        self._ask = ask
        self._timers = timers
        self._clock = clock
        self._lock = threading.Lock()
        self._rounds = 0
        # Of what came to be owed while a round was made, that round's answer may know nothing.
        self._owed_since = False
        self._all_due = 0.0
        self._wished = float("inf")
        self._cancel: Call | None = None
        self._stopped = False

    def begin(self) -> None:
        """Ask about everything now, as after a subscription."""
        with self._lock:
            self._rounds = 0
            self._all_due = 0.0
        self._round()

    def owed(self) -> None:
        """Note that an answer is owed from now on: it is asked for soon, however long others are waited for."""
        with self._lock:
            self._owed_since = True
            self._schedule(AGAIN_FIRST_SECONDS)

    def stop(self) -> None:
        """Ask no more."""
        with self._lock:
            self._stopped = True
            if self._cancel is not None:
                self._cancel()

    def _round(self) -> None:
        now = self._clock.now()
        with self._lock:
            if self._stopped:
                return
            self._wished = float("inf")
            self._owed_since = False
            # Further off than it was put: the clock was set back since.
            everything = not 0 < self._all_due - now <= ALL_SECONDS
            if everything:
                self._all_due = now + ALL_SECONDS
        try:
            owed, asked = self._ask(everything), True
        except EffectFailed as error:
            log.warning("it is asked again: %s", error)
            owed, asked = True, False
        with self._lock:
            owed = owed or self._owed_since
            again = min(AGAIN_LIMIT_SECONDS, AGAIN_FIRST_SECONDS * 2 ** min(self._rounds, 10))
            if everything and not asked:
                self._all_due = now + again
            self._rounds = self._rounds + 1 if owed else 0
            pause = min(ALL_SECONDS, max(0.0, self._all_due - now))
            self._schedule(min(again, pause) if owed else pause)

    def _schedule(self, seconds: float) -> None:
        """Have a round made in `seconds`, unless one was to be made as soon or sooner: then that one is waited for.

        A timer goes by another clock than ours, which may be set meanwhile: what is left of it is not known.
        """
        if self._stopped or self._wished <= seconds:
            return
        if self._cancel is not None:
            self._cancel()
        self._wished = seconds
        self._cancel = self._timers.after(seconds, self._round)
