"""Whether we want offers: while anything waits for one the role is revived, otherwise it is suppressed.

Offers are never held longer than it takes the waiting databases to look at them once (hoarding starves
others, and a declined reserved resource must come back soon).
"""

import threading

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import Offers
from statefuldb.reconcile.ports import MesosPort

DECLINE_WHILE_WAITING_SECONDS = 5.0
DECLINE_AT_REST_SECONDS = 3600.0


class OfferDemand:
    """Which databases wait for offers, and which of them have not yet looked at the latest ones.

    `offered` and `reconnected` are called from the Mesos side, the rest from the worker.
    """

    def __init__(self, mesos: MesosPort) -> None:
        self._mesos = mesos
        self._lock = threading.Lock()
        self._waiting: set[DatabaseKey] = set()
        self._to_look: set[DatabaseKey] = set()
        self._revived: bool | None = None

    def offered(self, labelled: frozenset[DatabaseKey]) -> frozenset[DatabaseKey]:
        """Note that new offers came; return the keys that should look at them.

        `labelled` are the keys that the offered reservations name: whatever carries our label is looked at.
        """
        with self._lock:
            self._to_look |= self._waiting | labelled
            return frozenset(self._to_look)

    def reconnected(self) -> None:
        """Forget what was asked for: suppression does not outlive a subscription."""
        with self._lock:
            self._revived = None

    def look(self, key: DatabaseKey) -> None:
        """Note that `key` is about to look at whatever is offered now; what comes later it must look at again."""
        with self._lock:
            self._to_look.discard(key)

    def declare(self, key: DatabaseKey, *, wanted: bool) -> None:
        """Note whether `key`, having looked, waits for more, and ask Mesos for offers if that is news."""
        with self._lock:
            news = wanted and (key not in self._waiting or self._revived is not True)
            if wanted:
                self._waiting.add(key)
            else:
                self._waiting.discard(key)
                self._to_look.discard(key)
        if news and self._mesos.view().connected:
            self._mesos.revive()
            self._revived = True

    def settle(self, looked_at: Offers) -> None:
        """Decline of `looked_at` what nobody took, unless somebody has still to look; suppress once nobody waits."""
        if not self._mesos.view().connected:
            return
        with self._lock:
            if self._to_look:
                return
            waiting = bool(self._waiting)
        seconds = DECLINE_WHILE_WAITING_SECONDS if waiting else DECLINE_AT_REST_SECONDS
        ids = tuple(offer_id for offer in looked_at for offer_id in offer.offer_ids)
        if ids:
            self._mesos.decline(ids, seconds)
        if not waiting and self._revived is not False:
            self._mesos.suppress()
            self._revived = False
