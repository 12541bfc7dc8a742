"""The queue of database keys: what to look at now, each key at most once, and what to look at later.

A key that somebody works on is given to nobody else; put meanwhile, it is looked at again afterwards.
"""

import heapq
import threading
from collections import OrderedDict

from statefuldb.model.identity import DatabaseKey
from statefuldb.reconcile.machine import Clock


class KeyQueue:
    """Keys to look at now, each at most once, and keys to look at later."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: OrderedDict[DatabaseKey, None] = OrderedDict()
        self._working: set[DatabaseKey] = set()
        self._again: set[DatabaseKey] = set()
        self._due: dict[DatabaseKey, float] = {}
        # All that was ever due and is not past; of a key only what `_due` says counts.
        self._later: list[tuple[float, DatabaseKey]] = []
        self._changed = threading.Condition()
        self._closed = False
        self._read_at = clock.now()

    def put(self, key: DatabaseKey) -> None:
        """Have `key` looked at as soon as may be."""
        with self._changed:
            self._make_ready(key)
            self._changed.notify()

    def put_after(self, key: DatabaseKey, seconds: float) -> None:
        """Have `key` looked at in `seconds`, unless it is looked at before for another reason."""
        with self._changed:
            due = self._now() + seconds
            if due < self._due.get(key, float("inf")):
                self._due[key] = due
                heapq.heappush(self._later, (due, key))
                self._changed.notify()

    def done(self, key: DatabaseKey) -> None:
        """Note that a key that was taken is worked on no more."""
        with self._changed:
            self._working.discard(key)
            if key in self._again:
                self._again.discard(key)
                self._make_ready(key)
                self._changed.notify()

    def next_due(self) -> float | None:
        """Return when `take` will have something, in Unix seconds: in the past where it has; None where nothing is."""
        with self._changed:
            if self._ready:
                return float("-inf")
            self._now()  # puts right what is due, where the clock was set back
            return self._next()

    def depth(self) -> int:
        """Return how many keys wait to be looked at now."""
        with self._changed:
            return len(self._ready)

    def close(self) -> None:
        """Let `take` return None from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, *, block: bool = True) -> DatabaseKey | None:
        """Return the next key, waiting for one if `block`; None when closed or, without `block`, when there is none.

        `done` must be called with it.
        """
        with self._changed:
            while not self._closed:
                now = self._now()
                while (due := self._next()) is not None and due <= now:
                    key = heapq.heappop(self._later)[1]
                    del self._due[key]
                    self._make_ready(key)
                if self._ready:
                    key = self._ready.popitem(last=False)[0]
                    self._working.add(key)
                    # Whoever looks says anew when to look again; else each look at another time would go on for ever.
                    self._due.pop(key, None)
                    if self._ready or self._due:
                        # Who waits may have begun to before any of these were put: the next is for one of them.
                        self._changed.notify()
                    return key
                if not block:
                    return None
                self._changed.wait(timeout=due - now if due is not None else None)
            return None

    def _now(self) -> float:
        """Return the time. Where the clock was set back, what is due later is so no later than it was meant."""
        before, self._read_at = self._read_at, self._clock.now()
        if self._read_at < before:
            # The order is the same, so it is a heap still.
            back = before - self._read_at
            self._later[:] = [(due - back, key) for due, key in self._later]
            self._due = {key: due - back for key, due in self._due.items()}
        return self._read_at

    def _next(self) -> float | None:
        """Return when the first key is due."""
        while self._later and self._due.get(self._later[0][1]) != self._later[0][0]:
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None

    def _make_ready(self, key: DatabaseKey) -> None:
        if key in self._working:
            self._again.add(key)
        else:
            self._ready[key] = None
