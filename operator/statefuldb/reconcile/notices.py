"""What is noticed from outside, and which keys look at it."""

from statefuldb.model.identity import DatabaseKey
from statefuldb.reconcile.mesos_port import MesosPort
from statefuldb.reconcile.offers import OfferDemand
from statefuldb.reconcile.ports import KubernetesPort
from statefuldb.reconcile.queue import KeyQueue


class Notices:
    """Turns what the adapters notice into keys to look at."""

    def __init__(self, *, queue: KeyQueue, kubernetes: KubernetesPort, mesos: MesosPort, demand: OfferDemand) -> None:
        self._queue = queue
        self._kubernetes = kubernetes
        self._mesos = mesos
        self._demand = demand

    def offered(self, labelled: frozenset[DatabaseKey], hosts: frozenset[str]) -> None:
        """Have those look that wait for offers of `hosts` or that `labelled`, the keys on what is offered, names."""
        for key in sorted(self._demand.offered(labelled, hosts)):
            self._queue.put(key)
        self._demand.settle_beside()

    def connected(self) -> None:
        """Have everyone look after the connection to Mesos began or ended."""
        self._demand.reconnected()
        self.look_at_all()

    def look_at_all(self, namespace: str | None = None) -> None:
        """Enqueue every key that has an object or a task, of one namespace or of all."""
        for key in sorted({*self._kubernetes.keys(namespace), *self._mesos.found_keys(namespace)}):
            self._queue.put(key)
