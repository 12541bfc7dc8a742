"""Whether we want offers: while anything waits for one the role is revived, otherwise it is suppressed.

Offers are never held longer than it takes the waiting databases to look at them once, and never over a few seconds
(hoarding starves others). What nobody can use is declined for long; what a member's own agent offers, shortly, since
its volume may come back there any moment.
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from logging import getLogger

from statefuldb.model.grouped import Grouped
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import Offers
from statefuldb.model.plan import Demand
from statefuldb.reconcile.machine import Clock, Lock
from statefuldb.reconcile.mesos_port import MesosPort
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)

DECLINE_WHERE_EXPECTED_SECONDS = 5.0
DECLINE_UNSUITABLE_SECONDS = 120.0
DECLINE_AT_REST_SECONDS = 3600.0
HOLD_LIMIT_SECONDS = 5.0
_ANYWHERE = "anywhere"


class OfferDemand:
    """Which databases wait for what in offers, and which of them have not yet looked at the latest ones.

    `queued` says how many databases are about to look for whatever reason: many that begin together look at the same
    offers, instead of each of them having them declined and asked for again.

    `offered`, `settle_beside` and `reconnected` are called from the Mesos side, `looked` by one worker at a time, the
    rest by any.
    """

    def __init__(
        self,
        mesos: MesosPort,
        clock: Clock,
        *,
        queued: Callable[[], int],
        new_lock: Callable[[], Lock] = threading.Lock,
    ) -> None:
        self._mesos = mesos
        self._clock = clock
        self._queued = queued
        self._lock = threading.Lock()
        self._settling = new_lock()
        self._waiting: Grouped[DatabaseKey, Demand] = Grouped(lambda _, demand: _groups(demand))
        self._to_look: set[DatabaseKey] = set()
        # The number of the last offer of which those who wait were told.
        self._told = 0
        self._asks = False
        self._revived: bool | None = None
        self._looking: set[DatabaseKey] = set()
        self._overtaken: set[DatabaseKey] = set()
        self._postponed = False

    def offered(self, labelled: frozenset[DatabaseKey], hosts: frozenset[str]) -> frozenset[DatabaseKey]:
        """Note that new offers of `hosts` came; return the keys that should look at them.

        `labelled` are the keys that the offered reservations name: whatever carries our label is looked at. Who waits
        for certain hosts only looks at what comes from there. Who is looking now may come to wait, and looks again.
        """
        with self._lock:
            self._told = self._mesos.newest_offer()
            to_look = set(labelled)
            for group in (_ANYWHERE, *(("host", host) for host in hosts)):
                to_look.update(self._waiting.of(group))
            self._to_look |= to_look
            self._overtaken |= self._looking
            return frozenset(to_look | self._looking)

    def reconnected(self) -> None:
        """Forget what was asked for: suppression does not outlive a subscription."""
        with self._lock:
            self._revived = None

    def waits(self, key: DatabaseKey) -> bool:
        """Say whether `key`, when it last looked, waited for an offer."""
        with self._lock:
            return key in self._waiting

    @contextmanager
    def looking(self, key: DatabaseKey) -> Iterator[None]:
        """Note that `key` looks, within, at what is offered; nothing is declined before it has (`looked`).

        What the Mesos side would decline meanwhile waits for the end of the pass. A pass that fails may do so for as
        long as it is tried: nothing is held for it between, and `key` asks anew when it looks again.
        """
        with self._lock:
            self._looking.add(key)
            self._overtaken.discard(key)
        try:
            yield
        except Exception:
            with self._lock:
                self._to_look.discard(key)
                self._waiting.pop(key, None)
                self._postponed = True
            raise
        finally:
            with self._lock:
                self._looking.discard(key)
                self._overtaken.discard(key)
                postponed, self._postponed = self._postponed, False
            if postponed:
                self.settle_beside()

    def looked(self, key: DatabaseKey, demand: Demand | None) -> None:
        """Note that `key` has looked at what is offered, what it takes is held, and what it waits for beyond that.

        What comes later it must look at again. Where it waits for nothing more, `served` says so once it has it.
        """
        with self._lock:
            self._to_look.discard(key)
            self._looking.discard(key)
            if demand is not None:
                self._asks = self._asks or demand != self._waiting.get(key) or self._revived is not True
                self._waiting[key] = demand
                if key in self._overtaken:
                    self._to_look.add(key)

    def served(self, key: DatabaseKey, demand: Demand | None) -> None:
        """Note that what `key` decided was done; with `demand` None it waits for nothing."""
        if demand is None:
            with self._lock:
                self._waiting.pop(key, None)

    def settle_beside(self) -> None:
        """Settle from beside a pass: now, or at the end of the one that is being made. What fails is made up for.

        Of what came just now nobody has been told yet: that is settled after (`offered`).
        """
        with self._lock:
            if self._looking:
                self._postponed = True
                return
            told = self._told
        try:
            self.settle(told)
        except EffectFailed as error:
            log.warning("offers are not settled: %s", error)

    def settle(self, newest: int) -> None:
        """Decline what nobody took of the offers up to number `newest`, once all have looked or they are old.

        Suppress once nobody waits; ask again where somebody waits for something else than before. To ask again clears
        every filter: what was declined may serve what is needed now. One at a time, calls included: a decision to rest
        that reached Mesos after the next one to ask would leave a database without offers. Raises EffectFailed.
        """
        with self._settling:
            if self._mesos.view().connected:
                self._settle(newest)

    def _settle(self, newest: int) -> None:
        with self._lock:
            asks = self._asks and bool(self._waiting)
            to_come = bool(self._to_look or self._looking) or self._queued() > 0
            least_seconds = HOLD_LIMIT_SECONDS if to_come else 0.0
            seen = self._mesos.offers_up_to(newest, self._clock.now(), least_seconds)
            rest = not to_come and not self._waiting
            filters = self._filters(seen, to_come)
            self._asks = False
        if asks:
            self._revive()
        for seconds, ids in sorted(filters.items()):
            self._mesos.decline(tuple(ids), seconds)
        if rest and self._revived is not False:
            self._mesos.suppress()
            self._revived = False

    def _revive(self) -> None:
        try:
            self._mesos.revive()
        except EffectFailed:
            with self._lock:
                self._asks = True
            raise
        self._revived = True

    def _filters(self, offers: Offers, to_come: bool) -> dict[float, list[str]]:
        """Return the ids of offers by the seconds for which they are declined."""
        found: dict[float, list[str]] = {}
        for offer in offers:
            if not self._waiting and not to_come:
                seconds = DECLINE_AT_REST_SECONDS
            elif to_come or self._waiting.of(("host", offer.hostname)):
                seconds = DECLINE_WHERE_EXPECTED_SECONDS
            else:
                seconds = DECLINE_UNSUITABLE_SECONDS
            found.setdefault(seconds, []).extend(offer.offer_ids)
        return found


def _groups(demand: Demand) -> set[Hashable]:
    hosts = {("host", host) for host in demand.hosts}
    return {*hosts, _ANYWHERE} if demand.anywhere else {*hosts}
