"""What agents hold for us, offered or not, for databases that begin: asked of the master, and looked up by database."""

from collections.abc import Iterable
from logging import getLogger

from statefuldb.adapters.mesos.master_api import ListEach
from statefuldb.adapters.mesos.wire import reserved_from_wire
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import Observed, Offers
from statefuldb.model.resources import Resource
from statefuldb.planning.members.offer_book import OfferBook
from statefuldb.reconcile.machine import Clock, Lock
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)

# The list grows with the cluster, and thousands of databases may begin together: it is asked for once a second, or,
# where it takes long to make and to read, in a tenth of the time. So soon after it was asked for, nothing of a
# database's can have been made and its ledger entry lost as well.
FRESH_SECONDS = 1.0
SHARE = 10
# What one agent of the list takes at least, the master's part and ours.
AGENT_SECONDS = 0.0005
# What seems to have taken longer was a clock that was set meanwhile.
LONGEST_SECONDS = 30.0
# While something of a database's is being given back, an older list would bring it back to the ledger.
GIVING_BACK_SECONDS = 60.0


class Reserved:
    """The master's list, asked for anew when it is old, and always for a database of which something is given back."""

    def __init__(self, *, list_agents: ListEach, cluster: str, clock: Clock, lock: Lock) -> None:
        self._list_agents = list_agents
        self._cluster = cluster
        self._clock = clock
        self._lock = lock
        self._book = OfferBook()
        self._asked_at = self._fresh_until = float("-inf")
        self._given_back: dict[DatabaseKey, float] = {}

    def of(self, observed: Observed) -> Offers | None:
        """Return what is held of this database's; None where the master does not say."""
        with self._lock:
            now = self._clock.now()
            self._given_back = self._lately(now)
            giving_back = observed.key in self._given_back
            if giving_back or not self._asked_at <= now < self._fresh_until:
                try:
                    found = self._list_agents(lambda agent: reserved_from_wire(agent, self._cluster))
                except EffectFailed as error:
                    log.warning("agents could not be listed: %s", error)
                    return None
                self._book = OfferBook(held for held in found if held is not None)
                self._asked_at = now
                took = min(LONGEST_SECONDS, max(self._clock.now() - now, AGENT_SECONDS * len(found)))
                self._fresh_until = now + max(FRESH_SECONDS, SHARE * took)
            return self._book.own(observed)

    def gives_back(self, resources: Iterable[Resource]) -> None:
        """Note that these are being given back from now on. What has no labels is never found by a database's name."""
        with self._lock:
            now = self._clock.now()
            keys = {DatabaseKey(namespace=r.labels.namespace, name=r.labels.name) for r in resources if r.labels}
            self._given_back = {**self._lately(now), **dict.fromkeys(keys, now)}

    def _lately(self, now: float) -> dict[DatabaseKey, float]:
        """Return of which databases something is being given back, and since when."""
        # Of the future: the clock was set back since. Then it counts from now on.
        since = {key: min(at, now) for key, at in self._given_back.items()}
        return {key: at for key, at in since.items() if now - at < GIVING_BACK_SECONDS}
