"""The offers that are outstanding. What was rescinded, accepted or declined is gone from here at once."""

import threading
from collections.abc import Iterable, Sequence

from statefuldb.model.observed import Observed, Offers
from statefuldb.model.resources import AgentOffer
from statefuldb.planning.members.offer_book import OfferBook
from statefuldb.reconcile.mesos_port import Excerpt


class OfferCache:
    """Outstanding offers in the order in which they came. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._book = OfferBook()
        self._outstanding: dict[str, tuple[int, AgentOffer]] = {}
        self._held: set[str] = set()
        self._newest = 0

    def excerpt(self, observed: Observed, best: int) -> Excerpt:
        """Return the offers that concern a database, and the `best` ones of all."""
        with self._lock:
            offers = self._book.excerpt(observed, best)
            return Excerpt(offers=offers, whole=best >= len(self._book), newest=self._newest)

    def newest(self) -> int:
        """Return the number of the last offer that came."""
        with self._lock:
            return self._newest

    def up_to(self, newest: int, now: float, least_seconds: float) -> Offers:
        """Return, of the offers up to number `newest`, those that came so many seconds before `now`, oldest first.

        One of the future is such a one: it came before the clock was set back. Held ones are left out.
        """
        found = []
        with self._lock:
            for number, offer in self._outstanding.values():
                if number > newest or 0 <= now - offer.received_at_seconds < least_seconds:
                    break
                if offer.offer_ids[0] not in self._held:
                    found.append(offer)
        return tuple(found)

    def count(self) -> int:
        """Return how many offers are outstanding."""
        with self._lock:
            return len(self._outstanding)

    def add(self, offers: Iterable[AgentOffer]) -> None:
        """Take new offers up."""
        with self._lock:
            for offer in offers:
                self._newest += 1
                self._outstanding[offer.offer_ids[0]] = (self._newest, offer)
                self._book.add(offer)

    def hold(self, offer_ids: Sequence[str]) -> None:
        """Leave offers out of what is shown. They are outstanding still."""
        with self._lock:
            for offer_id in offer_ids:
                self._held.add(offer_id)
                self._book.remove(offer_id)

    def release(self, offer_ids: Sequence[str]) -> None:
        """Show those of held offers again that are outstanding still."""
        with self._lock:
            for offer_id in self._held.intersection(offer_ids):
                self._held.discard(offer_id)
                if offer_id in self._outstanding:
                    self._book.add(self._outstanding[offer_id][1])

    def take(self, offer_ids: Sequence[str]) -> bool:
        """Remove offers where all of them are outstanding, or else none; say which. Held ones are taken too."""
        with self._lock:
            all_there = all(offer_id in self._outstanding for offer_id in offer_ids)
            if all_there:
                self._drop(offer_ids)
            return all_there

    def take_free(self, offer_ids: Sequence[str]) -> tuple[str, ...]:
        """Remove those of some offers that are outstanding and that nobody holds; return their ids."""
        with self._lock:
            free = tuple(i for i in offer_ids if i in self._outstanding and i not in self._held)
            self._drop(free)
            return free

    def clear(self) -> None:
        """Drop all: offers do not outlive a subscription."""
        with self._lock:
            self._outstanding.clear()
            self._held.clear()
            self._book.clear()

    def _drop(self, offer_ids: Sequence[str]) -> None:
        for offer_id in offer_ids:
            del self._outstanding[offer_id]
            self._book.remove(offer_id)
