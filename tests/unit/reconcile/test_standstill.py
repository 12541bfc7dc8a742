"""A step that is accepted and changes nothing is not taken again and again: but ever more rarely."""

from dataclasses import replace
from itertools import pairwise

import pytest

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import Observed
from statefuldb.reconcile.retry import LIMIT_SECONDS
from unit.reconcile.test_workers import Working, key

HOUR_SECONDS = 3600.0


def unheeded() -> Working:
    """A loop for a database to which the finalizer is added, and never shows."""
    working = Working(lambda _: None)
    seen = working.around.observe

    def bare(wanted: DatabaseKey) -> Observed:
        found = seen(wanted)
        assert found.database is not None
        return replace(found, database=replace(found.database, finalizers=()))

    working.around.observe = bare  # type: ignore[method-assign]
    return working


def taken(working: Working, seconds: float, wake_every: float | None = None) -> list[float]:
    """Return when the step of key 0 was taken within so many seconds, woken as often as may be besides."""
    moments: list[float] = []
    working.around.effect = lambda _: moments.append(working.wired.time.now())
    end = working.wired.time.now() + seconds
    working.queue.put(key(0))
    passes = 0
    while working.wired.time.now() < end:
        while (found := working.queue.take(block=False)) is not None:
            working.loop.attempt(found)
            passes += 1
            assert passes < 20 * seconds, "it spins"
        due = working.queue.next_due()
        step = max((due if due is not None else end) - working.wired.time.now(), 0.01)
        working.wired.time.pass_by(min(step, wake_every or step))
        if wake_every:
            working.queue.put(key(0))
    return moments


def test_a_step_without_an_outcome_is_taken_ever_more_rarely() -> None:
    moments = taken(unheeded(), HOUR_SECONDS)
    pauses = [after - before for before, after in pairwise(moments)]
    assert len(moments) < HOUR_SECONDS / LIMIT_SECONDS + 15
    assert all(after >= before - 1e-6 for before, after in pairwise(pauses))
    assert pauses[-1] == pytest.approx(LIMIT_SECONDS)


def test_whoever_wakes_it_meanwhile_does_not_have_it_taken_more_often() -> None:
    moments = taken(unheeded(), 600.0, wake_every=0.5)
    assert len(moments) < 600.0 / LIMIT_SECONDS + 15
    assert moments[-1] > 500.0, "it is tried on"


def test_whatever_is_seen_to_change_has_it_taken_at_once() -> None:
    working = unheeded()
    taken(working, 600.0)
    seen = working.around.observe

    def changed(wanted: DatabaseKey) -> Observed:
        found = seen(wanted)
        assert found.database is not None
        return replace(found, database=replace(found.database, generation=found.database.generation + 1))

    working.around.observe = changed  # type: ignore[method-assign]
    began = working.wired.time.now()
    moments = taken(working, 1.0)
    assert moments[0] == began
    assert len(moments) == 2, "it backs off anew"


def test_what_is_accepted_in_vain_is_said_once_it_is_more_than_a_delay() -> None:
    working = unheeded()
    taken(working, 1.0)
    assert working.around.failures == []
    taken(working, 60.0)
    assert working.around.failures
    assert {text for text in working.around.failures if "nothing has changed" not in text} == set()


def test_a_clock_that_is_set_back_puts_no_step_off_for_as_long() -> None:
    working = unheeded()
    taken(working, 600.0)
    working.wired.time.set_clock(-10 * HOUR_SECONDS)
    moments = taken(working, 2 * LIMIT_SECONDS)
    assert moments
    assert len(moments) < 5, "it is taken no more often for that"
