"""A failing run is had again with as few of its faults as it takes."""

from collections.abc import Sequence

import pytest

from statefuldb.adapters.mesos.adapter import MesosAdapter
from statefuldb.simulation.runs.run import run
from statefuldb.simulation.runs.shrink import minimise, shrink
from statefuldb.simulation.size import Size

SMALL = Size(agents=3, databases=3, busy_seconds=60.0, pause_seconds=5.0)
LINES = 30


@pytest.mark.parametrize("guilty", [(), (3,), (0, 7), (1, 2, 9), tuple(range(10))])
def test_what_is_left_is_what_it_takes(guilty: tuple[int, ...]) -> None:
    names = [f"fault {number}" for number in range(10)]
    wanted = {names[number] for number in guilty}
    failed: list[str] = []

    def still_fails(kept: Sequence[str]) -> bool:
        if wanted <= set(kept):
            failed[:] = kept
            return True
        return False

    assert set(minimise(names, still_fails, lambda: failed)) == wanted


def test_with_all_its_faults_kept_a_run_is_the_same() -> None:
    whole = run(3, SMALL)
    assert len(whole.fired) > 5
    assert run(3, SMALL, kept=frozenset(whole.fired)).digest == whole.digest
    assert run(3, SMALL, kept=frozenset()).fired == []


def test_what_breaks_without_any_fault_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MesosAdapter, "revive", lambda _: None)
    found = shrink(2, SMALL)
    assert found is not None
    assert found.kept == ()
    assert found.result.verdict.broken is not None
    assert found.result.verdict.broken.law == "eventually_stable"
    assert len(found.story().splitlines()) < LINES + 5
