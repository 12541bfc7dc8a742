"""`volumes`, `fence`: the ledger, and what only a person may confirm."""

import getpass
from typing import Annotated

import typer
from rich.table import Table

from statefuldb.adapters.kubernetes.cli_client import CallRefused
from statefuldb.cli.console import fail, out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.session import session_of

volumes_app = typer.Typer(no_args_is_help=True, help="The ledger: every reservation, volume and directory of ours.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(volumes_app, name="volumes")
    app.command()(fence)


@volumes_app.command("list")
def list_volumes(context: typer.Context) -> None:
    """Show what is in use, retained or being released.

    Example: statefuldb volumes list
    """
    session = session_of(context)
    table = Table("Namespace", "Name", "Database", "Strategy", "Intent", "Phase", "Agent", "Where", box=None)
    try:
        found = session.client.list("DatabaseVolume")
    except CallRefused as refused:
        fail(str(refused), ExitCode.CANNOT_CONNECT)
    for stored in found:
        spec = stored["spec"]
        table.add_row(
            stored["metadata"]["namespace"],
            stored["metadata"]["name"],
            spec["database"]["name"],
            spec["strategy"],
            spec["intent"],
            spec.get("phase", ""),
            spec.get("agent", {}).get("hostname", ""),
            spec.get("directory") or spec.get("persistenceId", ""),
        )
    out.print(table)


@volumes_app.command()
def release(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The DatabaseVolume.")],
    confirm: Annotated[str, typer.Option(prompt="This destroys its data. Type the volume's name to confirm")],
) -> None:
    """Destroy retained data and give its resources back.

    Example: statefuldb volumes release orders-0-1a2b3c4d
    """
    session = session_of(context)
    stored = session.client.get("DatabaseVolume", session.namespace, name)
    if stored is None:
        fail(f"there is no volume {name} in namespace {session.namespace}", ExitCode.NOT_FOUND)
    if stored["spec"]["intent"] != "Retain":
        fail(f"{name} is not retained but {stored['spec']['intent']}", ExitCode.REFUSED, "delete its database first")
    if confirm != name:
        fail(f"{confirm!r} is not {name!r}: nothing was done", ExitCode.REFUSED)
    session.client.merge("DatabaseVolume", session.namespace, name, {"spec": {"intent": "Delete"}})
    out.print(f"{name} is being released")


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
    uid = session.database(name)["metadata"]["uid"]
    for stored in session.client.list("DatabaseVolume", session.namespace):
        spec = stored["spec"]
        if spec["database"]["uid"] != uid or spec["identity"]["ordinal"] != member:
            continue
        incarnation = spec.get("launch", {}).get("incarnation", 0)
        lost = f"sdb.{spec['identity']['uid']}.{member}.{incarnation}"
        if confirm != lost:
            fail(f"the lost incarnation is {lost}, not {confirm}", ExitCode.REFUSED)
        fencing = {"spec": {"fencing": {"incarnation": incarnation, "by": getpass.getuser()}}}
        session.client.merge("DatabaseVolume", session.namespace, stored["metadata"]["name"], fencing)
        out.print(f"{lost} is confirmed to be fenced")
        return
    fail(f"{name} has no member {member}", ExitCode.NOT_FOUND)
