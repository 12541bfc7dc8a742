"""What was said of each database lately: by which a thing is said once, and never in a flood.

Nobody tells of the databases that are gone, so what was said longest ago is forgotten.
"""

import threading
from collections import OrderedDict, deque

from statefuldb.reconcile.machine import Clock

DATABASES_REMEMBERED = 20_000
# As in client-go's EventCorrelator: the eleventh text of one reason within ten minutes goes where the tenth went.
SIMILAR_LIMIT, SIMILAR_SECONDS = 10, 600.0


class Said:
    """The last text of each of `limit` databases, and all of the last minutes. Safe for use by several threads."""

    def __init__(self, clock: Clock, limit: int = DATABASES_REMEMBERED) -> None:
        self._clock = clock
        self._limit = limit
        self._lock = threading.Lock()
        self._last: OrderedDict[str, str] = OrderedDict()
        # In the order in which something was added to each.
        self._lately: OrderedDict[tuple[str, str], deque[tuple[float, str]]] = OrderedDict()

    def again(self, uid: str, text: str) -> bool:
        """Note what is said of a database; return whether it was what was said last."""
        with self._lock:
            before = self._last.get(uid)
            self._last[uid] = text
            self._last.move_to_end(uid)
            if len(self._last) > self._limit:
                self._last.popitem(last=False)
            return before == text

    def unsay(self, uid: str, text: str) -> None:
        """Note that this was not said after all, unless something else was since."""
        with self._lock:
            if self._last.get(uid) == text:
                del self._last[uid]

    def one_of_many(self, uid: str, reason: str, text: str) -> bool:
        """Say whether so much of this reason was said lately that this goes into one Event with the rest."""
        with self._lock:
            now = self._clock.now()
            self._forget(now)
            said = self._lately.setdefault((uid, reason), deque())
            while said and not _is_lately(said[0][0], now):
                said.popleft()
            if any(each == text for _, each in said):
                return False
            if len(said) >= SIMILAR_LIMIT:
                return True
            said.append((now, text))
            self._lately.move_to_end((uid, reason))
            return False

    def _forget(self, now: float) -> None:
        """Forget that to which nothing was added lately."""
        while self._lately and not _is_lately(next(iter(self._lately.values()))[-1][0], now):
            self._lately.popitem(last=False)


def _is_lately(at: float, now: float) -> bool:
    """Say whether something was said lately; what is of the future was said before the clock was set back."""
    return 0 <= now - at < SIMILAR_SECONDS
