"""What is done again and again goes on after a failure, sooner where that is wanted, and ends when it is told to."""

import threading
from typing import Any, cast

import pytest

from statefuldb.adapters.kubernetes.periodic import Periodic
from statefuldb.reconcile.ports import EffectFailed
from unit.mesos.adapter import Standing


def test_it_is_done_each_time_until_it_is_stopped() -> None:
    time, done = Standing(), list[float]()
    each = Periodic(cast("Any", time), 300.0, lambda: done.append(time.now()))
    each.within(5.0)
    time.pass_by(700.0)
    assert done == [1_005.0, 1_305.0, 1_605.0]
    each.stop()
    each.within(5.0)
    time.pass_by(700.0)
    assert len(done) == 3


def test_what_is_stopped_while_it_is_done_is_not_done_again() -> None:
    time, done = Standing(), list[float]()

    def do() -> None:
        done.append(time.now())
        each.stop()

    each = Periodic(cast("Any", time), 300.0, do)
    each.within(5.0)
    time.pass_by(1_000.0)
    assert done == [1_005.0]


def test_what_failed_though_it_was_wanted_soon_is_done_again_as_soon() -> None:
    """A watch begins anew where an API server was started again, which may not serve everything yet."""
    time, done, away = Standing(), list[float](), [True]

    def do() -> None:
        done.append(time.now())
        if away[0]:
            raise EffectFailed("the API server is away")

    each = Periodic(cast("Any", time), 300.0, do)
    each.within(5.0)
    time.pass_by(11.0)
    assert done == [1_005.0, 1_010.0]
    away[0] = False
    time.pass_by(310.0)
    assert done == [1_005.0, 1_010.0, 1_015.0, 1_315.0]
    away[0] = True
    time.pass_by(600.0)
    assert done[4:] == [1_615.0, 1_915.0]


def test_it_can_be_wanted_sooner_by_any_number_of_wishes_also_while_it_is_done() -> None:
    time, done = Standing(), list[float]()

    def do() -> None:
        done.append(time.now())
        if len(done) == 1:
            each.within(5.0)

    each = Periodic(cast("Any", time), 300.0, do)
    each.within(15.0)
    time.pass_by(14.0)
    each.within(5.0)
    time.pass_by(400.0)
    assert done == [1_015.0, 1_020.0, 1_320.0]


def test_it_is_never_done_twice_at_once() -> None:
    """A list of a large fleet takes longer than the next wish is away."""
    begun, go_on = threading.Event(), threading.Event()
    timers: list[threading.Thread] = []

    class Threads:
        def after(self, _: float, call: Any) -> Any:
            timers.append(threading.Thread(target=call, daemon=True))
            return lambda: None

    def do() -> None:
        assert not begun.is_set(), "twice at once"
        begun.set()
        go_on.wait(10.0)
        begun.clear()

    each = Periodic(cast("Any", Threads()), 300.0, do)
    each.within(5.0)
    (first,) = timers
    first.start()
    assert begun.wait(10.0)
    each.within(5.0)
    each.within(5.0)
    assert len(timers) == 1
    go_on.set()
    first.join()
    assert len(timers) == 2


def test_a_timer_that_cannot_be_had_does_not_end_it_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    time, done = Standing(), list[float]()
    each = Periodic(cast("Any", time), 300.0, lambda: done.append(time.now()))

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(time, "after", refuse)
        with pytest.raises(RuntimeError):
            each.within(5.0)
    each.within(5.0)
    time.pass_by(10.0)
    assert done
