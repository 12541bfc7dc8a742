"""`volumes scan`: data directories whose ledger entry was lost, found by their identity markers."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from statefuldb.cli.console import errors, fail, out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.ledger import cluster_uuid, say_if_blind, take_stock, write_entry
from statefuldb.cli.mesos_options import MesosOptions, takes_mesos
from statefuldb.cli.output import Output, OutputOption, show, table_of
from statefuldb.cli.progress import Progress
from statefuldb.cli.session import Session, session_of
from statefuldb.keeper.scan import NO_ROOT, find_members, read_output
from statefuldb.model.found import FoundDirectory
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.keeper import SCAN_FILE
from statefuldb.model.volume import AgentRef
from statefuldb.planning.inventory.scanning import ScanLine, Standing, entry_of_directory, stand


@takes_mesos
def scan(
    context: typer.Context,
    mesos: MesosOptions,
    root: Annotated[
        list[Path],
        typer.Argument(help="`hostPath.path`, or `<dfs.mountPoint>/<dfs.subPath>`, as this machine sees it."),
    ],
    adopt: Annotated[str, typer.Option(help="Take this orphaned directory into the ledger, retained.")] = "",
    confirm: Annotated[str, typer.Option(help="Its name once more; without it you are asked.")] = "",
    agent: Annotated[
        str, typer.Option(help="The agent on which it lies (HostPath), where no reservation in Mesos tells.")
    ] = "",
    for_: Annotated[str, typer.Option("--for", help="The database to take it up; without it that of its path.")] = "",
    on_agents: Annotated[
        bool, typer.Option("--on-agents", help="Look on every agent, by a task of 0.1 cpus and 64 MiB for a moment.")
    ] = False,
    keeper: Annotated[str, typer.Option(help="Python that runs the keeper on the agents.")] = sys.executable,
    framework_user: Annotated[str, typer.Option(help="User that the tasks run as.")] = "root",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for all agents.")] = 60.0,
    mesos_role: Annotated[str, typer.Option(help="The operator's Mesos role.")] = "statefuldb",
    output: OutputOption = Output.TABLE,
) -> None:
    """Find members' directories below a root by their markers, and tell which of them the ledger has lost.

    It looks here: on the agent itself, or wherever the shared file system is mounted at the same place. With
    `--on-agents` a framework of its own looks on all agents. No data is touched: what is adopted gets a ledger entry,
    and the database of that name takes it up.

    Example: statefuldb volumes scan /srv/databases --adopt orders-0-1a2b3c4d --confirm orders-0-1a2b3c4d
    """
    session = session_of(context)
    cluster = cluster_uuid(session, mesos.operator_namespace)
    if cluster is None:
        fail(f"nothing is installed: no record in namespace {mesos.operator_namespace}", ExitCode.NOT_FOUND)
    stock = take_stock(session, mesos)
    say_if_blind(stock)
    silent: list[str] = []
    if on_agents:
        command = (keeper, "-m", "statefuldb.keeper.scan", *(str(each) for each in root))
        found, silent = _ask_agents(session, mesos, command, mesos_role, framework_user, timeout)
    else:
        found = _look_here(root)
    lines = stand(found, stock.lines, cluster)
    if adopt:
        if stock.blind:
            fail("Mesos must say first that nothing uses it", ExitCode.CANNOT_CONNECT)
        _adopt(session, mesos, lines, silent, adopt, confirm, agent, for_, mesos_role)
        return
    show([_json(line) for line in lines], output, lambda wide: _table(lines, wide))


def _look_here(roots: list[Path]) -> list[FoundDirectory]:
    missing = [str(each) for each in roots if not each.is_dir()]
    if missing:
        fix = "look on the agents: --on-agents"
        fail(f"there is no directory {', '.join(missing)} on this machine", ExitCode.NOT_FOUND, fix)
    return [each for one in roots for each in find_members(one.absolute(), _say_trouble)]


def _ask_agents(
    session: Session, mesos: MesosOptions, command: tuple[str, ...], role: str, user: str, timeout: float
) -> tuple[list[FoundDirectory], list[str]]:
    """Return what a task on each agent found, and the agents that did not tell all, with why on standard error."""
    agents = mesos.master(session).places()
    found, silent = list[FoundDirectory](), list[str]()
    with Progress(f"looking on {len(agents)} agents"):
        reports = mesos.scout(session, role=role, user=user).run(command, SCAN_FILE, agents, timeout)
    for report in reports:
        why = report.trouble
        try:
            seen, troubles = read_output(report.output, report.agent.hostname)
        except (ValueError, KeyError, TypeError) as error:
            seen, troubles, why = [], [], f"what the task wrote is not understood: {error}"
        found += seen
        silent += [report.agent.hostname] if why or any(not t.startswith(NO_ROOT) for t in troubles) else []
        for trouble in (*troubles, *([why] if why else [])):
            _say_trouble(f"{report.agent.hostname}: {trouble}")
    return found, silent


def _adopt(
    session: Session,
    mesos: MesosOptions,
    lines: tuple[ScanLine, ...],
    silent: list[str],
    name: str,
    confirm: str,
    agent: str,
    database: str,
    role: str,
) -> None:
    named = [line for line in lines if line.name == name and (not agent or line.found.host in ("", agent))]
    if not named:
        where = f" on {agent}" if agent else ""
        fail(f"no directory of {name} was found{where}", ExitCode.NOT_FOUND, "run it without --adopt to see what was")
    line = next((each for each in named if each.standing is Standing.ORPHANED), named[0])
    if line.standing is not Standing.ORPHANED:
        fail(f"{name} is not orphaned but {line.standing}: {line.note}", ExitCode.REFUSED)
    # A reservation tells where the data lies, unless an agent that did not tell holds one as well.
    held = {offer.hostname for offer in line.line.held} if line.line is not None else set()
    unsure = [host for host in silent if not held or host in held - {line.found.host}]
    if unsure and not (line.found.shared or agent):
        fail(
            f"{', '.join(unsure)} did not tell all: what was found on {line.found.host} may be a copy of what is there",
            ExitCode.REFUSED,
            f"look again once each agent tells; or, if you know that it is this one: --agent {line.found.host}",
        )
    pinned = None if line.found.shared else _agent_of(mesos, session, line, agent)
    typed = confirm or typer.prompt("Type the volume's name to adopt it")
    if typed != name:
        fail(f"{typed!r} is not {name!r}: nothing was done", ExitCode.REFUSED)
    key = DatabaseKey(namespace=line.found.namespace, name=database or line.found.database)
    try:
        record = entry_of_directory(line, key, time.time(), agent=pinned, mesos_role=role)
    except ValueError as error:
        fail(f"{line.found.directory} cannot be adopted: {error}", ExitCode.REFUSED)
    write_entry(session, record)
    out.print(f"{name} is in the ledger, retained for database {key.name} of namespace {key.namespace}")


def _agent_of(mesos: MesosOptions, session: Session, line: ScanLine, named: str) -> AgentRef:
    """Return the agent that a directory is pinned to: the one that reserves compute for it, or the one named."""
    named = named or line.found.host
    held = line.line.held if line.line is not None else ()
    if len(held) == 1 and named in ("", held[0].hostname):
        return held[0].agent
    agents = {agent.hostname: agent for agent in mesos.master(session).places()}
    if named not in agents:
        known = ", ".join(sorted(agents)) or "none is registered"
        what = (
            f"agent {named} is not registered" if named else f"nothing in Mesos tells on which agent {line.name} lies"
        )
        fail(what, ExitCode.NOT_FOUND if named else ExitCode.USAGE, f"name one with --agent: {known}")
    return agents[named]


def _say_trouble(text: str) -> None:
    errors.print(text)


def _json(line: ScanLine) -> dict[str, Any]:
    found = line.found
    return {
        "name": line.name,
        "standing": str(line.standing),
        "namespace": found.namespace,
        "database": found.database,
        "ordinal": found.identity.ordinal,
        "uid": found.identity.uid,
        "cluster": found.identity.cluster,
        "host": found.host,
        "directory": found.directory,
        "strategy": str(line.strategy),
        "engine": found.engine,
        "version": found.version,
        "token": found.token,
        "note": line.note,
    }


def _table(lines: tuple[ScanLine, ...], wide: bool) -> Table | str:
    columns = ["NAMESPACE", "NAME", "STANDING", "DATABASE", "STRATEGY", "HOST", "DIRECTORY"]
    columns += ["ENGINE", "TOKEN", "UID"] if wide else []
    rows = []
    for line in lines:
        found = line.found
        row = [found.namespace, line.name, line.standing, found.database, line.strategy, found.host, found.directory]
        row += [f"{found.engine} {found.version}", str(found.token), found.identity.uid] if wide else []
        rows.append([*row, line.note])
    return table_of([*columns, "NOTE"], rows, "No identity marker was found.")
