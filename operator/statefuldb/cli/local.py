"""`up`, `down`, `status`: the embedded cluster on this machine."""

import shlex
import time
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table
from rich.text import Text

from statefuldb.adapters.databases.mysql import SqlFailed, run_statements
from statefuldb.cli.cluster import AGENT_TIMEOUT_SECONDS, DaemonEnded
from statefuldb.cli.console import fail, out
from statefuldb.cli.databases import read_manifests
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.inspect import explained
from statefuldb.cli.output import Output, OutputOption, print_table, show, table_of, verdict
from statefuldb.cli.packaged import DEFINITIONS, packaged
from statefuldb.cli.progress import Progress
from statefuldb.cli.session import Session, session_of
from statefuldb.cli.showing import condition, database_line, databases_table
from statefuldb.model.identity import connection_secret_name
from statefuldb.model.settings import OPERATOR_WAITING_FILE

Json = dict[str, Any]
READY_SECONDS = 120.0
POLL_SECONDS = 0.3
ANSWER_SECONDS = 10.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(status)


def up(
    context: typer.Context,
    agents: Annotated[int, typer.Option(min=1, max=200, help="How many Mesos agents (at the first start).")] = 3,
    dfs: Annotated[
        list[str] | None,
        typer.Option(
            help="SOURCE:MOUNT_POINT, one for each agent's view of a shared file system (at the first start)."
        ),
    ] = None,
    agent_timeout: Annotated[
        float, typer.Option(help="Seconds of silence after which an agent is unreachable (at the first start).")
    ] = AGENT_TIMEOUT_SECONDS,
    manifest: Annotated[Path | None, typer.Option(help="Apply this instead of the quickstart.")] = None,
    quickstart: Annotated[bool, typer.Option(help="Whether to apply the quickstart at all.")] = True,
) -> None:
    """Start the embedded cluster, or what of it does not run, and its first database.

    Example: statefuldb up
    """
    views = tuple(_view(text) for text in dfs or ())
    given = read_manifests(str(manifest)) if manifest is not None else None
    session = session_of(context).embedded()
    began = time.monotonic()
    cluster = session.cluster
    fresh = not cluster.exists
    cluster.plan(agents=agents, dfs=views, agent_timeout_seconds=agent_timeout)
    try:
        _start(session, fresh=fresh, began=began)
        applied = _apply(session, given, wanted=quickstart)
        for within, name in applied:
            _await_ready(within, name, began)
    except DaemonEnded as error:
        fail(str(error), ExitCode.FAILED)
    except TimeoutError as error:
        fail(str(error), ExitCode.TIMED_OUT)
    _farewell(session, applied)


def down(context: typer.Context) -> None:
    """Stop the embedded cluster and its databases cleanly; all data stays.

    Example: statefuldb down
    """
    cluster = session_of(context).cluster
    if not cluster.exists:
        fail(f"there is no embedded cluster in {cluster.state_dir}", ExitCode.NOT_FOUND)
    with Progress("stopping the operator, then the databases cleanly"):
        cluster.stop(lambda text: out.print(text))
    again = session_of(context).invocation
    out.print(f"All data is kept in {cluster.state_dir}; `{again} up` goes on where you left off.")


