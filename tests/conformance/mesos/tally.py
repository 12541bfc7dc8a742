"""What a run has shown: assertions on each master, exchanges that were alike, what was not run, and why."""

from collections import Counter
from typing import Any

ASSERTED, ALIKE = "assertions held", "steps alike"
OURS = (ASSERTED, ALIKE)


def lines(reports: list[Any]) -> list[str]:
    """Return the table of one test run out of all its reports; empty where the suite did not run."""
    held: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    exchanges = steps = 0
    skipped: Counter[str] = Counter()
    for report in reports:
        if "conformance/mesos/" not in getattr(report, "nodeid", "") or not hasattr(report, "when"):
            continue
        if report.skipped:
            skipped[f"{name_of(report.nodeid)}: {reason_of(report)}"] += 1
        if report.when != "call":
            continue
        mine = Counter(row for title, row in report.user_properties if title == ASSERTED)
        held.update(mine)
        passed.update(set(mine) if report.passed else ())
        alike = [row for title, row in report.user_properties if title == ALIKE]
        exchanges, steps = exchanges + len(alike), steps + sum(alike)
    rows = [f"{name}: {count} assertions held in {passed[name]} tests" for name, count in sorted(held.items())]
    if exchanges:
        rows.append(f"the same on both: {exchanges} exchanges, {steps} calls and events, normalised")
    return rows + [f"not run: {name}" for name in sorted(skipped)]


def name_of(nodeid: str) -> str:
    return nodeid.split("conformance/mesos/")[-1]


def reason_of(report: Any) -> str:
    where = report.longrepr
    return str(where[2] if isinstance(where, tuple) else where).removeprefix("Skipped: ")
