"""The offers that are outstanding. What was rescinded, accepted or declined is gone from here at once."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace

from statefuldb.model.observed import Offers
from statefuldb.model.resources import AgentOffer


class OfferCache:
    """Outstanding offers by id. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offers: dict[str, AgentOffer] = {}

    def joined(self) -> Offers:
        """Return the outstanding offers, those of one agent and role together, in a fixed order."""
        joined: dict[tuple[str, str], AgentOffer] = {}
        with self._lock:
            for offer in self._offers.values():
                place = (offer.agent_id, offer.role)
                held = joined.get(place)
                joined[place] = _join(held, offer) if held is not None else offer
        return tuple(joined[place] for place in sorted(joined))

    def add(self, offers: Iterable[AgentOffer]) -> None:
        """Take new offers up."""
        with self._lock:
            self._offers.update({offer.offer_ids[0]: offer for offer in offers})

    def take(self, offer_ids: Sequence[str]) -> tuple[str, ...]:
        """Remove offers; return the ids of those that were still outstanding."""
        with self._lock:
            return tuple(i for i in offer_ids if self._offers.pop(i, None) is not None)

    def clear(self) -> None:
        """Drop all: offers do not outlive a subscription."""
        with self._lock:
            self._offers.clear()


def _join(held: AgentOffer, offer: AgentOffer) -> AgentOffer:
    return replace(
        held,
        offer_ids=(*held.offer_ids, *offer.offer_ids),
        resources=(*held.resources, *offer.resources),
        unavailability=held.unavailability or offer.unavailability,
        received_at_seconds=min(held.received_at_seconds, offer.received_at_seconds),
    )
