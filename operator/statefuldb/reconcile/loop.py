"""The loop: workers that take a key each and observe, plan, check, record, execute and report.

kopf and pymesos only put keys here. A key carries no news, so nothing is lost when events are coalesced, repeated or
missed; what happened while the operator was away is seen at start, like everything else.
"""

from logging import getLogger

from statefuldb.model.identity import DatabaseKey
from statefuldb.reconcile.deciding import Decisions
from statefuldb.reconcile.execute import Executor
from statefuldb.reconcile.machine import Clock
from statefuldb.reconcile.observe import Observer
from statefuldb.reconcile.offers import OfferDemand
from statefuldb.reconcile.ports import EffectFailed, Measures
from statefuldb.reconcile.queue import KeyQueue
from statefuldb.reconcile.report import Reporter
from statefuldb.reconcile.retry import Retries
from statefuldb.reconcile.standstill import Standstill

log = getLogger(__name__)


class Loop:
    """The six verbs, for one key at a time."""

    def __init__(
        self,
        *,
        queue: KeyQueue,
        observer: Observer,
        decisions: Decisions,
        executor: Executor,
        reporter: Reporter,
        demand: OfferDemand,
        measures: Measures,
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._observer = observer
        self._decisions = decisions
        self._executor = executor
        self._reporter = reporter
        self._demand = demand
        self._measures = measures
        self._standstill = Standstill(clock=clock, queue=queue, reporter=reporter)
        self._retries = Retries(clock=clock, queue=queue, reporter=reporter, measures=measures)

    def run(self) -> None:
        """Work until the queue is closed. Several threads may, each on keys of its own."""
        while (key := self._queue.take()) is not None:
            self._measures.pass_began()
            self.attempt(key)

    def attempt(self, key: DatabaseKey) -> None:
        """Make one pass; whatever goes wrong, the key is looked at again, ever more rarely."""
        try:
            self._retries.passed(key, only_waits=self.reconcile(key))
        except EffectFailed as failure:
            log.warning("%s: %s", key, failure)
            self._retries.failed(key, str(failure), stale=failure.conflict)
        except Exception as mistake:  # the one place: a mistake in one database must not stop the others
            log.exception("%s: pass failed", key)
            self._retries.failed(key, f"a defect in statefuldb: {type(mistake).__name__}")
        finally:
            self._queue.done(key)

    def reconcile(self, key: DatabaseKey) -> bool:
        """Make a pass, all six verbs; return whether it only waits for an offer. Raises EffectFailed."""
        with self._demand.looking(key):
            return self._look(key)

    def _look(self, key: DatabaseKey) -> bool:
        observed = self._observer.observe(key)
        with self._decisions.decided(observed) as (planned, seen):
            if self._standstill.postpones(observed, planned.actions):
                self._demand.settle(seen.newest)
                return False
            decided = self._reporter.record(observed, seen.offers, planned)
            self._executor.execute(decided.actions, observed.database)
            self._standstill.taken(observed, decided.actions)
        self._executor.acknowledge(observed)
        self._reporter.announce(observed, decided)
        self._demand.served(key, decided.demand)
        self._demand.settle(seen.newest)
        if decided.actions:
            self._queue.put(key)
        elif decided.look_again_after_seconds is not None:
            self._queue.put_after(key, decided.look_again_after_seconds)
        return not decided.actions and decided.demand is not None
