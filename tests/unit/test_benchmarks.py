"""The planner's benchmark measures what it says: a change of the planner must not make it measure something else."""

from pathlib import Path

import pytest

from statefuldb.reconcile.decide import decide
from unit.planning.world import OPERATOR

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_what_people_wrote_beside_results_outlives_the_next_measurement(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import measuring

    monkeypatch.setattr(measuring, "RESULTS", tmp_path)
    results = tmp_path / "speed.md"
    measuring.write("speed", "Speed", ["first\n"])
    results.write_text(results.read_text() + measuring.NOTES + "\nWhy it is so.\n")
    measuring.write("speed", "Speed", ["second\n"])
    assert "first" not in results.read_text()
    assert "second" in results.read_text()
    assert results.read_text().endswith("\n## Notes\n\nWhy it is so.\n")


def test_what_is_measured_is_decided_as_its_name_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import planner

    for name, seen, offers, kinds in planner.cases():
        assert tuple(map(type, decide(seen, offers, OPERATOR).actions)) == kinds, name
