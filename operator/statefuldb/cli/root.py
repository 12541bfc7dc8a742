"""The root command: what is common to all, and the list of what there is."""

from typing import Annotated

import typer

from statefuldb.cli import databases, inspect, journal, local, operating, restarting, uninstall, volumes
from statefuldb.cli.session import Session

app = typer.Typer(
    name="statefuldb",
    no_args_is_help=True,
    add_completion=True,
    help="Databases on Apache Mesos that never lose data.",
    epilog="Examples:  statefuldb up  |  statefuldb apply -f db.yaml  |  statefuldb explain db  |  statefuldb sql db",
    pretty_exceptions_show_locals=False,
)


@app.callback()
def root(
    context: typer.Context,
    kubeconfig: Annotated[str, typer.Option(envvar="KUBECONFIG", help="Which API server to talk to.")] = "",
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Namespace.")] = "default",
    state_dir: Annotated[
        str, typer.Option(envvar="STATEFULDB_STATE", help="State of the embedded cluster.")
    ] = ".statefuldb",
) -> None:
    """Databases on Apache Mesos that never lose data."""
    context.obj = Session(kubeconfig=kubeconfig, namespace=namespace, state_dir=state_dir)


for room in (local, databases, restarting, inspect, journal, volumes, operating, uninstall):
    room.register(app)


def main() -> None:
    """Run the command line."""
    app()
