"""`volumes scan`: data directories whose ledger entry was lost, found by their identity markers."""

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
from statefuldb.cli.session import Session, session_of
from statefuldb.keeper.scan import find_members
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.volume import AgentRef
from statefuldb.planning.scanning import ScanLine, Standing, entry_of_directory, stand


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
    mesos_role: Annotated[str, typer.Option(help="The operator's Mesos role.")] = "statefuldb",
    output: OutputOption = Output.TABLE,
) -> None:
    """Find members' directories below a root by their markers, and tell which of them the ledger has lost.

    To be run where the root is to be seen: on the agent itself, or wherever the shared file system is mounted at the
    same place. No data is touched: what is adopted gets a ledger entry, and the database of that name takes it up.

    Example: statefuldb volumes scan /srv/databases --adopt orders-0-1a2b3c4d --confirm orders-0-1a2b3c4d
    """
    session = session_of(context)
    cluster = cluster_uuid(session, mesos.operator_namespace)
    if cluster is None:
        fail(f"nothing is installed: no record in namespace {mesos.operator_namespace}", ExitCode.NOT_FOUND)
    missing = [str(each) for each in root if not each.is_dir()]
    if missing:
        fail(f"there is no directory {', '.join(missing)} on this machine", ExitCode.NOT_FOUND)
    stock = take_stock(session, mesos)
    say_if_blind(stock)
    found = [each for one in root for each in find_members(one.absolute(), _say_trouble)]
    lines = stand(found, stock.lines, cluster)
    if adopt:
        if stock.blind:
            fail("Mesos must say first that nothing uses it", ExitCode.CANNOT_CONNECT)
        _adopt(session, mesos, lines, adopt, confirm, agent, for_, mesos_role)
        return
    show([_json(line) for line in lines], output, lambda wide: _table(lines, wide))


def _adopt(
    session: Session,
    mesos: MesosOptions,
    lines: tuple[ScanLine, ...],
    name: str,
    confirm: str,
    agent: str,
    database: str,
    role: str,
) -> None:
    named = [line for line in lines if line.name == name]
    if not named:
        fail(f"no directory of {name} was found", ExitCode.NOT_FOUND, "run it without --adopt to see what was")
    line = named[0]
    if line.standing is not Standing.ORPHANED:
        fail(f"{name} is not orphaned but {line.standing}: {line.note}", ExitCode.REFUSED)
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
    out.print(f"{name} is in the ledger, retained for database {key.name} of namespace {key.namespace}", markup=False)


def _agent_of(mesos: MesosOptions, session: Session, line: ScanLine, named: str) -> AgentRef:
    """Return the agent that a directory is pinned to: the one that reserves compute for it, or the one named."""
    held = line.line.held if line.line is not None else ()
    if len(held) == 1 and named in ("", held[0].hostname):
        return AgentRef(id=held[0].agent_id, hostname=held[0].hostname, address=held[0].address)
    agents = {agent.hostname: agent for agent in mesos.master(session).places()}
    if named not in agents:
        known = ", ".join(sorted(agents)) or "none is registered"
        what = (
            f"agent {named} is not registered" if named else f"nothing in Mesos tells on which agent {line.name} lies"
        )
        fail(what, ExitCode.NOT_FOUND if named else ExitCode.USAGE, f"name one with --agent: {known}")
    return agents[named]


def _say_trouble(text: str) -> None:
    errors.print(text, markup=False)


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
        "directory": found.directory,
        "strategy": str(line.strategy),
        "engine": found.engine,
        "version": found.version,
        "token": found.token,
        "note": line.note,
    }


def _table(lines: tuple[ScanLine, ...], wide: bool) -> Table | str:
    columns = ["NAMESPACE", "NAME", "STANDING", "DATABASE", "STRATEGY", "DIRECTORY"]
    columns += ["ENGINE", "TOKEN", "UID"] if wide else []
    rows = []
    for line in lines:
        found = line.found
        row = [found.namespace, line.name, line.standing, found.database, line.strategy, found.directory]
        row += [f"{found.engine} {found.version}", str(found.token), found.identity.uid] if wide else []
        rows.append([*row, line.note])
    return table_of([*columns, "NOTE"], rows, "No identity marker was found.")
