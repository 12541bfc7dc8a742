"""Runs of the simulator: that they are the same each time, and that the laws hold in a fixed share of seeds."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from statefuldb.simulation.faults import KINDS
from statefuldb.simulation.laws.verdict import LIVENESS, SAFETY
from statefuldb.simulation.runs.campaign import Coverage, run_all
from statefuldb.simulation.runs.run import run
from statefuldb.simulation.size import LEAST, MOST, size_of

SHARE = range(1, 7)
DIGEST = "from statefuldb.simulation.runs.run import run; print(run(3).digest)"


def test_a_seed_is_the_same_run_whatever_order_python_hashes_in() -> None:
    def digest(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert digest("1") == digest("2")


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    found = Coverage()
    for result in run_all(SHARE, processes=1):
        found.add(result)
    return found


def test_the_laws_hold(coverage: Coverage) -> None:
    told = [f"seed {r.seed}: {r.verdict.broken}\n{r.story}" for r in coverage.broken]
    assert not told, "\n\n".join(told)


def test_no_law_holds_because_nothing_tried_it(coverage: Coverage) -> None:
    untried = [law for law in (*SAFETY, *LIVENESS) if not coverage.laws[law]]
    assert untried == []


def test_people_do_what_people_do(coverage: Coverage) -> None:
    wanted = {"Paused", "StoppedAsAsked", "ApprovalRequired", "Maintenance", "InvalidSpec"}
    assert [reason for reason in sorted(wanted) if not coverage.seen.get(f"reason {reason}")] == []


def test_runs_are_not_idle(coverage: Coverage) -> None:
    assert coverage.effects > 200 * len(SHARE)
    assert len([kind for kind in KINDS if coverage.faults[kind]]) >= 15


def test_no_run_is_too_thin_to_count(coverage: Coverage) -> None:
    assert coverage.thin == []
    sizes = [size_of(seed) for seed in range(2_000)]
    assert (LEAST, MOST) == (5, 50)
    for counts in ([size.databases for size in sizes], [size.agents for size in sizes]):
        assert min(counts) == LEAST
        assert 45 <= max(counts) <= MOST
    one = replace(run(1), seed=77, faults={"disk full": 1})
    coverage = Coverage()
    coverage.add(one)
    assert coverage.thin == [77]
    assert "34; never fired: " in coverage.table()


def test_another_seed_is_another_run() -> None:
    assert run(1).digest != run(2).digest
