"""What agents hold for us, offered or not, for databases that begin: asked of the master, and looked up by database."""

import threading
from collections.abc import Callable, Mapping, Sequence
from logging import getLogger
from typing import Any

from statefuldb.adapters.mesos.wire import reserved_from_wire
from statefuldb.model.observed import Observed, Offers
from statefuldb.planning.offer_book import OfferBook
from statefuldb.reconcile.ports import Clock, EffectFailed

log = getLogger(__name__)

# The list grows with the cluster, and thousands of databases may begin together. In so short a time nothing of a
# database's can be made and its ledger entry lost as well.
FRESH_SECONDS = 1.0
# While something is being given back, an older list would bring it back to the ledger.
GIVING_BACK_SECONDS = 60.0


class Reserved:
    """The master's list, asked for anew at most once a second; each time, while anything is being given back."""

    def __init__(self, *, list_agents: Callable[[], Sequence[Mapping[str, Any]]], cluster: str, clock: Clock) -> None:
        self._list_agents = list_agents
        self._cluster = cluster
        self._clock = clock
        self._lock = threading.Lock()
        self._book = OfferBook()
        self._asked_at = float("-inf")
        self._given_back_at = float("-inf")

    def of(self, observed: Observed) -> Offers | None:
        """Return what is held of this database's; None where the master does not say."""
        with self._lock:
            now = self._clock.now()
            giving_back = now - self._given_back_at < GIVING_BACK_SECONDS
            if giving_back or not 0 <= now - self._asked_at < FRESH_SECONDS:
                try:
                    found = [reserved_from_wire(agent, self._cluster) for agent in self._list_agents()]
                except EffectFailed as error:
                    log.warning("agents could not be listed: %s", error)
                    return None
                self._book = OfferBook(held for held in found if held is not None)
                self._asked_at = now
            return self._book.own(observed)

    def gives_back(self) -> None:
        """Note that something held is being given back from now on."""
        with self._lock:
            self._given_back_at = self._clock.now()
