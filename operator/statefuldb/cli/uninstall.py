"""`uninstall`: the end of an installation, once no data is left that anybody keeps."""

import time
from dataclasses import dataclass
from typing import Annotated

import typer

from statefuldb.adapters.kubernetes.cli_client import CallRefused
from statefuldb.adapters.mesos.guard import UnsafeRequest
from statefuldb.adapters.mesos.holdings import view_of
from statefuldb.adapters.mesos.janitor import Framework, Janitor
from statefuldb.cli.console import errors, fail, out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.ledger import cluster_uuid, read_ledger
from statefuldb.cli.mesos_options import MesosOptions, takes_mesos
from statefuldb.cli.progress import Progress
from statefuldb.cli.session import Session, session_of
from statefuldb.model.identity import FRAMEWORK_CONFIG_MAP, OPERATOR_IDENTITY_SECRET, OPERATOR_LEASE, DatabaseKey
from statefuldb.planning.inventory.comparison import ClusterView, VolumeLine, VolumeState, compare
from statefuldb.planning.inventory.uninstalling import directories, obstacles
from statefuldb.reconcile.ports import EffectFailed

POLL_SECONDS = 0.5
MANAGED = "labelSelector=statefuldb.dev%2Fmanaged%3Dtrue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Everything of ours that there is now. `lines` are the volumes, `away` those released on agents that are gone."""

    cluster: str
    namespace: str
    databases: tuple[DatabaseKey, ...]
    lines: tuple[VolumeLine, ...]
    away: tuple[VolumeLine, ...]
    frameworks: tuple[Framework, ...]
    secrets: tuple[tuple[str, str], ...]

    @property
    def operator_is_connected(self) -> bool:
        """Whether an operator works for it."""
        return any(framework.connected for framework in self.frameworks)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(uninstall)


@takes_mesos
def uninstall(
    context: typer.Context,
    mesos: MesosOptions,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    confirm: Annotated[str, typer.Option(help="The cluster's UUID, for scripts; without it you are asked.")] = "",
    cluster: Annotated[
        str, typer.Option(help="The cluster's UUID, where its ConfigMap is gone (label statefuldb.dev/cluster).")
    ] = "",
    leave_lost: Annotated[
        bool, typer.Option("--leave-lost", help="Leave released volumes on agents that are gone.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for each step.")] = 120.0,
) -> None:
    """Give everything of ours back to Mesos, end the framework, and remove the operator's own objects.

    Refused while a database exists or data is kept that nobody released. First shows exactly what will happen.
    Resources of other frameworks are not touched.

    Example: statefuldb uninstall --dry-run
    """
    session = session_of(context)
    try:
        _uninstall(session, mesos, dry_run, confirm, cluster, leave_lost, timeout)
    except CallRefused as refused:
        fail(str(refused), ExitCode.CANNOT_CONNECT)
    except (EffectFailed, UnsafeRequest) as failure:
        fail(str(failure), ExitCode.FAILED, "what was done stays done; run it again once the cause is removed")


def _uninstall(
    session: Session, mesos: MesosOptions, dry_run: bool, confirm: str, named: str, leave_lost: bool, timeout: float
) -> None:
    cluster = named or cluster_uuid(session, mesos.operator_namespace)
    if not cluster:
        fail(
            f"nothing is installed: ConfigMap {FRAMEWORK_CONFIG_MAP} is not in namespace {mesos.operator_namespace}",
            ExitCode.NOT_FOUND,
            "name the operator's namespace with --operator-namespace, or the cluster's UUID with --cluster",
        )
    try:
        master = mesos.master(session)
        janitor = Janitor(master=master, cluster=cluster)

        def look() -> Installation:
            return _look(session, mesos, janitor, view_of(master, cluster), cluster)

        found = look()
    except EffectFailed as failure:
        fail(f"Mesos was not reached: {failure}", ExitCode.CANNOT_CONNECT, "nothing was done")
    _show(found, found.away if leave_lost else ())
    _refuse_what_is_in_use(found, leave_lost)
    if dry_run:
        out.print("\nNothing was done (--dry-run).")
        return
    typed = confirm or typer.prompt("\nThis cannot be undone. Type the cluster's UUID to confirm")
    if typed != cluster:
        fail(f"{typed!r} is not {cluster!r}: nothing was done", ExitCode.REFUSED)
    # It takes a person a while, in which an operator may have come back.
    found = look()
    if found.operator_is_connected:
        _let_the_operator_finish(session, found, timeout)
    _part_from_the_operator(session, janitor, timeout)
    # Nobody begins anything any more; what was begun since the first look is not ended with the rest.
    found = look()
    _refuse_what_is_in_use(found, leave_lost)
    _carry_out(session, janitor, found, timeout)


def _refuse_what_is_in_use(found: Installation, leave_lost: bool) -> None:
    in_the_way = obstacles(found.databases, found.lines, found.away, cluster=found.cluster, leave_lost=leave_lost)
    if in_the_way:
        errors.print("\nRefused. First:")
        for obstacle in in_the_way:
            errors.print(f"  {obstacle.what}  ->  {obstacle.remedy}")
        raise typer.Exit(ExitCode.REFUSED)


