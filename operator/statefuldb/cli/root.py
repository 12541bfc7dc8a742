"""The root command: what is common to all, and the list of what there is."""

from typing import Annotated

import typer

from statefuldb.cli import (
    databases,
    describing,
    doctor,
    getting,
    inspect,
    journal,
    local,
    logs,
    operating,
    restarting,
    simulate,
    syncing,
    uninstall,
    volumes,
    waiting,
)
from statefuldb.cli.refusals import Commands
from statefuldb.cli.session import DEFAULT_STATE_DIR, KUBECONFIG_VARIABLE, STATE_VARIABLE, Session

app = typer.Typer(
    name="statefuldb",
    no_args_is_help=True,
    add_completion=True,
    cls=Commands,
    rich_markup_mode="markdown",
    help="Databases on Apache Mesos that never lose data.",
    epilog="Examples:  statefuldb up  |  statefuldb apply -f db.yaml  |  statefuldb explain db  |  statefuldb sql db",
    pretty_exceptions_show_locals=False,
)


@app.callback()
def root(
    context: typer.Context,
    kubeconfig: Annotated[str, typer.Option(envvar=KUBECONFIG_VARIABLE, help="Which API server to talk to.")] = "",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Namespace; without it the kubeconfig's, or default.")
    ] = "",
    state_dir: Annotated[
        str, typer.Option(envvar=STATE_VARIABLE, help="State of the embedded cluster.")
    ] = DEFAULT_STATE_DIR,
) -> None:
    """Databases on Apache Mesos that never lose data."""
    context.obj = Session(kubeconfig=kubeconfig, namespace=namespace, state_dir=state_dir)


ROOMS = (
    *(local, databases, getting, describing, waiting, restarting),
    *(inspect, logs, journal, volumes, syncing, doctor, operating, simulate, uninstall),
)
for room in ROOMS:
    room.register(app)


def main() -> None:
    """Run the command line."""
    app()
