"""What every benchmark says beside its numbers, and how they are written down."""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
MEBIBYTE = 1024 * 1024
NOTES = "\n## Notes\n"


def median_seconds(work: Callable[[], object], rounds: int = 5) -> float:
    """Return the median CPU time that `work` takes, of `rounds` after one that is not counted."""
    work()
    return statistics.median(seconds(work) for _ in range(rounds))


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of this process that `work` takes: what waits for other work on the machine is not in it."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest of `values` that at least `percent` of them do not exceed."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines) + "\n"


def write(name: str, title: str, parts: Sequence[str]) -> None:
    """Write `results/<name>.md`: the title, the machine, the commit and the command, then `parts`. Print it too.

    What people have written there stays: all from the line `## Notes` on.
    """
    text = "\n".join([f"# {title}\n", f"{machine()} {commit()}Command: `make bench-{name}`.\n", *parts])
    RESULTS.mkdir(exist_ok=True)
    results = RESULTS / f"{name}.md"
    _, heading, notes = results.read_text().partition(NOTES) if results.exists() else ("", "", "")
    results.write_text(f"{text.rstrip()}\n{heading}{notes}")
    sys.stdout.write(text)


def machine() -> str:
    """Return the facts of this machine that numbers depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0))
    load = f"load {os.getloadavg()[1]:.0f}"
    python = platform.python_version()
    return f"Machine: {cores} cores, {memory / 1024**3:.0f} GiB of memory, {load}, Python {python}, Linux."


def commit() -> str:
    """Return a sentence with the commit that is measured, empty where this is no checkout, or there is no git."""
    if shutil.which("git") is None:
        return ""
    command = ["git", "rev-parse", "--short", "HEAD"]
    told = subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True, check=False).stdout.strip()
    return f"Commit: {told}. " if told else ""
