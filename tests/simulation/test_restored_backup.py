"""The whole API is restored from a backup, as docs/operations.md says: nothing is lost, and all comes to be as wanted.

What was made since is in Mesos only, what was deleted since is wanted again by its object, entries say what was.
"""

from dataclasses import replace

import pytest

from statefuldb.adapters.kubernetes.framework import FrameworkRecord
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.faults import Faults
from statefuldb.simulation.laws.liveness import come_to_rest
from statefuldb.simulation.runs.run import judged, run
from statefuldb.simulation.size import Size, never_turned_away, size_of
from statefuldb.simulation.strikes import RESTORE
from statefuldb.simulation.world import World

SEEDS = (2, 3, 9, 16, 20, 23, 28, 35)
SIZE = Size(agents=5, databases=6, busy_seconds=200.0, pause_seconds=6.0, varied=True, workers=2)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_comes_to_what_is_wanted_where_nothing_else_goes_wrong(seed: int) -> None:
    world, dice = World(seed, SIZE, faulty=False), Dice(~seed)
    with judged(world):
        world.begin()
        world.pass_by(dice.between(15.0, 90.0))
        assert world.restorers.back_up(dice)
        assert not world.restorers.back_up(dice), "one at a time"
        world.pass_by(SIZE.busy_seconds)
        come_to_rest(world)
    broken = world.verdict.broken
    assert broken is None, world.story.short(str(broken))
    assert "restore the API from the backup" in world.story.text()


@pytest.mark.parametrize("seed", [1, 2, 9])
def test_it_meets_all_other_faults(seed: int) -> None:
    result = run(seed, replace(never_turned_away(size_of(seed)), restores=True))
    assert result.verdict.broken is None, result.short
    assert result.faults[RESTORE]
    assert f"fault        {RESTORE}" in result.story


def test_it_happens_in_worlds_that_say_so_and_changes_no_other() -> None:
    sizes = [size_of(seed) for seed in range(1_000)]
    assert 70 <= sum(size.restores for size in sizes) <= 130
    for kinds in (0, 3):
        size = Size(kinds_of_strikes=kinds)
        with_it, without = (Faults(Dice(1), None, replace(size, restores=restores)) for restores in (True, False))
        assert set(with_it._kinds) - set(without._kinds) == {RESTORE}
        assert [kind for kind in with_it._kinds if kind != RESTORE] == without._kinds


@pytest.mark.parametrize(
    ("law", "seeds"), [("sane_requests", (5, 11, 14, 16, 21)), ("no_empty_resurrection", (177, 189, 191, 239))]
)
def test_an_operator_to_whom_nobody_says_it_breaks_laws(
    law: str, seeds: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these seeds has shown it; a change of the operator may move the story of one."""
    monkeypatch.setattr(FrameworkRecord, "_moment", lambda *_: 0)
    worlds = {seed: replace(never_turned_away(size_of(seed)), restores=True) for seed in seeds}
    verdicts = (run(seed, size).verdict.broken for seed, size in worlds.items())
    assert any(broken is not None and broken.law == law for broken in verdicts)