def _look(session: Session, mesos: MesosOptions, janitor: Janitor, view: ClusterView, cluster: str) -> Installation:
    lines = compare(read_ledger(session), view)
    databases = session.client.list("StatefulDatabase")
    secrets = [(s["metadata"]["namespace"], s["metadata"]["name"]) for s in session.client.list("Secret", "", MANAGED)]
    return Installation(
        cluster=cluster,
        namespace=mesos.operator_namespace,
        databases=tuple(map(DatabaseKey.of, databases)),
        lines=lines,
        away=tuple(
            line
            for line in lines
            if line.state is VolumeState.RELEASING
            and line.record is not None
            and line.record.reservations
            and line.record.agent is not None
            and not view.has(line.record.agent)
        ),
        frameworks=janitor.frameworks(),
        secrets=tuple(secrets),
    )


def _show(found: Installation, left: tuple[VolumeLine, ...]) -> None:
    """Say exactly what will be done, in order, and what is left alone: `left` are volumes on agents that are gone."""
    out.print(f"Uninstalling cluster {found.cluster}:")
    if found.operator_is_connected:
        out.print("  the operator is connected: it gives back what is released; it must be stopped before the end")
    for line in left:
        out.print(f"  left on {line.agent} (--leave-lost): {line.key.namespace}/{line.name}, {line.where}")
    done = [line for line in found.lines if line not in left]
    for line in done:
        what = f"destroy and unreserve {line.key.namespace}/{line.name} on {line.agent or 'no agent'} ({line.state})"
        out.print(f"  {what}")
        for holding in line.held:
            amounts = ", ".join(
                f"volume {r.persistence.id}" if r.persistence is not None else r.name for r in holding.resources
            )
            out.print(f"      {holding.hostname}: {amounts}")
    for framework in found.frameworks:
        out.print(f"  tear down framework {framework.id} ({framework.name}, role {', '.join(framework.roles)})")
    for namespace, name in found.secrets:
        out.print(f"  remove Secret {namespace}/{name}")
    out.print(f"  remove Lease {found.namespace}/{OPERATOR_LEASE}, where operators were elected by it")
    out.print(f"  remove Secret {found.namespace}/{OPERATOR_IDENTITY_SECRET}")
    out.print(f"  remove ConfigMap {found.namespace}/{FRAMEWORK_CONFIG_MAP}")
    out.print("Left alone: every other framework's resources; the definitions (kubectl delete -f crds/).")
    for directory in directories(left):
        out.print(f"Left alone: {directory}: no operator reaches it there; remove it by hand")
    if not found.operator_is_connected:
        for directory in directories(done):
            out.print(f"Left alone: {directory}: no operator runs that could empty it; remove it by hand")


def _carry_out(session: Session, janitor: Janitor, found: Installation, timeout: float) -> None:
    released = [line for line in found.lines if line not in found.away]
    identities = frozenset(line.identity for line in released)
    # What a task still uses is refused; ending the framework ends its tasks, so the second pass gets it.
    janitor.sweep(identities, 0.0)
    for framework in janitor.frameworks():
        if not janitor.teardown(framework, timeout):
            fail(f"framework {framework.id} is still there after {timeout:g} s", ExitCode.TIMED_OUT)
        out.print(f"framework {framework.id} is torn down")
    left = [*janitor.sweep(identities, timeout), *(str(holding) for holding in janitor.holdings())]
    if left:
        fail("still held in Mesos: " + "; ".join(left), ExitCode.TIMED_OUT, "run it again")
    out.print("nothing of ours is reserved in Mesos any more")
    for line in found.lines:
        _remove(session, "DatabaseVolume", line.key.namespace, line.name)
    for namespace, name in found.secrets:
        _remove(session, "Secret", namespace, name)
    _remove(session, "Lease", found.namespace, OPERATOR_LEASE)
    _remove(session, "Secret", found.namespace, OPERATOR_IDENTITY_SECRET)
    # Last: until here it tells a second run whose resources they are.
    _remove(session, "ConfigMap", found.namespace, FRAMEWORK_CONFIG_MAP)
    out.print("uninstalled")


def _let_the_operator_finish(session: Session, found: Installation, timeout: float) -> None:
    """Wait until the operator has given back what was released: it also empties directories."""
    waited_for = {line.name for line in found.lines} - {line.name for line in found.away}
    deadline = time.monotonic() + timeout
    with Progress("the operator gives back what was released") as progress:
        while left := sorted(waited_for & {record.name for record in read_ledger(session)}):
            progress.say(f"the operator gives back {', '.join(left)}")
            if time.monotonic() > deadline:
                fail(
                    f"the operator has not given back {', '.join(left)} in {timeout:g} s",
                    ExitCode.TIMED_OUT,
                    "its log says why; or stop it and run this again: what it cannot do is then done without it",
                )
            time.sleep(POLL_SECONDS)
    out.print("the operator has given back what was released")


def _part_from_the_operator(session: Session, janitor: Janitor, timeout: float) -> None:
    """Stop the embedded operator; any other must be stopped by whoever runs it, else it would begin anew."""
    if session.is_embedded:
        session.cluster.supervisor.stop("operator")
    deadline = time.monotonic() + (timeout if session.is_embedded else 0.0)
    while any(framework.connected for framework in janitor.frameworks()):
        if time.monotonic() > deadline:
            fail(
                "the operator is still connected to Mesos",
                ExitCode.REFUSED,
                "stop it (a Deployment: scale it to 0 replicas), then run this again",
            )
        time.sleep(POLL_SECONDS)


def _remove(session: Session, kind: str, namespace: str, name: str) -> None:
    if session.client.get(kind, namespace, name) is not None:
        session.client.delete(kind, namespace, name)
        out.print(f"{kind} {namespace}/{name} removed")
