"""`volumes`, `fence`: the ledger, and what only a person may confirm."""

import getpass
import os
import time
from http import HTTPStatus
from typing import Annotated, NoReturn

import typer

from statefuldb.adapters.kubernetes.cli_client import CallRefused
from statefuldb.cli.console import fail, out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.ledger import lines_json, lines_table, say_if_blind, take_stock, write_entry
from statefuldb.cli.mesos_options import MesosOptions, takes_mesos
from statefuldb.cli.output import Output, OutputOption, show
from statefuldb.cli.scanning import scan
from statefuldb.cli.session import Session, session_of
from statefuldb.model.damaged import DamagedEntry, read_entry
from statefuldb.model.identity import ANNOTATION_RELEASE, DatabaseKey
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.commands import delete_entry, edit_entry
from statefuldb.planning.inventory.comparison import VolumeLine, VolumeState, find
from statefuldb.planning.inventory.orphans import orphan_to_adopt, orphan_to_release

volumes_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="The ledger: every reservation, volume and directory of ours.",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    volumes_app.command()(scan)
    app.add_typer(volumes_app, name="volumes")
    app.command(help=(release.__doc__ or "").replace("volumes release", "release"))(release)
    app.command()(fence)


@volumes_app.command("list")
@takes_mesos
def list_volumes(context: typer.Context, mesos: MesosOptions, output: OutputOption = Output.TABLE) -> None:
    """Show the ledger against the cluster: each volume with its state, of all namespaces.

    States: Pending (not written yet), InUse, Retained (kept for a later owner), Releasing (being given back),
    Orphaned (ours by label in Mesos, not in the ledger), Missing (in the ledger, not on its agent), Lost (its agent
    is gone), Damaged (its entry cannot be read: put right by hand what is named). Of data with several entries, as
    after a restore into another namespace, the note names the others. So it does of a member of which Mesos holds
    several volumes, and says which counts as the data.

    Example: statefuldb volumes list -o wide
    """
    stock = take_stock(session_of(context), mesos)
    say_if_blind(stock)
    show(lines_json(stock.lines), output, lambda wide: lines_table(stock.lines, wide))


@volumes_app.command()
@takes_mesos
def adopt(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="An orphaned volume, as `volumes list` shows it.")],
    confirm: Annotated[
        str,
        typer.Option(prompt="Type the volume's name to adopt it", help="Its name once more; without it you are asked."),
    ],
    mesos: MesosOptions,
    for_: Annotated[
        str, typer.Option("--for", help="The database that is to take it up; without it the one it was made for.")
    ] = "",
) -> None:
    """Take an orphaned volume into the ledger, retained. The database of its name takes it up again by itself.

    Of several volumes of one member it takes the last one made, which counts as the data.

    Example: statefuldb volumes adopt orders-0-1a2b3c4d --confirm orders-0-1a2b3c4d
    """
    session = session_of(context)
    line = _line(session, mesos, name)
    if line.state is not VolumeState.ORPHANED:
        taken_up = "its database takes it up by itself" if line.state is VolumeState.RETAINED else ""
        fail(f"{name} is not orphaned but {line.state}", ExitCode.REFUSED, line.note if line.later else taken_up)
    _at_rest(line)
    key = DatabaseKey(namespace=session.namespace, name=for_ or line.key.name)
    adopted = orphan_to_adopt(line, key, time.time())
    if adopted is None:
        fail(
            f"{name} holds no volume in Mesos that could be adopted",
            ExitCode.REFUSED,
            f"run `{session.hint('volumes', 'scan', 'ROOT', '--adopt', name)}` on {line.agent}, or release it",
        )
    if not for_ and not line.key.namespace:
        fail("nothing in Mesos tells which database it was made for", ExitCode.USAGE, "name one with --for")
    _confirmed(confirm, name)
    write_entry(session, adopted)
    out.print(f"{name} is in the ledger, retained for database {key.name} of namespace {key.namespace}")
    out.print(f"its data is volume {adopted.persistence_id} on {adopted.agent.hostname if adopted.agent else '?'}")


