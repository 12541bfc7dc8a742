"""One operator: all its parts, wired, on whatever it stands on (a real machine, or a simulated world)."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from logging import getLogger
from typing import Any, Protocol

from statefuldb.adapters.kubernetes.adapter import KubernetesAdapter
from statefuldb.adapters.kubernetes.framework import FrameworkRecord
from statefuldb.adapters.kubernetes.watching import OnEvent, Watch
from statefuldb.adapters.mesos.adapter import MesosAdapter
from statefuldb.adapters.mesos.driver import ConnectionState, Driver, Event
from statefuldb.adapters.mesos.framework_info import framework_info
from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.remains import remains_of
from statefuldb.adapters.metrics import Metrics
from statefuldb.model.settings import OperatorIdentity
from statefuldb.reconcile.deciding import Decisions
from statefuldb.reconcile.execute import Executor
from statefuldb.reconcile.loop import Loop
from statefuldb.reconcile.machine import Machine
from statefuldb.reconcile.notices import Notices
from statefuldb.reconcile.observe import Observer
from statefuldb.reconcile.offers import OfferDemand
from statefuldb.reconcile.ports import Enqueue, FencePort, Journal, KeeperPort
from statefuldb.reconcile.queue import KeyQueue
from statefuldb.reconcile.report import Reporter
from statefuldb.settings import OperatorSettings

log = getLogger(__name__)
# Passes mostly wait for the API server; more would only press it harder.
WORKERS = 8


class Keepers(KeeperPort, Protocol):
    """The keeper port with its end."""

    def close(self) -> None:
        """Stop following all keepers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperNeeds:
    """What an operator gives to whatever follows its keepers. `client_pem` is its certificate with the key.

    `framework_id` is None until there is a subscription; `epoch` is `FrameworkRecord.epoch_above`.
    """

    framework_id: Callable[[], str | None]
    client_pem: str
    epoch: Callable[[int], int]
    enqueue: Enqueue


class MakeDriver(Protocol):
    """Makes the driver for one framework."""

    def __call__(
        self,
        *,
        framework_info: Mapping[str, Any],
        on_event: Callable[[Event], None],
        on_state: Callable[[ConnectionState], None],
        on_call: Callable[[str, str], None],
    ) -> Driver:
        """Return a driver that is not started."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an operator reaches the world through.

    `may_act` says before each effect whether this operator leads; `new_certificates` makes an authority and
    a client certificate with key (PEM); `fences` says whether `fencing` does. `on_restored` is called where the API was
    restored from a backup under a running operator, which must end.
    """

    machine: Machine
    client: Any
    make_watch: Callable[[OnEvent], Watch]
    master: MasterApi
    make_driver: MakeDriver
    make_keepers: Callable[[KeeperNeeds], Keepers]
    new_certificates: Callable[[], tuple[str, str]]
    may_act: Callable[[], bool]
    fencing: FencePort
    fences: bool
    journal: Journal
    instance: str
    on_restored: Callable[[FrameworkRecord], None]
    metrics: Metrics = field(default_factory=Metrics)


