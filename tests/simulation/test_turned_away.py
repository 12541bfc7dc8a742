"""The API turns the operator away: it has lost its rights, or a kind is not served to it, for a while.

As where a role is put right, a definition changed, or what stands before the API server answers in its place.
"""

from collections.abc import Hashable
from dataclasses import replace

import pytest

from statefuldb.adapters.kubernetes.noticing import Noticing
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.faults import Faults
from statefuldb.simulation.runs.run import run
from statefuldb.simulation.size import Size, size_of
from statefuldb.simulation.strikes import TURNED_AWAY

# 9, 21: an operator began while its ledger was not served, took it for empty, and acknowledged the end of a task that
# no entry had. 60, 64, 66 and 77 were alike.
SEEDS = (9, 21, 60)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_believes_nothing_of_what_it_may_not_see(seed: int) -> None:
    result = run(seed, replace(size_of(seed), turns_away=True))
    assert result.verdict.broken is None, result.short
    assert result.faults[TURNED_AWAY]
    assert f"fault        {TURNED_AWAY}" in result.story


def test_it_happens_in_worlds_that_say_so_and_changes_no_other() -> None:
    sizes = [size_of(seed) for seed in range(1_000)]
    assert 70 <= sum(size.turns_away for size in sizes) <= 130
    for kinds in (0, 3):
        size = Size(kinds_of_strikes=kinds)
        with_it, without = (Faults(Dice(1), None, replace(size, turns_away=turned)) for turned in (True, False))
        assert set(with_it._kinds) - set(without._kinds) == {TURNED_AWAY}
        assert [kind for kind in with_it._kinds if kind != TURNED_AWAY] == without._kinds


def test_an_operator_that_takes_what_is_not_served_for_deleted_breaks_a_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these seeds has shown it; a change of the operator may move the story of one."""

    def believes(self: Noticing, plural: str, changed: set[Hashable]) -> None:
        self._caches[plural].replace_all(*self._objects[plural].list(), changed)

    monkeypatch.setattr(Noticing, "_compare", believes)
    verdicts = (run(seed, replace(size_of(seed), turns_away=True)).verdict.broken for seed in (60, 66, 43, 76, 86))
    assert any(broken is not None and broken.law == "sane_requests" for broken in verdicts)
