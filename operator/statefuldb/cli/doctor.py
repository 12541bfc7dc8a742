"""`doctor`: is everything as it must be, and if not, what to do."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Annotated, Any

import typer
import yaml
from rich.text import Text

from statefuldb import __version__
from statefuldb.adapters.kubernetes.cli_client import CallRefused, CliClient
from statefuldb.cli.console import out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.ledger import cluster_uuid
from statefuldb.cli.mesos_options import MesosOptions, takes_mesos
from statefuldb.cli.output import Output, OutputOption, printed
from statefuldb.cli.packaged import DEFINITIONS, packaged
from statefuldb.cli.progress import Progress
from statefuldb.cli.session import Json, Session, session_of
from statefuldb.model.damaged import read_entry
from statefuldb.model.identity import OPERATOR_LEASE
from statefuldb.model.keeper import PROBE_FILE
from statefuldb.model.machine_facts import MachineFacts
from statefuldb.model.permissions import questions
from statefuldb.model.spec import DFS_ATTRIBUTE
from statefuldb.planning.checkup.agents import Mount, agent_findings
from statefuldb.planning.checkup.api import WHERE, clock_finding, definition_finding, rights_finding
from statefuldb.planning.checkup.findings import Asked, Finding, Verdict, judged, merged
from statefuldb.planning.checkup.ledger import ledger_findings
from statefuldb.planning.checkup.machines import machine_findings
from statefuldb.planning.checkup.master import master_findings
from statefuldb.planning.engines import built
from statefuldb.reconcile.ports import EffectFailed

HERE = "this machine"
SERVERS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.AMISS: "red", Verdict.UNKNOWN: "dim"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


@takes_mesos
def doctor(
    context: typer.Context,
    mesos: MesosOptions,
    mesos_role: Annotated[str, typer.Option(help="The operator's Mesos role.")] = "statefuldb",
    framework_user: Annotated[str, typer.Option(help="User that tasks run as on the agents.")] = "root",
    service_account: Annotated[
        str, typer.Option(help="Check this ServiceAccount of the operator's namespace; without it whoever you are.")
    ] = "",
    watch_namespace: Annotated[
        list[str] | None, typer.Option(help="The operator is confined to this namespace; repeat for more.")
    ] = None,
    on_agents: Annotated[
        bool, typer.Option("--on-agents", help="Look at what each agent has installed, by a task for a moment on each.")
    ] = False,
    keeper: Annotated[str, typer.Option(help="Python that runs the keeper on the agents.")] = sys.executable,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for those tasks.")] = 60.0,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check a set-up, and name the remedy of whatever is amiss. Nothing is changed anywhere.

    Looks at the API server (answers, definitions, rights, clock), the ledger, the operator, the Mesos master (version,
    flags, access control lists, role, quota, framework), its agents (abilities, resources, flags, mounts; with
    `--on-agents` also keeper, database server and what is really mounted) and, for an embedded cluster, this machine.
    Exit code 1 where anything is amiss; warnings and what nobody can tell do not count.

    Example: statefuldb doctor --mesos 10.0.0.1:5050 --secret-file mesos.secret
    """
    session = session_of(context)
    with Progress("looking") as progress:
        findings = []
        looking = _look(session, mesos, mesos_role, framework_user, service_account, watch_namespace or ())
        machines = _machines(session, mesos, mesos_role, framework_user, keeper, timeout) if on_agents else ()
        for finding in (*looking, *merged(machines)):
            progress.say_live(f"looking at {finding.where}: {finding.what}")
            findings.append(finding)
    listed = [{"verdict": str(f.verdict), "where": f.where, "what": f.what, "remedy": f.remedy} for f in findings]
    if not printed(listed, output):
        for finding in findings:
            out.print(Text(f"{finding.verdict:8}", style=STYLES[finding.verdict]), f"{finding.where}: {finding.what}")
            if finding.remedy:
                out.print(f"         -> {finding.remedy}")
    if any(finding.verdict is Verdict.AMISS for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _look(
    session: Session, mesos: MesosOptions, role: str, user: str, account: str, watched: Sequence[str]
) -> Iterator[Finding]:
    cluster, databases = None, []
    if session.access is not None and not session.has_kubeconfig:
        remedy = "start the embedded cluster with `statefuldb up`, or give --kubeconfig"
        yield judged(WHERE, f"there is no kubeconfig at {session.kubeconfig}", False, remedy)
    else:
        try:
            server = session.client.version()
            yield judged(WHERE, f"answers, version {server}", True, "")
            yield from _api(session, mesos, account, watched, server)
            databases = session.client.list("StatefulDatabase")
            yield from ledger_findings(map(read_entry, session.client.list("DatabaseVolume")), databases)
            cluster = cluster_uuid(session, mesos.operator_namespace)
        except CallRefused as refused:
            yield judged(WHERE, str(refused), False, "start it (embedded: `statefuldb up`), or give --kubeconfig")
    asked = Asked(
        role=role,
        principal=mesos.principal,
        user=user,
        with_credentials=mesos.secret_file is not None or mesos.secret_name is not None,
        with_tls=mesos.tls is not None,
        cluster=cluster,
    )
    yield from _mesos(session, mesos, asked, databases)
    if session.is_embedded and not mesos.masters:
        yield from _here(session)


def _defined(client: CliClient, kind: str, name: str) -> Json | None:
    """Return a definition, or None; an older server has no such kind. Raises CallRefused."""
    try:
        return client.get(kind, "", name)
    except CallRefused as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def _api(session: Session, mesos: MesosOptions, account: str, watched: Sequence[str], server: str) -> Iterator[Finding]:
    client = session.client
    for name in DEFINITIONS:
        for shipped in yaml.safe_load_all(packaged("crds", name)):
            yield definition_finding(shipped, _defined(client, shipped["kind"], shipped["metadata"]["name"]), server)
    yield _rights(session, mesos.operator_namespace, account, watched)
    yield clock_finding(WHERE, client.seconds_ahead())
    lease = client.get("Lease", mesos.operator_namespace, OPERATOR_LEASE)
    if lease is not None:
        holder = lease.get("spec", {}).get("holderIdentity")
        what = f"operator {holder} leads" if holder else "no operator leads"
        yield judged("operator", what, bool(holder), "start one, or read the log of one that runs")


def _rights(session: Session, namespace: str, account: str, watched: Sequence[str]) -> Finding:
    """Ask for each thing that an operator does whether it is allowed to the account."""
    user = f"system:serviceaccount:{namespace}:{account}" if account else ""
    asked = list(questions(namespace, watched))
    denied = [words for words, attributes in asked if not session.client.may(attributes, user)]
    return rights_finding(f"ServiceAccount {namespace}/{account}" if account else "your account", denied, len(asked))


def _mesos(session: Session, mesos: MesosOptions, asked: Asked, databases: list[Json]) -> Iterator[Finding]:
    try:
        facts = mesos.facts(session)
        yield from master_findings(facts.master(asked.role), asked)
        yield from agent_findings(facts.agents(), [m for stored in databases for m in _mounts(stored)])
        for place, ahead in facts.seconds_ahead().items():
            yield clock_finding(place, ahead)
    except EffectFailed as failure:
        named = bool(mesos.masters) or session.is_embedded
        remedy = "--mesos, --secret-file and --mesos-tls say how it is reached; embedded: `statefuldb up`"
        otherwise = Verdict.AMISS if named else Verdict.UNKNOWN
        yield judged("Mesos master", str(failure), False, remedy, otherwise=otherwise)


def _machines(
    session: Session, mesos: MesosOptions, role: str, user: str, keeper: str, timeout: float
) -> Iterator[Finding]:
    """Have a task on each agent tell what is there."""
    try:
        attributes = {agent.hostname: agent.attributes for agent in mesos.facts(session).agents()}
        places = mesos.master(session).places()
        command = (keeper, "-m", "statefuldb.keeper.probe")
        for report in mesos.scout(session, role=role, user=user).run(command, PROBE_FILE, places, timeout):
            host = report.agent.hostname
            try:
                facts = MachineFacts.from_json(report.output)
            except ValueError:
                what = f"{keeper} does not start the keeper: {report.trouble or report.output}"
                yield judged(host, what, False, "install statefuldb there, and name its Python with --keeper")
                continue
            yield from machine_findings(host, facts, attributes.get(host, {}), version=__version__, engines=built())
    except EffectFailed as failure:
        yield judged("Mesos agents", str(failure), False, "--mesos says how Mesos is reached")


def _mounts(stored: Json) -> list[Mount]:
    """Return the mount that a database on DFS needs, as its spec names it."""
    dfs: dict[str, Any] = stored["spec"]["storage"].get("dfs") or {}
    if not dfs:
        return []
    attribute = dfs.get("agentAttribute") or {}
    mount_point = str(dfs.get("mountPoint", ""))
    return [Mount(attribute=attribute.get("name", DFS_ATTRIBUTE), value=attribute.get("value", mount_point))]


def _here(session: Session) -> Iterator[Finding]:
    """Look at the embedded cluster's daemons, and at what its tasks start on this machine."""
    for daemon in session.cluster.daemons():
        alive = session.cluster.supervisor.pid(daemon.name) is not None
        log = session.cluster.supervisor.log(daemon.name)
        yield judged(HERE, f"daemon {daemon.name} {'runs' if alive else 'is down'}", alive, f"statefuldb up; see {log}")
    keeper = subprocess.run(
        [sys.executable, "-c", "import statefuldb.keeper.__main__"], capture_output=True, text=True, check=False
    )
    what = f"the keeper starts with {sys.executable}" if keeper.returncode == 0 else keeper.stderr.strip()
    yield judged(HERE, what, keeper.returncode == 0, "install statefuldb whole: make up")
    server = shutil.which("mariadbd", path=SERVERS)
    what = f"MariaDB server {server}" if server else "there is no MariaDB server"
    yield judged(HERE, what, server is not None, "apt-get install mariadb-server")
