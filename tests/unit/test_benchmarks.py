"""The planner's benchmark measures what it says: a change of the planner must not make it measure something else."""

from pathlib import Path

import pytest

from statefuldb.reconcile.decide import decide
from unit.planning.world import OPERATOR

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_what_is_measured_is_decided_as_its_name_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import planner

    for name, seen, offers, kinds in planner.cases():
        assert tuple(map(type, decide(seen, offers, OPERATOR).actions)) == kinds, name
