"""One decision at a time, whoever works: what one takes of the offers, no other sees (docs/decisions/0006)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from statefuldb.model.actions import AcceptOffers
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Plan
from statefuldb.model.settings import OperatorIdentity
from statefuldb.reconcile.decide import decide_among
from statefuldb.reconcile.mesos_port import Excerpt, MesosPort
from statefuldb.reconcile.offers import OfferDemand


class Decisions:
    """The offers and who waits for them, looked at by one worker at a time."""

    def __init__(self, *, mesos: MesosPort, demand: OfferDemand, operator: OperatorIdentity) -> None:
        self._mesos = mesos
        self._demand = demand
        self._operator = operator
        self._one = threading.Lock()

    @contextmanager
    def decided(self, observed: Observed) -> Iterator[tuple[Plan, Excerpt]]:
        """Give the plan, and what of the offers it was decided by; what it accepts is held until the context ends.

        An offer that was held and not accepted then, because what comes before the ACCEPT has failed, is free again.
        """
        with self._one:
            plan, seen = decide_among(observed, partial(self._mesos.offers, observed), self._operator)
            taken = tuple(i for action in plan.actions if isinstance(action, AcceptOffers) for i in action.offer_ids)
            self._mesos.hold(taken)
            self._demand.looked(observed.key, plan.demand)
        try:
            yield plan, seen
        finally:
            self._mesos.release(taken)
