"""The composition root: the only place that builds adapters and hands them to the loop."""

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

from statefuldb.adapters.fencing import FenceCommand
from statefuldb.adapters.journal import FileJournal
from statefuldb.adapters.keeper.operator_identity import make_identity
from statefuldb.adapters.keeper.pool import KeeperPool
from statefuldb.adapters.kubernetes.adapter import KubernetesAdapter
from statefuldb.adapters.kubernetes.connection import api_client
from statefuldb.adapters.kubernetes.framework import FrameworkRecord
from statefuldb.adapters.kubernetes.lease import Leadership
from statefuldb.adapters.mesos.adapter import MesosAdapter
from statefuldb.adapters.mesos.agent_files import AgentFiles
from statefuldb.adapters.mesos.credentials import Credentials, read_secret
from statefuldb.adapters.mesos.driver import Driver
from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.masters import Masters, ZooKeeperAddress, parse_masters
from statefuldb.adapters.mesos.timers import ThreadTimers
from statefuldb.adapters.mesos.transport import TlsFiles, Transport
from statefuldb.adapters.mesos.zookeeper import ZooKeeperMasters
from statefuldb.model.identity import LABEL_CLUSTER, DatabaseKey, TaskId
from statefuldb.model.keeper import CERTIFICATE_FILE
from statefuldb.model.settings import FRAMEWORK_NAME, OperatorIdentity
from statefuldb.model.volume import Launch
from statefuldb.reconcile.execute import Executor
from statefuldb.reconcile.loop import Loop
from statefuldb.reconcile.observe import Observer
from statefuldb.reconcile.offers import OfferDemand
from statefuldb.reconcile.ports import EffectFailed
from statefuldb.reconcile.queue import KeyQueue
from statefuldb.reconcile.report import Reporter

