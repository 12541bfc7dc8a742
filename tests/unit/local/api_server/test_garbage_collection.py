"""What is stored is spared by the garbage collector from the next minute on, and looked at again once a day."""

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from statefuldb.local.api_server.serving.garbage_collection import ROUNDS_BETWEEN_WHOLE, spare_what_stays


class Ring:
    """Something that only a collection frees."""

    def __init__(self) -> None:
        self.me = self


class Loop:
    """An event loop's timer, which is due when the test says so."""

    def __init__(self) -> None:
        self.next: Callable[[], object] = lambda: None

    def call_later(self, seconds: float, call: Callable[..., object], *arguments: Any) -> None:
        assert seconds > 0
        self.next = lambda: call(*arguments)


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave the collector as it was."""
    yield
    gc.unfreeze()


def test_what_came_is_spared_and_a_ring_among_it_is_freed_within_a_day() -> None:
    loop = Loop()
    spare_what_stays(loop.call_later)
    kept = [Ring() for _ in range(1000)]
    seen = weakref.ref(kept[0])
    before = gc.get_freeze_count()
    loop.next()
    assert gc.get_freeze_count() >= before + len(kept)
    kept.clear()
    gc.collect()
    assert seen() is not None
    for _ in range(ROUNDS_BETWEEN_WHOLE):
        loop.next()
    assert seen() is None