def status(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Show what runs: daemons of the embedded cluster, and every database with its state.

    Example: statefuldb status
    """
    session = session_of(context)
    cluster = session.cluster
    daemons = [
        {"name": daemon.name, "pid": pid, "state": _state(session, daemon.name) if pid else "stopped"}
        for daemon in (cluster.daemons() if cluster.exists else ())
        for pid in (cluster.supervisor.pid(daemon.name),)
    ]
    if daemons and not output.is_data:
        print_table(_daemons_table(daemons))
    databases = explained(session, session.client.list("StatefulDatabase"))
    found = {"daemons": daemons, "databases": [database_line(stored) for stored in databases]}
    show(found, output, lambda wide: databases_table(databases, wide))


def _state(session: Session, daemon: str) -> str:
    """Return how a daemon that lives is: the operator notes down what it waits for."""
    note = session.cluster.state_dir / "operator" / OPERATOR_WAITING_FILE
    return f"waiting: {note.read_text()}" if daemon == "operator" and note.exists() else "running"


def _daemons_table(daemons: list[Json]) -> Table | str:
    rows = [[d["name"], str(d["pid"] or ""), verdict(d["state"], good=d["state"] == "running")] for d in daemons]
    return table_of(("DAEMON", "PID", "STATE"), rows)


def _start(session: Session, *, fresh: bool, began: float) -> None:
    cluster = session.cluster
    running = [d.name for d in cluster.daemons() if cluster.supervisor.pid(d.name) is not None]
    daemons = cluster.daemons()
    for daemon in daemons:
        if daemon.name == "operator":
            _install_crds(session)
        if daemon.name not in running:
            cluster.start_one(daemon)
            out.print(f"  {time.monotonic() - began:5.1f} s  {daemon.name} started")
    if not fresh and len(running) == len(daemons):
        out.print("The cluster is running already.")


def _install_crds(session: Session) -> None:
    for name in DEFINITIONS:
        for body in yaml.safe_load_all(packaged("crds", name)):
            session.client.apply(body, "")


def _view(text: str) -> str:
    """Return one --dfs as it was given; anything but two absolute paths ends the command."""
    source, _, mount_point = text.partition(":")
    if not (source.startswith("/") and mount_point.startswith("/")):
        fail(f"--dfs {text}: not SOURCE:MOUNT_POINT", ExitCode.USAGE, "two absolute paths, such as /srv/a:/mnt/shared")
    return text


def _apply(session: Session, given: list[Json] | None, *, wanted: bool) -> list[tuple[Session, str]]:
    """Apply the given manifests, or the quickstart once; return the databases to wait for, each in its namespace."""
    applied = session.cluster.state_dir / "quickstart-applied"
    if given is None and (not wanted or applied.exists()):
        return [(session, o["metadata"]["name"]) for o in session.client.list("StatefulDatabase", session.namespace)]
    quickstart = yaml.safe_load_all(packaged("manifests", "quickstart.yaml"))
    bodies = given if given is not None else [body for body in quickstart if body]
    for body in bodies:
        done = session.client.apply(body, session.namespace)
        out.print(f"  {body['kind']}/{body['metadata']['name']} {done}")
    if given is None:
        applied.touch()
    return [
        (session.within(body["metadata"].get("namespace") or session.namespace), body["metadata"]["name"])
        for body in bodies
        if body["kind"] == "StatefulDatabase"
    ]


def _await_ready(session: Session, name: str, began: float) -> None:
    """Wait until a database rests as it should, saying each new reason why it is not there yet.

    A status outlives what it was seen of: after a crash it says Ready until the operator has looked again. So Ready is
    believed only once the database has answered us as well.
    """
    said = ""
    deadline = time.monotonic() + READY_SECONDS

    def say(summary: str) -> None:
        nonlocal said
        if summary and summary != said:
            out.print(f"  {time.monotonic() - began:5.1f} s  {name}: {summary}")
            said = summary

    while time.monotonic() < deadline:
        stored = session.database(name)
        ready = condition(stored, "Ready")
        state = stored.get("status", {})
        current = state.get("observedGeneration") == stored["metadata"]["generation"]
        stopped = ready.get("reason") == "StoppedAsAsked"
        refused = condition(stored, "Accepted").get("status") == "False" and "accepted" not in state
        if current and ready.get("status") == "True" and not stopped and not _answers(session, name):
            say("it was Ready when it was last seen; waiting for its answer now")
        else:
            say(state.get("summary", ""))
            if current and (refused or ready.get("status") == "True"):
                return
        time.sleep(POLL_SECONDS)
    see = f"`{session.invocation} explain {name}`"
    raise TimeoutError(f"{name} is not Ready after {READY_SECONDS:g} s: {said}; see {see}")


def _answers(session: Session, name: str) -> bool:
    secret = session.client.secret(session.namespace, connection_secret_name(name))
    try:
        return secret is not None and bool(list(run_statements(secret, ["SELECT 1"], answer_seconds=ANSWER_SECONDS)))
    except SqlFailed:
        return False


def _farewell(session: Session, applied: list[tuple[Session, str]]) -> None:
    """Say how to go on, in commands that work where one is."""
    here = session.invocation
    for within, name in applied:
        endpoint, secret = database_line(within.database(name))["endpoint"], connection_secret_name(name)
        if not endpoint:
            continue
        out.print(Text("\nReady ", style="green"), f"{name} answers at {endpoint}")
        out.print(f"  connect     {within.invocation} sql {name} -e 'SELECT VERSION()'")
        out.print(
            f"  account     Secret {secret} in namespace {within.namespace} (host, port, username, password, uri)"
        )
    out.print(f"  kubeconfig  export KUBECONFIG={shlex.quote(str(session.kubeconfig.resolve()))}")
    out.print(f"  look around {here} status")
    first, name = applied[0] if applied else (session, "NAME")
    out.print(f"              {first.invocation} explain {name}")
    out.print(f"  stop        {here} down")
