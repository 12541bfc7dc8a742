"""Outstanding offers, found by what a database looks for, so that one pass does not walk through all of them.

A database looks at what is its own (by label, by volume, by the hosts that its ledger names) and, while a member may
go anywhere, at the best of the rest: those with most free cpu first, in the order in which `placing` tries them. So the
first that fits is the same as among all.
"""

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace

from statefuldb.model.grouped import Grouped
from statefuldb.model.observed import Observed, Offers
from statefuldb.model.resources import AgentOffer
from statefuldb.planning.storage.holding import identity_of

Place = tuple[str, str]
_Rank = tuple[int, str, str, str]


class OfferBook:
    """Offers by id; those of one agent and role count as one. Not safe for use by several threads."""

    def __init__(self, offers: Iterable[AgentOffer] = ()) -> None:
        self._parts: dict[Place, dict[str, AgentOffer]] = {}
        self._places: dict[str, Place] = {}
        self._joined: Grouped[Place, AgentOffer] = Grouped(lambda _, offer: _groups(offer))
        self._best: list[_Rank] = []
        for offer in offers:
            self.add(offer)

    def __len__(self) -> int:
        return len(self._joined)

    def __iter__(self) -> Iterator[AgentOffer]:
        return (self._joined[place] for place in sorted(self._joined))

    def add(self, offer: AgentOffer) -> None:
        """Take an offer up, by the first of its ids, or by its place where it has none (what is reserved)."""
        place = (offer.agent_id, offer.role)
        offer_id = offer.offer_ids[0] if offer.offer_ids else ""
        self._parts.setdefault(place, {})[offer_id] = offer
        if offer_id:
            self._places[offer_id] = place
        self._join(place)

    def remove(self, offer_id: str) -> None:
        """Drop an offer, if it is there."""
        place = self._places.pop(offer_id, None)
        if place is not None:
            del self._parts[place][offer_id]
            self._join(place)

    def clear(self) -> None:
        """Drop all."""
        for held in (self._parts, self._places, self._joined, self._best):
            held.clear()

    def own(self, observed: Observed) -> Offers:
        """Return the offers that concern this database whatever it needs, in a fixed order."""
        return self._sorted(self._own(observed))

    def excerpt(self, observed: Observed, best: int) -> Offers:
        """Return the offers that concern this database and the `best` ones of all, in a fixed order."""
        return self._sorted({*self._own(observed), *((agent, role) for *_, agent, role in self._best[:best])})

    def _own(self, observed: Observed) -> set[Place]:
        groups: set[Hashable] = {("name", observed.key.namespace, observed.key.name)}
        if observed.database is not None:
            groups.add(("uid", observed.database.uid))
        for record in observed.volumes:
            agents = [record.agent, record.launch.agent if record.launch is not None else None]
            hosts = {agent.hostname for agent in agents if agent is not None}
            groups.add(("uid", record.identity.uid))
            groups |= {("host", host) for host in (*hosts, *record.elsewhere, *record.superseded)}
        return {place for group in groups for place in self._joined.of(group)}

    def _sorted(self, places: Iterable[Place]) -> Offers:
        return tuple(self._joined[place] for place in sorted(places))

    def _join(self, place: Place) -> None:
        """Bring what is known of a place up to date with its parts."""
        before = self._joined.pop(place, None)
        if before is not None:
            del self._best[bisect_left(self._best, _rank(before))]
        parts = list(self._parts[place].values())
        if not parts:
            del self._parts[place]
            return
        joined = parts[0]
        for part in parts[1:]:
            joined = _join(joined, part)
        self._joined[place] = joined
        insort(self._best, _rank(joined))


def _rank(offer: AgentOffer) -> _Rank:
    return (-offer.amount_milli("cpus"), offer.hostname, offer.agent_id, offer.role)


def _groups(offer: AgentOffer) -> set[Hashable]:
    found: set[Hashable] = {("host", offer.hostname)}
    for resource in offer.resources:
        owner, labels = identity_of(resource), resource.labels
        if owner is not None:
            found.add(("uid", owner.uid))
        if labels is not None:
            found.add(("name", labels.namespace, labels.name))
    return found


def _join(held: AgentOffer, offer: AgentOffer) -> AgentOffer:
    return replace(
        held,
        offer_ids=(*held.offer_ids, *offer.offer_ids),
        resources=(*held.resources, *offer.resources),
        unavailability=held.unavailability or offer.unavailability,
        received_at_seconds=min(held.received_at_seconds, offer.received_at_seconds),
    )
