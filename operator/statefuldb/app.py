"""The composition root: the only place that builds adapters of the real world and hands them to an operator."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from logging import getLogger
from pathlib import Path
from typing import Any

from statefuldb.adapters.fencing import FenceCommand
from statefuldb.adapters.garbage_collection import spare_what_stays
from statefuldb.adapters.journal import FileJournal
from statefuldb.adapters.keeper.operator_identity import make_identity, make_server_certificate
from statefuldb.adapters.keeper.pool import KeeperPool
from statefuldb.adapters.kubernetes.admission import Admission
from statefuldb.adapters.kubernetes.connection import api_client
from statefuldb.adapters.kubernetes.events import Events
from statefuldb.adapters.kubernetes.framework import FrameworkRecord
from statefuldb.adapters.kubernetes.lease import Leadership
from statefuldb.adapters.kubernetes.objects import DATABASES, Objects
from statefuldb.adapters.kubernetes.watching import Watcher
from statefuldb.adapters.kubernetes.webhook import Webhook
from statefuldb.adapters.kubernetes.webhook_certificate import WebhookCertificate
from statefuldb.adapters.machine import RealMachine, end_on_signals
from statefuldb.adapters.mesos.agent_files import AgentFiles
from statefuldb.adapters.mesos.credentials import Credentials, read_secret
from statefuldb.adapters.mesos.driver import Driver
from statefuldb.adapters.mesos.facts import MesosFacts
from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.masters import Masters, ZooKeeperAddress, parse_masters
from statefuldb.adapters.mesos.scout import Scout
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.adapters.mesos.zookeeper import ZooKeeperMasters
from statefuldb.adapters.metrics import Metrics, MetricsServer
from statefuldb.adapters.open_files import Limits, make_room
from statefuldb.adapters.private_file import write_private
from statefuldb.leaving import leave_at_once, leave_to_begin_anew, leave_to_read_anew, note_restored
from statefuldb.model.conditions import EventReason
from statefuldb.model.identity import TaskId
from statefuldb.model.keeper import CERTIFICATE_FILE
from statefuldb.model.plan import Announcement
from statefuldb.model.settings import OPERATOR_WAITING_FILE
from statefuldb.model.volume import Launch
from statefuldb.operator import KeeperNeeds, Operator, Surroundings
from statefuldb.reconcile.ports import EffectFailed
from statefuldb.reconcile.starting import Starting, Stopped
from statefuldb.settings import MesosAccess, OperatorSettings

log = getLogger(__name__)


class CannotBegin(Exception):
    """What an operator needs of the machine under it, a directory or a port, cannot be had."""


def master_of(access: MesosAccess) -> MasterApi:
    """Return the master's operator API, for commands that ask it by themselves. Raises EffectFailed, NoCluster."""
    master, _ = _asked(access)
    return master


def files_of(access: MesosAccess) -> AgentFiles:
    """Return the files of sandboxes, for commands that show them. Raises EffectFailed, NoCluster."""
    master, transport = _asked(access)
    return AgentFiles(master=master, transport=transport)


def facts_of(access: MesosAccess) -> MesosFacts:
    """Return what master and agents say of themselves, for `doctor`. Raises EffectFailed, NoCluster."""
    master, transport = _asked(access)
    return MesosFacts(master=master, transport=transport)


def scout_of(access: MesosAccess, *, role: str, user: str) -> Scout:
    """Return what runs a command on every agent, as the operator's principal. Raises EffectFailed, NoCluster."""
    master, transport = _asked(access)
    return Scout(
        masters=_masters(access),
        transport=transport,
        files=AgentFiles(master=master, transport=transport),
        machine=RealMachine(),
        role=role,
        user=user,
        principal=access.principal,
    )


def _asked(access: MesosAccess) -> tuple[MasterApi, Transport]:
    masters = _masters(access)
    masters.start(lambda: None)
    needs_record = access.secret_name is not None and access.secret_file is None
    record = FrameworkRecord(api_client(access.kubeconfig), access.namespace, RealMachine()) if needs_record else None
    transport = Transport(credentials=_credentials(access, record), tls=access.tls)
    return MasterApi(masters=masters, transport=transport), transport


def run_operator(settings: OperatorSettings) -> None:
    """Run until SIGTERM. Stopping sends nothing to Mesos: tasks run on.

    Raises EffectFailed where Kubernetes or Mesos do not let it start, CannotBegin where the machine does not.
    """
    open_files = make_room()
    with _having(f"--state {settings.state_dir}"):
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    metrics = Metrics()
    if settings.metrics_port is not None:
        with _having(f"--metrics-port {settings.metrics_port} on {settings.metrics_host}"):
            MetricsServer(metrics, settings.metrics_host, settings.metrics_port)
    stopping = threading.Event()
    end_on_signals(stopping)
    spare_what_stays(RealMachine())
    _serve_webhook(settings)
    if not settings.leader_elect:
        _work(settings, metrics, stopping, open_files)
        return
    client = api_client(settings.kubeconfig)
    record = FrameworkRecord(client, settings.namespace, RealMachine())
    leadership = Leadership(
        client,
        namespace=settings.namespace,
        me=f"{os.uname().nodename}_{uuid.uuid4()}",
        on_lost=leave_at_once,
        on_restored=lambda: note_restored(record, leadership.holds),
    )
    metrics.ready_when(leadership.out_of_sight)
    metrics.gauge("statefuldb_leader", "1 where this operator leads, 0 where it stands by", leadership.holds)
    if leadership.acquire(stopping):
        _work(settings, metrics, stopping, open_files, leadership.holds)
        leadership.release()


