"""`get`: databases, once or for as long as one likes."""

import time
from typing import Annotated, Any

import typer
from rich.live import Live

from statefuldb.cli.console import out
from statefuldb.cli.output import Output, OutputOption, print_one, print_table, show
from statefuldb.cli.session import AllNamespacesOption, Json, Session, session_of
from statefuldb.cli.showing import bare, databases_table

POLL_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(get)


def get(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One database; without it all.")] = None,
    output: OutputOption = Output.TABLE,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on showing changes until Ctrl-C.")] = False,
    all_namespaces: AllNamespacesOption = False,
) -> None:
    """Show databases: ready or not, where, and why not. json and yaml show the objects whole.

    With --watch: one live table on a terminal; elsewhere each changed database, in json as one line each.

    Example: statefuldb get quickstart -o yaml
    """
    session = session_of(context)
    if watch:
        _watch(session, name, output, all_namespaces=all_namespaces)
        return
    found = _find(session, name, all_namespaces=all_namespaces)
    whole = [bare(stored) for stored in found]
    show(whole[0] if name else whole, output, lambda wide: databases_table(found, wide))


def _find(session: Session, name: str | None, *, all_namespaces: bool) -> list[Json]:
    if name is not None:
        return [session.database(name)]
    return session.client.list("StatefulDatabase", "" if all_namespaces else session.namespace)


def _watch(session: Session, name: str | None, output: Output, *, all_namespaces: bool) -> None:
    """Show changes for ever."""
    if out.is_terminal and not output.is_data:
        with Live(console=out, auto_refresh=False) as live:
            while True:
                found = _find(session, name, all_namespaces=all_namespaces)
                live.update(databases_table(found, output is Output.WIDE), refresh=True)
                time.sleep(POLL_SECONDS)
    seen: dict[str, Any] = {}
    while True:
        for stored in _find(session, name, all_namespaces=all_namespaces):
            uid, version = stored["metadata"]["uid"], stored["metadata"]["resourceVersion"]
            if seen.get(uid) == version:
                continue
            seen[uid] = version
            if output.is_data:
                print_one(bare(stored), output)
            else:
                print_table(databases_table([stored], output is Output.WIDE))
        time.sleep(POLL_SECONDS)
