"""What stays is spared by the garbage collector, and looked at again once a day."""

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest

from statefuldb.adapters.garbage_collection import ROUNDS_BETWEEN_WHOLE, SPARE_SECONDS, spare_what_stays


class Ring:
    """Something that only a collection frees."""

    def __init__(self) -> None:
        self.me = self


class Timers:
    """A machine that makes one call after the other when told to."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], object]]] = []

    def after(self, seconds: float, call: Callable[[], object]) -> Callable[[], None]:
        self.due.append((seconds, call))
        return lambda: None

    def next(self) -> float:
        seconds, call = self.due.pop(0)
        call()
        return seconds


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave the collector as it was."""
    yield
    gc.unfreeze()


def test_what_stays_is_spared_and_a_ring_among_it_is_freed_within_a_day() -> None:
    machine = Timers()
    kept = Ring()
    seen = weakref.ref(kept)
    spare_what_stays(machine)  # type: ignore[arg-type]
    del kept
    gc.collect()
    assert seen() is not None
    rounds, passed = 0, 0.0
    while seen() is not None:
        passed += machine.next()
        rounds += 1
        assert rounds <= ROUNDS_BETWEEN_WHOLE
    assert passed <= SPARE_SECONDS * ROUNDS_BETWEEN_WHOLE
    assert len(machine.due) == 1


def test_what_came_meanwhile_is_spared_from_the_next_time_on() -> None:
    machine = Timers()
    spare_what_stays(machine)  # type: ignore[arg-type]
    before = gc.get_freeze_count()
    kept = [Ring() for _ in range(1000)]
    machine.next()
    assert gc.get_freeze_count() >= before + len(kept)
