"""Many seeds: run side by side, and what they covered together."""

import gc
import multiprocessing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from statefuldb.model.actions import Action
from statefuldb.model.conditions import Reason
from statefuldb.simulation.faults import KINDS
from statefuldb.simulation.laws.verdict import LIVENESS, NOT_CHECKED, SAFETY
from statefuldb.simulation.runs.run import Result, run

# A run that does less than this is no evidence.
LEAST_EFFECTS, LEAST_FAULTS = 200, 3
ACTIONS = tuple(sorted(action.__name__ for action in Action.__args__))


def run_all(seeds: Iterable[int], processes: int) -> Iterator[Result]:
    """Run seeds on so many processes; yield the results in the order of the seeds."""
    if processes == 1:
        yield from map(run, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes, initializer=_collect_seldom) as pool:
        yield from pool.imap(run, seeds)


def _collect_seldom() -> None:
    """Have this process look for rings of garbage once a world or so: within one there are few, and looking is dear."""
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)


@dataclass(slots=True)
class Coverage:
    """What runs did, added up."""

    seeds: int = 0
    broken: list[Result] = field(default_factory=list)
    laws: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    thin: list[int] = field(default_factory=list)
    passes: int = 0
    effects: int = 0

    def add(self, result: Result) -> None:
        """Take in one run."""
        self.seeds += 1
        self.passes += result.passes
        self.effects += result.effects
        if result.effects < LEAST_EFFECTS or len([kind for kind in KINDS if result.faults.get(kind)]) < LEAST_FAULTS:
            self.thin.append(result.seed)
        if result.verdict.broken is not None:
            self.broken.append(result)
        for into, counts in (
            (self.laws, result.verdict.tried),
            (self.seen, result.seen),
            (self.faults, result.faults),
        ):
            for name, count in counts.items():
                into[name] = into.get(name, 0) + count

    def data(self) -> dict[str, object]:
        """Return what programs read."""
        broken = {str(result.seed): str(result.verdict.broken) for result in self.broken}
        counts = {"laws": self.laws, "faults": self.faults, "seen": self.seen}
        runs = {"seeds": self.seeds, "passes": self.passes, "effects": self.effects, "thin": self.thin}
        return {**runs, "broken": broken, **counts}

    def table(self) -> str:
        """Return the table that people read: what was never tried is no evidence."""
        reasons = [str(reason) for reason in Reason]
        seen_actions = [a for a in ACTIONS if f"action {a}" in self.seen]
        seen_reasons = [r for r in reasons if f"reason {r}" in self.seen]
        fired = [kind for kind in KINDS if self.faults.get(kind)]
        lines = [f"{self.seeds} seeds, {self.passes} passes, {self.effects} effects, {len(self.broken)} broken"]
        thin = ", ".join(map(str, self.thin)) or "none"
        lines += [f"seeds with fewer than {LEAST_EFFECTS} effects or {LEAST_FAULTS} kinds of faults: {thin}", ""]
        lines += _block("law", "tried", {law: self.laws.get(law, 0) for law in (*SAFETY, *LIVENESS)})
        lines += [f"  {law:<28} not checked: {why}" for law, why in NOT_CHECKED.items()]
        lines += ["", *_block("fault", "fired", {kind: self.faults.get(kind, 0) for kind in KINDS})]
        lines += [f"kinds of faults {len(fired)} of {len(KINDS)}; never fired: {_rest(KINDS, fired)}"]
        lines += ["", f"actions {len(seen_actions)} of {len(ACTIONS)}; not seen: {_rest(ACTIONS, seen_actions)}"]
        lines += [f"reasons {len(seen_reasons)} of {len(reasons)}; not seen: {_rest(reasons, seen_reasons)}"]
        return "\n".join(lines)


def _block(name: str, count: str, rows: dict[str, int]) -> list[str]:
    return [f"  {name:<28} {count}", *(f"  {row:<28} {n}" for row, n in rows.items())]


def _rest(all_of: Iterable[str], seen: list[str]) -> str:
    return ", ".join(each for each in all_of if each not in seen) or "none"
