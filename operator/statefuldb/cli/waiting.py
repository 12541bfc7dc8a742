"""`wait`: until something is true of a database."""

import time
from collections.abc import Callable
from typing import Annotated

import typer

from statefuldb.cli.console import fail, out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.output import Output, OutputOption, printed
from statefuldb.cli.progress import Progress
from statefuldb.cli.session import Json, Session, session_of
from statefuldb.cli.showing import bare, condition, summary
from statefuldb.model.conditions import ConditionType

POLL_SECONDS = 0.3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(wait)


def wait(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    for_: Annotated[
        str,
        typer.Option("--for", help="A condition, `Ready` or `condition=Ready`; or `delete`."),
    ] = "Ready",
    timeout: Annotated[float, typer.Option(help="Seconds.")] = 120.0,
    output: OutputOption = Output.TABLE,
) -> None:
    """Wait until a condition is True at the present generation, or the database is gone; says meanwhile what waits.

    Exit codes: 3 there is no such database, 5 it did not come true in time.

    Example: statefuldb wait quickstart --for Ready --timeout 60
    """
    wanted = for_.removeprefix("condition=")
    if wanted not in (*ConditionType, "delete"):
        fail(f"--for {for_}: there is no such condition", ExitCode.USAGE, f"there are {', '.join(ConditionType)}")

    def arrived(stored: Json | None) -> bool:
        if stored is None:
            return wanted == "delete"
        held = condition(stored, wanted)
        return held.get("status") == "True" and held.get("observedGeneration") == stored["metadata"]["generation"]

    session = session_of(context)
    stored = await_database(session, name, arrived, timeout, f"{wanted} did not come true")
    if stored is None or not printed(bare(stored), output):
        out.print(f"{name}: {wanted}" if stored is not None else f"{name} is gone")


def await_database(
    session: Session, name: str, arrived: Callable[[Json | None], bool], timeout: float, otherwise: str
) -> Json | None:
    """Look at a database until `arrived` is true of it, and return it as it is then; None stands for one that is gone.

    After `timeout` seconds the command ends with `otherwise`; also where there is none, unless that is waited for.
    """
    deadline = time.monotonic() + timeout
    last = ""
    with Progress(f"waiting for {name}") as progress:
        while True:
            stored = session.client.get("StatefulDatabase", session.namespace, name)
            if arrived(stored):
                return stored
            if stored is None:
                fail(f"there is no database {name} in namespace {session.namespace}", ExitCode.NOT_FOUND)
            last = summary(stored)
            progress.say(f"{name}: {last}")
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
    fix = f"see `{session.hint('explain', name)}`"
    fail(f"{name}: {otherwise} in {timeout:g} s: {last}", ExitCode.TIMED_OUT, fix)
