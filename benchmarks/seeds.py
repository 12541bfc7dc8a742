"""Very many seeds, a share at a time: `python seeds.py [UNTIL [PROCESSES]]` goes on where it stopped.

What was run is kept in results/seeds.json, by the sources of operator and simulator that ran it. Each share has a
digest of the stories of its seeds: whoever runs them again with the same sources, wherever, comes to the same.
"""

import hashlib
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any

from measuring import RESULTS, machine, table

from statefuldb.simulation.faults import KINDS
from statefuldb.simulation.laws.verdict import LIVENESS, NOT_CHECKED, SAFETY
from statefuldb.simulation.runs.campaign import Coverage, run_all
from statefuldb.simulation.runs.run import Result

Json = dict[str, Any]
KEPT = RESULTS / "seeds.json"
SOURCES = "operator"
SHARE, UNTIL, PROCESSES = 250, 100_000, 2
SAID = (
    "Each seed is one run of at least 5 databases on 5 agents with all kinds of faults. A seed counts with the sources "
    "that ran it, which are told by git's name of the tree `operator/`.\n"
)


def main(until: int = UNTIL, processes: int = PROCESSES) -> None:
    """Run share after share, and write each down."""
    sources, commit = _sources()
    while (first := 1 + sum(run["seeds"] for run in _kept())) <= until:
        seeds = range(first, min(first + SHARE, until + 1))
        coverage, measured = _share(seeds, processes)
        runs = _kept()
        mine = next((r for r in runs if r["sources"] == sources), None)
        if mine is None:
            mine = {"sources": sources, "commit": commit, "shares": []}
            runs.append(mine)
        _add(mine, {**coverage, **measured})
        _write(runs)
        print(f"{seeds[-1]} of {until}: {len(mine['broken'])} broken with these sources", flush=True)


def _share(seeds: range, processes: int) -> tuple[Json, Json]:
    coverage, stories = Coverage(), hashlib.sha256()
    began, spent = time.monotonic(), _cpu_seconds()
    for result in _told(run_all(seeds, processes)):
        coverage.add(result)
        stories.update(result.digest.encode())
    wall, cpu = time.monotonic() - began, _cpu_seconds() - spent
    share = {
        "first": seeds[0],
        "last": seeds[-1],
        "digest": stories.hexdigest()[:16],
        "python": platform.python_version(),
        "cpu_seconds": round(cpu),
    }
    return coverage.data(), {"wall_seconds": round(wall), "cpu_seconds": round(cpu), "shares": [share]}


def _told(results: Iterable[Result]) -> Iterable[Result]:
    for result in results:
        if result.verdict.broken is not None:
            print(f"seed {result.seed}: {result.verdict.broken}\n{result.short}", flush=True)
        yield result


def _add(into: Json, more: Json) -> None:
    """Add counts to counts, lists to lists, and tables of either to each other."""
    for name, value in more.items():
        if isinstance(value, dict):
            _add(into.setdefault(name, {}), value)
        elif isinstance(value, str):
            into[name] = value
        else:
            into[name] = into.get(name, type(value)()) + value


def _kept() -> list[Json]:
    return list(json.loads(KEPT.read_text())) if KEPT.exists() else []


def _write(runs: list[Json]) -> None:
    KEPT.write_text(json.dumps(runs, indent=1) + "\n")
    total: Json = {}
    for run in runs:
        _add(total, {name: value for name, value in run.items() if name not in ("sources", "commit", "shares")})
    rows = [
        (
            run["commit"],
            run["sources"][:12],
            _ranges(run["shares"]),
            f"{run['seeds']:,}",
            f"{run['effects']:,}",
            f"{run['cpu_seconds'] / run['seeds']:.2f} s" if run["cpu_seconds"] else "not noted",
            f"{run['wall_seconds'] / 60:.0f} min",
            ", ".join(run["broken"]) or "none",
        )
        for run in runs
    ]
    header = ("commit", "sources", "seeds", "count", "effects", "CPU of a seed", "in all", "broke a law")
    laws = [(law, f"{total['laws'].get(law, 0):,}") for law in (*SAFETY, *LIVENESS)]
    laws += [(law, f"not checked: {why}") for law, why in NOT_CHECKED.items()]
    faults = [(kind, f"{total['faults'].get(kind, 0):,}") for kind in KINDS]
    seen = [(name, f"{count:,}") for name, count in sorted(total["seen"].items())]
    thin = ", ".join(map(str, total["thin"])) or "none"
    parts = [
        f"# Very many seeds\n\n{machine()} Command: `make bench-seeds`.\n",
        SAID,
        table(header, rows),
        f"\nSeeds with less than 200 effects or 3 kinds of faults: {thin}.\n",
        *(table((what, "times"), counts) for what, counts in (("law", laws), ("fault", faults), ("plan", seen))),
    ]
    (RESULTS / "seeds.md").write_text("\n".join(parts))


def _ranges(shares: list[Json]) -> str:
    """Return what was run as ranges without the seams between shares."""
    ranges: list[list[int]] = []
    for share in sorted(shares, key=lambda each: int(each["first"])):
        if ranges and ranges[-1][1] + 1 == share["first"]:
            ranges[-1][1] = share["last"]
        else:
            ranges.append([share["first"], share["last"]])
    return ", ".join(f"{first}-{last}" for first, last in ranges)


def _sources() -> tuple[str, str]:
    """Return git's name of the sources, and the commit. Ends the program where they are not those of the commit."""
    if _git("status", "--porcelain", "--", SOURCES):
        sys.exit(f"{SOURCES}/ has changes that are in no commit: commit them first")
    return _git("rev-parse", f"HEAD:{SOURCES}"), _git("rev-parse", "--short", "HEAD")


def _git(*arguments: str) -> str:
    told = subprocess.run(["git", *arguments], cwd=RESULTS.parent.parent, capture_output=True, text=True, check=True)
    return told.stdout.strip()


def _cpu_seconds() -> float:
    """Return what this process and those that it has begun have used: with one process that is this one."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