@contextmanager
def _having(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotBegin(f"{what} cannot be had: {error.strerror or error}") from error


def _work(
    settings: OperatorSettings,
    metrics: Metrics,
    stopping: threading.Event,
    open_files: Limits,
    may_act: Callable[[], bool] | None = None,
) -> None:
    """Wait until API and Mesos answer, then work. Raises EffectFailed where they refuse what is needed to begin."""
    machine = RealMachine()
    client = api_client(settings.kubeconfig, may_act)
    events = Events(client, _instance(), machine)
    databases = Objects(client, DATABASES, settings.watch_namespaces)
    note = settings.state_dir / OPERATOR_WAITING_FILE

    def say(text: str) -> None:
        if text:
            log.warning("waiting: %s", text)
        else:
            log.info("all that was waited for answers")
            note.unlink(missing_ok=True)

    def remind(text: str) -> None:
        # For `statefuldb up`, where there is room for it.
        with suppress(OSError):
            note.write_text(text)
        message = f"the operator waits to begin: {text}"
        events.announce_to_all(
            databases, Announcement(reason=EventReason.OPERATOR_WAITING, message=message, warning=True)
        )

    note.unlink(missing_ok=True)
    starting = Starting(stopping=stopping, chance=machine.chance, say=say, remind=remind)
    metrics.ready_when(starting.unready)
    try:
        around = starting.reached(partial(_surroundings_of, settings, metrics, client, open_files, may_act))
        operator = starting.reached(partial(Operator, settings, around))
        starting.reached(operator.start)
    except Stopped:
        return
    operator.run(stopping)


def _serve_webhook(settings: OperatorSettings) -> None:
    """Serve the validating webhook where that is wanted, leading or not. Raises NoCluster, CannotBegin."""
    wanted = settings.webhook
    if wanted is None:
        return
    client = api_client(settings.kubeconfig)
    certificate = WebhookCertificate(
        client,
        namespace=settings.namespace,
        secret=wanted.secret,
        configuration=wanted.configuration,
        name=f"{wanted.service}.{settings.namespace}.svc",
        folder=settings.state_dir,
        make=make_server_certificate,
        write=write_private,
    )
    judge = Admission(client, settings.allowed_roots, settings.mesos_role).errors
    with _having(f"--webhook-port {wanted.port} on {wanted.host}"):
        Webhook(client, judge, certificate, host=wanted.host, port=wanted.port).start()


def _surroundings_of(
    settings: OperatorSettings,
    metrics: Metrics,
    client: Any,
    open_files: Limits,
    may_act: Callable[[], bool] | None,
) -> Surroundings:
    """Return the real ones; with `may_act`, of a leader, nothing is done while that says no. Raises EffectFailed.

    `client` reaches the API; `open_files` are the limits of programs that are run.
    """
    machine = RealMachine()
    # Without a Lease nothing says which of two should go on: the one that is deposed stays away, and says so.
    on_deposed = partial(leave_to_begin_anew, may_act) if may_act is not None else (lambda: None)
    may_act = may_act or (lambda: True)
    record = FrameworkRecord(client, settings.namespace, machine)
    transport = Transport(credentials=_credentials(settings, record), tls=settings.tls)
    masters = _masters(settings)
    # The driver, made later, says what to do on a change of leader; until then there is nothing to do.
    masters.start(lambda: None)
    master = MasterApi(masters=masters, transport=transport)
    files = AgentFiles(master=master, transport=transport)
    fencing = FenceCommand(settings.fence_command, open_files=open_files)

    def make_keepers(needs: KeeperNeeds) -> KeeperPool:
        def certificate(task_id: TaskId, launch: Launch) -> str:
            framework_id = needs.framework_id()
            if framework_id is None:
                raise EffectFailed("the framework is not known yet")
            return files.read(
                agent_id=launch.agent.id, framework_id=framework_id, task_id=str(task_id), name=CERTIFICATE_FILE
            )

        return KeeperPool(
            fetch_certificate=certificate,
            identity=_identity_file(settings.state_dir, needs.client_pem),
            epoch=needs.epoch,
            clock=machine,
            enqueue=needs.enqueue,
        )

    return Surroundings(
        machine=machine,
        client=client,
        make_watch=lambda on_event: Watcher(client, on_event, settings.watch_namespaces),
        master=master,
        make_driver=partial(
            Driver, masters=masters, transport=transport, machine=machine, may_act=may_act, on_deposed=on_deposed
        ),
        may_act=may_act,
        make_keepers=make_keepers,
        new_certificates=_new_certificates,
        fencing=fencing,
        fences=fencing.configured,
        journal=FileJournal(settings.state_dir / "journal.jsonl"),
        metrics=metrics,
        instance=_instance(),
        on_restored=leave_to_read_anew,
    )


def _instance() -> str:
    return f"{os.uname().nodename}-{os.getpid()}"


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


def _new_certificates() -> tuple[str, str]:
    made = make_identity()
    return made.ca_pem, made.client_pem


def _identity_file(state_dir: Path, pem: str) -> Path:
    """Write the operator's certificate with its key. Raises CannotBegin."""
    path = state_dir / "identity.pem"
    with _having(f"--state {state_dir}"):
        write_private(path, pem.encode())
    return path