@volumes_app.command()
@takes_mesos
def release(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A retained or orphaned volume, as `volumes list` shows it.")],
    confirm: Annotated[
        str,
        typer.Option(
            prompt="This destroys its data. Type the volume's name to confirm",
            help="Its name once more; without it you are asked.",
        ),
    ],
    mesos: MesosOptions,
) -> None:
    """Destroy retained or orphaned data and give its resources back. The running operator carries it out.

    Example: statefuldb volumes release orders-0-1a2b3c4d --confirm orders-0-1a2b3c4d
    """
    session = session_of(context)
    line = _line(session, mesos, name)
    if line.record is not None and line.record.intent is not Intent.RETAIN:
        waits = f"`{session.hint('volumes', 'list')}` says what it waits for"
        fix = "delete its database first" if line.record.intent is Intent.USE else waits
        fail(f"{name} is not retained but {line.state}", ExitCode.REFUSED, fix)
    _at_rest(line)
    if line.later:
        # All that is held for the member would go, the data too, while the entry names a volume without it.
        fail(f"{name}: {line.note}", ExitCode.REFUSED)
    _confirmed(confirm, name)
    if line.record is None:
        key = DatabaseKey(namespace=session.namespace, name=line.key.name)
        write_entry(session, orphan_to_release(line, key, time.time()))
    else:
        spec: dict[str, object] = {"intent": "Delete"}
        if line.state is VolumeState.MISSING:
            # The master was asked just now: nothing is left to destroy, the next offer of the agent may confirm it.
            spec |= {"phase": "Releasing", "releasedAtSeconds": time.time()}
        try:
            # Only the entry that was looked at: a database may be taking its data up again in this very moment.
            version = line.record.resource_version
            seen = {"resourceVersion": version, "annotations": {ANNOTATION_RELEASE: confirm}}
            session.client.merge("DatabaseVolume", session.namespace, name, {"metadata": seen, "spec": spec})
        except CallRefused as refused:
            changed = refused.status == HTTPStatus.CONFLICT
            fail(str(refused), ExitCode.REFUSED, f"{name} has changed meanwhile: look again" if changed else "")
    out.print(f"{name} is being released")


def _line(session: Session, mesos: MesosOptions, name: str) -> VolumeLine:
    stock = take_stock(session, mesos)
    line = find(stock.lines, session.namespace, name)
    if line is None:
        fix = f"Mesos was not asked: {stock.blind}" if stock.blind else f"see `{session.hint('volumes', 'list')}`"
        fail(f"there is no volume {name} in namespace {session.namespace}", ExitCode.NOT_FOUND, fix)
    if line.state is VolumeState.DAMAGED:
        _refuse_damaged(name, session.namespace, line.note)
    if line.others:
        fail(
            f"{name}: {line.note}",
            ExitCode.REFUSED,
            f"where it is this one: {delete_entry(session.namespace, name)}; that touches no data",
        )
    return line


def _refuse_damaged(name: str, namespace: str, note: str) -> NoReturn:
    fail(f"{name}: {note}", ExitCode.REFUSED, f"put that right first: {edit_entry(namespace, name)}")


def _at_rest(line: VolumeLine) -> None:
    if line.task is not None:
        fail(line.note, ExitCode.REFUSED, "start the operator, or see why it is not connected: statefuldb doctor")


def _confirmed(typed: str, name: str) -> None:
    if typed != name:
        fail(f"{typed!r} is not {name!r}: nothing was done", ExitCode.REFUSED)


def fence(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    confirm: Annotated[str, typer.Option(help="The task id of the lost incarnation, as `explain` shows it.")],
    member: Annotated[int, typer.Option(help="Its ordinal.")] = 0,
) -> None:
    """Confirm that a lost member can write no more: its agent was cut off from the shared file system.

    Only then may a successor open the data elsewhere. A wrong confirmation can destroy it.

    Example: statefuldb fence orders --member 0 --confirm sdb.1a2b....0.7
    """
    session = session_of(context)
    # A deleted database is fenced too: its entries remain until its data is kept or removed.
    listed = [read_entry(stored) for stored in session.client.list("DatabaseVolume", session.namespace)]
    for entry in listed:
        if isinstance(entry, DamagedEntry) and entry.key.name == name and entry.ordinal in (None, member):
            _refuse_damaged(entry.name, session.namespace, entry.problem)
    records = [entry for entry in listed if isinstance(entry, VolumeRecord)]
    launched = [r for r in records if (r.key.name, r.identity.ordinal) == (name, member) and r.launch is not None]
    if not launched:
        fail(f"{name} has no member {member} that was launched", ExitCode.NOT_FOUND)
    lost = next((record for record in launched if str(record.task_id) == confirm), None)
    if lost is None or lost.launch is None:
        last = " or ".join(str(record.task_id) for record in launched)
        fail(f"the lost incarnation is {last}, not {confirm}", ExitCode.REFUSED)
    # Which loss it is about the operator notes: what an earlier proof was about would stay in the merged entry.
    said = {"incarnation": lost.launch.incarnation, "by": _who(), "lostAtSeconds": None}
    session.client.merge("DatabaseVolume", session.namespace, lost.name, {"spec": {"fencing": said}})
    out.print(f"{confirm} is confirmed to be fenced")


def _who() -> str:
    """Return whose word it is. In a container a user may have a number alone."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
