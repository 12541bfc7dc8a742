"""`simulate`: the real operator in a simulated world: one seed with its story, or many with what they covered."""

import multiprocessing
from typing import Annotated

import typer

from statefuldb.cli.console import errors
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.output import Output, OutputOption, show
from statefuldb.simulation.acto import explore
from statefuldb.simulation.campaign import Coverage, run_all
from statefuldb.simulation.people import STRATEGIES
from statefuldb.simulation.run import run
from statefuldb.simulation.shrink import shrink
from statefuldb.simulation.sieve import Point, disturbed, problem_of, sift, undisturbed


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
    if seed is not None and shrunk:
        _tell_shrunk(seed, output)
    if seed is not None:
        result = run(seed)
        broken = result.verdict.broken
        found = {"seed": seed, "broken": str(broken or ""), "digest": result.digest, "story": result.story.splitlines()}
        told = result.details if details else result.story
        said = f"seed {seed}: {broken or 'all laws held'}; {result.passes} passes, {result.effects} effects"
        show(found, output, lambda _: f"{told}\n{said}, digest {result.digest[:16]}")
        raise typer.Exit(ExitCode.OK if broken is None else ExitCode.FAILED)
    if point is not None:
        _tell_point(point, details, output)
    if every_point:
        sifted = sift(processes=processes)
        for failed, at, problem in sifted.failed:
            errors.print(
                f"{failed} ({at}): {problem}\n  see all of it: statefuldb simulate --point '{failed}'", markup=False
            )
        show(sifted.data(), output, lambda _: sifted.table())
        raise typer.Exit(ExitCode.FAILED if sifted.failed else ExitCode.OK)
    if every_field:
        _explore(processes, output)
    coverage = Coverage()
    for result in run_all(range(first, first + seeds), processes):
        coverage.add(result)
        if result.verdict.broken is not None:
            said = f"seed {result.seed}: {result.verdict.broken}\n{result.short}"
            errors.print(f"{said}\n  see all of it: statefuldb simulate --seed {result.seed} --details", markup=False)
    show(coverage.data(), output, lambda _: coverage.table())
    raise typer.Exit(ExitCode.FAILED if coverage.broken else ExitCode.OK)


def _tell_shrunk(seed: int, output: Output) -> None:
    found = shrink(seed)
    kept = list(found.kept) if found is not None else []
    told = found.story() if found is not None else f"seed {seed}: all laws held, there is nothing to shrink"
    show({"seed": seed, "faults": kept, "story": told.splitlines()}, output, lambda _: told)
    raise typer.Exit(ExitCode.OK if found is None else ExitCode.FAILED)


def _tell_point(text: str, details: bool, output: Output) -> None:
    try:
        point = Point.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--point") from error
    outcome = disturbed(point)
    problem = problem_of(outcome, undisturbed(point.strategy))
    told = outcome.details if details else outcome.story
    found = {"point": text, "at": outcome.at, "problem": problem, "story": told.splitlines()}
    show(
        found, output, lambda _: f"{told}\n{text} ({outcome.at}): {problem or 'all laws held, and it came to the same'}"
    )
    raise typer.Exit(ExitCode.FAILED if problem else ExitCode.OK)


def _explore(processes: int, output: Output) -> None:
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        found = pool.map(explore, STRATEGIES)
    for explored in found:
        for ending in explored.failed:
            errors.print(
                f"{explored.strategy}, {ending.change}: {ending.how}: {ending.why}: {ending.problem}", markup=False
            )
    listed = [
        {"strategy": explored.strategy, "change": str(e.change), "ending": e.how, "why": e.why, "problem": e.problem}
        for explored in found
        for e in explored.endings
    ]
    show(listed, output, lambda _: "\n".join(explored.table() for explored in found))
    raise typer.Exit(ExitCode.FAILED if any(explored.failed for explored in found) else ExitCode.OK)
