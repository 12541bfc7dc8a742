"""A failing run with as few faults as it takes: its list of faults is bisected (Zeller, Hildebrandt: ddmin, 2002)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from statefuldb.simulation.runs.run import Result, run
from statefuldb.simulation.size import Size

RUNS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """What is left: `kept` are the names of the faults without any of which the law would hold."""

    kept: tuple[str, ...]
    result: Result
    runs: int

    def story(self) -> str:
        """Return what people read: the faults, then what led to the breach."""
        faults = self.kept or ("none: no fault is needed",)
        broken = self.result.verdict.broken
        return "\n".join((*(f"fault  {name}" for name in faults), "", self.result.short, f"law    {broken}"))


def shrink(seed: int, size: Size | None = None, *, runs: int = RUNS) -> Shrunk | None:
    """Return a seed's run with as few of its faults as break the same law, after at most so many runs.

    None where the seed breaks no law. Where the runs do not suffice, the best that was found is returned.
    """
    whole = run(seed, size)
    if whole.verdict.broken is None:
        return None
    law, made = whole.verdict.broken.law, 0
    best = whole

    def still_fails(names: Sequence[str]) -> bool:
        nonlocal made, best
        if made >= runs:
            return False
        made += 1
        found = run(seed, size, kept=frozenset(names))
        fails = found.verdict.broken is not None and found.verdict.broken.law == law
        if fails:
            best = found
        return fails

    # Of those asked for, only what fired before the breach has a part in it.
    minimise(whole.fired, still_fails, lambda: best.fired)
    return Shrunk(kept=tuple(best.fired), result=best, runs=made)


def minimise(
    names: Sequence[str], still_fails: Callable[[Sequence[str]], bool], fired: Callable[[], Sequence[str]]
) -> Sequence[str]:
    """Return a part of `names` that fails, and of which no single name can be left out.

    `fired` tells which names had a part in the last failure: the others are left out at once.
    """
    if still_fails(()):
        return ()
    pieces = 2
    while len(names) > 1:
        length = -(-len(names) // pieces)
        parts = [names[start : start + length] for start in range(0, len(names), length)]
        rests = [[name for name in names if name not in part] for part in parts]
        smaller = next((one for one in (*parts, *rests) if len(one) < len(names) and still_fails(one)), None)
        if smaller is not None:
            names, pieces = list(fired()), 2
        elif length == 1:
            return names
        else:
            pieces = min(len(names), 2 * pieces)
    return names
