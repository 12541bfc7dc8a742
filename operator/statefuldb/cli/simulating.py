"""What `simulate` runs and tells. Each function returns whether all laws held."""

import multiprocessing

import typer

from statefuldb.cli.console import errors
from statefuldb.cli.output import Output, show
from statefuldb.cli.progress import Progress
from statefuldb.simulation.actors.people import STRATEGIES
from statefuldb.simulation.runs.acto import explore
from statefuldb.simulation.runs.campaign import Coverage, run_all
from statefuldb.simulation.runs.run import run
from statefuldb.simulation.runs.shrink import shrink
from statefuldb.simulation.runs.sieve import Point, disturbed, problem_of, sift, undisturbed

TOLD_EACH = 100


def one(seed: int, output: Output, *, details: bool) -> bool:
    """Run one seed and tell its story, with `details` every request too."""
    result = run(seed)
    broken = result.verdict.broken
    found = {"seed": seed, "broken": str(broken or ""), "digest": result.digest, "story": result.story.splitlines()}
    told = result.details if details else result.story
    said = f"seed {seed}: {broken or 'all laws held'}; {result.passes} passes, {result.effects} effects"
    show(found, output, lambda _: f"{told}\n{said}, digest {result.digest[:16]}")
    return broken is None


def one_shrunk(seed: int, output: Output) -> bool:
    """Run one seed with ever fewer of its faults, and tell the shortest story that breaks the same law."""
    found = shrink(seed)
    kept = list(found.kept) if found is not None else []
    told = found.story() if found is not None else f"seed {seed}: all laws held, there is nothing to shrink"
    show({"seed": seed, "faults": kept, "story": told.splitlines()}, output, lambda _: told)
    return found is None


def at_point(text: str, output: Output, *, details: bool) -> bool:
    """Run the life that is disturbed at one point and tell its story. Raises BadParameter where there is no such."""
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
    return not problem


def every_point(processes: int, output: Output) -> bool:
    """Disturb one life of each strategy at every point, and tell which were not borne."""
    sifted = sift(processes=processes)
    for failed, at, problem in sifted.failed:
        errors.print(f"{failed} ({at}): {problem}\n  see all of it: statefuldb simulate --point '{failed}'")
    show(sifted.data(), output, lambda _: sifted.table())
    return not sifted.failed


def every_field(processes: int, output: Output) -> bool:
    """Change every field of every manifest, and tell how each change ended."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        found = pool.map(explore, STRATEGIES)
    for explored in found:
        for ending in explored.failed:
            errors.print(f"{explored.strategy}, {ending.change}: {ending.how}: {ending.why}: {ending.problem}")
    listed = [
        {"strategy": explored.strategy, "change": str(e.change), "ending": e.how, "why": e.why, "problem": e.problem}
        for explored in found
        for e in explored.endings
    ]
    show(listed, output, lambda _: "\n".join(explored.table() for explored in found))
    return not any(explored.failed for explored in found)


def many(seeds: range, processes: int, output: Output) -> bool:
    """Run many seeds and tell what they covered, and the story of each that broke a law."""
    coverage = Coverage()
    with Progress("the first seeds are run") as progress:
        for result in run_all(seeds, processes):
            coverage.add(result)
            if result.verdict.broken is not None:
                said = f"seed {result.seed}: {result.verdict.broken}\n{result.short}"
                told = f"{said}\n  see all of it: statefuldb simulate --seed {result.seed} --details"
                errors.print(told)
            so_far = f"{coverage.seeds} of {len(seeds)} seeds, {len(coverage.broken)} broken"
            (progress.say if coverage.seeds % TOLD_EACH == 0 else progress.say_live)(so_far)
    show(coverage.data(), output, lambda _: coverage.table())
    return not coverage.broken
