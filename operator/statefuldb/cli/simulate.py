"""`simulate`: the real operator in a simulated world: one seed with its story, or many with what they covered."""

from typing import Annotated

import typer

from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.output import Output, OutputOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    seed: Annotated[int | None, typer.Option("--seed", help="Run this one and tell its story.")] = None,
    details: Annotated[bool, typer.Option("--details", help="With --seed: every request too.")] = False,
    shrunk: Annotated[
        bool, typer.Option("--shrink", help="With --seed: with as few of its faults as break the same law.")
    ] = False,
    seeds: Annotated[int, typer.Option("--seeds", help="How many to run, counted from --first.")] = 20,
    first: Annotated[int, typer.Option("--first", help="The first of many.")] = 1,
    processes: Annotated[int, typer.Option("--processes", help="How many to run side by side.")] = 2,
    every_point: Annotated[
        bool, typer.Option("--every-point", help="Disturb one life of each strategy at every point, one at a time.")
    ] = False,
    every_field: Annotated[
        bool, typer.Option("--every-field", help="Change every field of every manifest, alone and in pairs, and back.")
    ] = False,
    point: Annotated[
        str | None, typer.Option("--point", help="Run the life disturbed there and tell its story.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Run the operator in a simulated world of Mesos, API server, agents, people and faults, and judge it by its laws.

    The same seed is the same run, on every machine. Ends with 1 where a law was broken. Needs no cluster.

    Example: statefuldb simulate --seed 7
    """
    # Imported here: a whole operator and all that it stands on, which no other command needs (see mesos_options).
    from statefuldb.cli import simulating

    if seed is not None:
        held = simulating.one_shrunk(seed, output) if shrunk else simulating.one(seed, output, details=details)
    elif point is not None:
        held = simulating.at_point(point, output, details=details)
    elif every_point:
        held = simulating.every_point(processes, output)
    elif every_field:
        held = simulating.every_field(processes, output)
    else:
        held = simulating.many(range(first, first + seeds), processes, output)
    raise typer.Exit(ExitCode.OK if held else ExitCode.FAILED)