class Operator:
    """All parts of one operator, wired."""

    def __init__(self, settings: OperatorSettings, around: Surroundings) -> None:
        record = FrameworkRecord(around.client, settings.namespace, around.machine)
        cluster, framework_id, _ = record.begin(
            lambda: remains_of(around.master, settings.mesos_role), settings.watch_namespaces
        )
        role = f"{settings.mesos_role}/{cluster}" if settings.refine_static else settings.mesos_role
        authority, client_pem = record.certificates(around.new_certificates)
        self.queue = KeyQueue(around.machine)
        self._kubernetes = self._make_kubernetes(settings, around, record)
        info = framework_info(
            user=settings.framework_user,
            role=role,
            principal=settings.principal,
            cluster=cluster,
            framework_id=framework_id,
        )
        self._mesos = self._make_mesos(settings, around, record, info, cluster=cluster, role=role)
        self._keepers = around.make_keepers(
            KeeperNeeds(
                framework_id=lambda: self._mesos.view().framework_id,
                client_pem=client_pem,
                epoch=record.epoch_above,
                enqueue=self.queue.put,
            )
        )
        demand = OfferDemand(self._mesos, around.machine, queued=self.queue.depth, new_lock=around.machine.lock)
        self._notices = Notices(queue=self.queue, kubernetes=self._kubernetes, mesos=self._mesos, demand=demand)
        identity = OperatorIdentity(
            cluster=cluster,
            mesos_role=role,
            principal=settings.principal,
            operator_ca_pem=authority,
            allowed_roots=settings.allowed_roots,
            fences=around.fences,
            restored_at=record.restored_at,
        )
        self.loop = self._make_loop(around, demand, identity)
        self._tell(around.metrics)

    def _make_kubernetes(
        self, settings: OperatorSettings, around: Surroundings, record: FrameworkRecord
    ) -> KubernetesAdapter:
        return KubernetesAdapter(
            around.client,
            make_watch=around.make_watch,
            enqueue=self.queue.put,
            on_surroundings=lambda namespace: self._notices.look_at_all(namespace),
            on_restored=lambda: around.on_restored(record),
            instance=around.instance,
            machine=around.machine,
            namespaces=settings.watch_namespaces,
        )

    def _make_mesos(
        self,
        settings: OperatorSettings,
        around: Surroundings,
        record: FrameworkRecord,
        info: Mapping[str, Any],
        *,
        cluster: str,
        role: str,
    ) -> MesosAdapter:
        def make_driver(on_event: Callable[[Event], None], on_state: Callable[[ConnectionState], None]) -> Driver:
            return around.make_driver(
                framework_info=info, on_event=on_event, on_state=on_state, on_call=around.metrics.mesos_call
            )

        return MesosAdapter(
            make_driver=make_driver,
            list_tasks=around.master.each_task,
            list_tasks_ever=around.master.tasks_ever,
            list_agents=around.master.each_agent,
            list_frameworks=around.master.frameworks,
            list_operations=around.master.operations,
            cluster=cluster,
            role=role,
            principal=settings.principal,
            keeper_command=settings.keeper_command,
            save_framework_id=record.save_framework_id,
            on_offers=lambda labelled, hosts: self._notices.offered(labelled, hosts),
            on_connected=lambda: self._notices.connected(),
            owner_of=self._kubernetes.owner_of,
            enqueue=self.queue.put,
            clock=around.machine,
            timers=around.machine,
            new_lock=around.machine.lock,
        )

    def _make_loop(self, around: Surroundings, demand: OfferDemand, identity: OperatorIdentity) -> Loop:
        return Loop(
            queue=self.queue,
            observer=Observer(
                kubernetes=self._kubernetes,
                mesos=self._mesos,
                keepers=self._keepers,
                clock=around.machine,
                waits=demand.waits,
            ),
            decisions=Decisions(mesos=self._mesos, demand=demand, operator=identity),
            executor=Executor(
                kubernetes=self._kubernetes,
                mesos=self._mesos,
                keepers=self._keepers,
                secrets=self._kubernetes,
                fencing=around.fencing,
                measures=around.metrics,
                may_act=around.may_act,
            ),
            reporter=Reporter(kubernetes=self._kubernetes, journal=around.journal, operator=identity),
            demand=demand,
            measures=around.metrics,
            clock=around.machine,
        )

    def _tell(self, metrics: Metrics) -> None:
        """Have told what only an operator at work can tell."""
        metrics.gauge("statefuldb_queue_depth", "Databases that wait to be looked at", self.queue.depth)
        metrics.gauge("statefuldb_mesos_offers", "Offers that are not answered yet", self._mesos.offers_outstanding)
        metrics.gauge("statefuldb_mesos_connected", "1 where subscribed", lambda: self._mesos.view().connected)
        metrics.databases(self._kubernetes.conditions)
        metrics.ready_when(self._unready)

    def _unready(self) -> str:
        """Say what keeps the operator from its work, "" where nothing does."""
        mesos = self._mesos.view()
        return self._kubernetes.lost() if mesos.connected else f"Mesos: {mesos.error}"

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set, then stop what notices. `start` comes before."""
        workers = [
            threading.Thread(target=self._work, args=(stopping,), name=f"worker-{number}") for number in range(WORKERS)
        ]
        for worker in workers:
            worker.start()
        log.info("operator is running")
        stopping.wait()
        self.queue.close()
        for worker in workers:
            worker.join()
        self.stop()

    def _work(self, stopping: threading.Event) -> None:
        try:
            self.loop.run()
        finally:
            # An operator whose worker is gone must not keep another from working.
            stopping.set()

    def start(self) -> None:
        """Start what notices. Raises EffectFailed, and may be called again then."""
        self._kubernetes.start()
        self._mesos.start()

    def stop(self) -> None:
        """Stop what notices."""
        self._mesos.stop()
        self._keepers.close()
        self._kubernetes.stop()