log = getLogger(__name__)
LEASE_LOST = 1
FAILOVER_TIMEOUT_SECONDS = 28 * 24 * 3600
CAPABILITIES = ("MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE", "TASK_KILLING_STATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class MesosAccess:
    """How masters are reached. `kubeconfig` None means: within a cluster.

    `mesos` is as `--mesos` is given; `secret_file` or else `secret_name`, a Secret in `namespace` with the keys
    `principal` and `secret`, holds the credentials; `tls` None means plain HTTP to Mesos. With `refine_static` the
    framework is in a role of its own below `mesos_role`, where static reservations for that can be refined.
    """

    kubeconfig: Path | None
    mesos: tuple[str, ...]
    namespace: str
    principal: str
    secret_file: Path | None
    secret_name: str | None = None
    tls: TlsFiles | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSettings(MesosAccess):
    """How one operator runs."""

    state_dir: Path
    mesos_role: str
    framework_user: str
    keeper_command: tuple[str, ...]
    allowed_roots: tuple[str, ...] = ()
    fence_command: Path | None = None
    refine_static: bool = False
    leader_elect: bool = False


class WallClock:
    """The real time."""

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time()


def master_of(access: MesosAccess) -> MasterApi:
    """Return the master's operator API, for commands that ask it by themselves. Raises EffectFailed, NoCluster."""
    masters = _masters(access)
    masters.start(lambda: None)
    needs_record = access.secret_name is not None and access.secret_file is None
    record = FrameworkRecord(api_client(access.kubeconfig), access.namespace) if needs_record else None
    return MasterApi(masters=masters, transport=Transport(credentials=_credentials(access, record), tls=access.tls))


def run_operator(settings: OperatorSettings) -> None:
    """Run until SIGTERM. Stopping sends nothing to Mesos: tasks run on. Raises EffectFailed where it cannot start."""
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if not settings.leader_elect:
        _Operator(settings, may_act=None).run(stopping)
        return
    leadership = Leadership(
        api_client(settings.kubeconfig),
        namespace=settings.namespace,
        me=f"{os.uname().nodename}_{uuid.uuid4()}",
        on_lost=_leave_at_once,
    )
    if leadership.acquire(stopping):
        _Operator(settings, may_act=leadership.holds).run(stopping)
        leadership.release()


def _leave_at_once() -> None:
    """End the process as if it were killed: another operator leads, and none of our threads may do one more thing."""
    log.critical("the Lease is lost; another operator leads")
    os._exit(LEASE_LOST)


class _Operator:
    """All parts of one operator, wired."""

    def __init__(self, settings: OperatorSettings, may_act: Callable[[], bool] | None) -> None:
        clock = WallClock()
        fencing = FenceCommand(settings.fence_command)
        client = api_client(settings.kubeconfig, may_act)
        may_act = may_act or (lambda: True)
        record = FrameworkRecord(client, settings.namespace)
        transport = Transport(credentials=_credentials(settings, record), tls=settings.tls)
        masters = _masters(settings)
        # The driver, made later, says what to do on a change of leader; until then there is nothing to do.
        masters.start(lambda: None)
        master = MasterApi(masters=masters, transport=transport)
        cluster, framework_id, epoch = record.begin(lambda: master.earlier_framework(settings.mesos_role))
        role = f"{settings.mesos_role}/{cluster}" if settings.refine_static else settings.mesos_role
        authority, identity = record.certificates(_new_certificates)
        self.queue = KeyQueue(clock)
        instance = f"{os.uname().nodename}-{os.getpid()}"
        self._kubernetes = KubernetesAdapter(
            client, enqueue=self.queue.put, on_surroundings=self._look_at_all, instance=instance
        )
        self._files = AgentFiles(master=master, transport=transport)
        self._framework_id = framework_id

        def make_driver(on_event: Any, on_state: Any) -> Driver:
            return Driver(
                masters=masters,
                transport=transport,
                framework_info=_framework_info(settings, role, cluster, framework_id),
                on_event=on_event,
                on_state=on_state,
                may_act=may_act,
            )

        self._mesos = MesosAdapter(
            make_driver=make_driver,
            list_tasks=master.tasks,
            list_agents=master.agents,
            list_frameworks=master.frameworks,
            cluster=cluster,
            role=role,
            principal=settings.principal,
            keeper_command=settings.keeper_command,
            save_framework_id=record.save_framework_id,
            on_offers=self._offered,
            on_connected=self._connected,
            enqueue=self.queue.put,
            clock=clock,
            timers=ThreadTimers(),
        )
        self._keepers = KeeperPool(
            fetch_certificate=self._certificate,
            identity=_identity_file(settings.state_dir, identity),
            epoch=epoch,
            clock=clock,
            enqueue=self.queue.put,
        )
        self._demand = OfferDemand(self._mesos, clock)
        self._loop = Loop(
            queue=self.queue,
            observer=Observer(
                kubernetes=self._kubernetes,
                mesos=self._mesos,
                keepers=self._keepers,
                clock=clock,
                waits=self._demand.waits,
            ),
            executor=Executor(
                kubernetes=self._kubernetes,
                mesos=self._mesos,
                keepers=self._keepers,
                secrets=self._kubernetes,
                fencing=fencing,
                may_act=may_act,
            ),
            reporter=Reporter(kubernetes=self._kubernetes, journal=FileJournal(settings.state_dir / "journal.jsonl")),
            demand=self._demand,
            operator=OperatorIdentity(
                cluster=cluster,
                mesos_role=role,
                principal=settings.principal,
                operator_ca_pem=authority,
                allowed_roots=settings.allowed_roots,
                fences=fencing.configured,
            ),
        )

    def run(self, stopping: threading.Event) -> None:
        """Start what notices, work until `stopping` is set, stop what notices."""
        self._kubernetes.start()
        self._mesos.start()
        worker = threading.Thread(target=self._work, args=(stopping,), name="worker")
        worker.start()
        log.info("operator is running")
        stopping.wait()
        self.queue.close()
        worker.join()
        self._mesos.stop()
        self._keepers.close()
        self._kubernetes.stop()

    def _work(self, stopping: threading.Event) -> None:
        try:
            self._loop.run()
        finally:
            # An operator whose worker is gone must not keep another from working.
            stopping.set()

    def _offered(self, labelled: frozenset[DatabaseKey], hosts: frozenset[str]) -> None:
        for key in sorted(self._demand.offered(labelled, hosts)):
            self.queue.put(key)
        self._demand.settle()

    def _connected(self) -> None:
        self._demand.reconnected()
        self._look_at_all()

    def _look_at_all(self, namespace: str | None = None) -> None:
        """Enqueue every key that has an object or a task, of one namespace or of all."""
        for key in sorted({*self._kubernetes.keys(), *self._mesos.found_keys()}):
            if namespace is None or key.namespace == namespace:
                self.queue.put(key)

    def _certificate(self, task_id: TaskId, launch: Launch) -> str:
        framework_id = self._mesos.view().framework_id
        if framework_id is None:
            raise EffectFailed("the framework is not known yet")
        return self._files.read(
            agent_id=launch.agent.id, framework_id=framework_id, task_id=str(task_id), name=CERTIFICATE_FILE
        )


def _credentials(access: MesosAccess, record: FrameworkRecord | None) -> Credentials | None:
    """Return principal and secret as configured. Raises EffectFailed."""
    if access.secret_file is not None:
        return access.principal, read_secret(access.secret_file)
    if access.secret_name is None or record is None:
        return None
    return record.mesos_credentials(access.secret_name, access.principal)


def _masters(access: MesosAccess) -> Masters:
    found = parse_masters(access.mesos)
    if isinstance(found, ZooKeeperAddress):
        return ZooKeeperMasters(found, by_name=access.tls is not None)
    return found


def _framework_info(settings: OperatorSettings, role: str, cluster: str, framework_id: str | None) -> Mapping[str, Any]:
    info: dict[str, Any] = {
        "user": settings.framework_user,
        "name": FRAMEWORK_NAME,
        "roles": [role],
        "capabilities": [{"type": capability} for capability in CAPABILITIES],
        "failover_timeout": float(FAILOVER_TIMEOUT_SECONDS),
        "checkpoint": True,
        "principal": settings.principal,
        "labels": {"labels": [{"key": LABEL_CLUSTER, "value": cluster}]},
    }
    return {**info, "id": {"value": framework_id}} if framework_id is not None else info


def _new_certificates() -> tuple[str, str]:
    made = make_identity()
    return made.ca_pem, made.client_pem


def _identity_file(state_dir: Path, pem: str) -> Path:
    path = state_dir / "identity.pem"
    path.touch(mode=0o600)
    path.write_text(pem)
    return path
