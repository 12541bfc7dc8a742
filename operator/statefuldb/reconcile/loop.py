"""The loop: one worker that takes a key and observes, plans, checks, records, executes and reports.

kopf and pymesos only put keys here. A key carries no news, so nothing is lost when events are coalesced, repeated or
missed; what happened while the operator was away is seen at start, like everything else.
"""

from functools import partial
from logging import getLogger

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.recording import Recording
from statefuldb.model.settings import OperatorIdentity
from statefuldb.reconcile.decide import decide_among
from statefuldb.reconcile.execute import Executor
from statefuldb.reconcile.observe import Observer
from statefuldb.reconcile.offers import OfferDemand
from statefuldb.reconcile.ports import EffectFailed, Measures
from statefuldb.reconcile.queue import KeyQueue
from statefuldb.reconcile.report import Reporter
from statefuldb.reconcile.retry import Retries

log = getLogger(__name__)


class Loop:
    """The six verbs, for one key at a time."""

    def __init__(
        self,
        *,
        queue: KeyQueue,
        observer: Observer,
        executor: Executor,
        reporter: Reporter,
        demand: OfferDemand,
        operator: OperatorIdentity,
        measures: Measures,
    ) -> None:
        self._queue = queue
        self._observer = observer
        self._executor = executor
        self._reporter = reporter
        self._demand = demand
        self._operator = operator
        self._measures = measures
        self._retries = Retries(queue=queue, reporter=reporter, measures=measures)

    def run(self) -> None:
        """Work until the queue is closed."""
        while (key := self._queue.take()) is not None:
            self._measures.pass_began()
            self.attempt(key)

    def attempt(self, key: DatabaseKey) -> None:
        """Make one pass; whatever goes wrong, the key is looked at again, ever more rarely."""
        try:
            self.reconcile(key)
            self._retries.passed(key)
        except EffectFailed as failure:
            log.warning("%s: %s", key, failure)
            self._retries.failed(key, str(failure), stale=failure.conflict)
        except Exception as mistake:  # the one place: a mistake in one database must not stop the others
            log.exception("%s: pass failed", key)
            self._retries.failed(key, f"a defect in statefuldb: {type(mistake).__name__}")

    def reconcile(self, key: DatabaseKey) -> None:
        """Observe, plan, check, record, execute and report, once. Raises EffectFailed."""
        with self._demand.looking(key):
            self._look(key)

    def _look(self, key: DatabaseKey) -> None:
        observed = self._observer.observe(key)
        decided, seen = decide_among(observed, partial(self._observer.offers, observed), self._operator)
        self._reporter.record(Recording(observed=observed, offers=seen.offers, operator=self._operator, plan=decided))
        self._executor.execute(decided.actions)
        self._executor.acknowledge(observed)
        self._reporter.announce(observed, decided)
        self._demand.declare(key, decided.demand)
        self._demand.settle(seen.newest)
        if decided.actions:
            self._queue.put(key)
        elif decided.look_again_after_seconds is not None:
            self._queue.put_after(key, decided.look_again_after_seconds)
