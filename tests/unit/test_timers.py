"""Calls that are made after a while by the real machine: on few threads, however many they are."""

import logging
import threading
from collections.abc import Callable

import pytest

from statefuldb.adapters.machine import RealMachine, TimerThreads

# More than any of these tests takes: whoever waits for that long has missed what it waited for.
PATIENCE_SECONDS = 30.0
LATER_SECONDS = 3600.0


def made(timers: TimerThreads, seconds: float) -> threading.Event:
    """Return what is set once the call is made."""
    event = threading.Event()
    timers.after(seconds, event.set)
    return event


def test_thousands_that_wait_take_few_threads() -> None:
    timers = TimerThreads(limit=3)
    before = threading.active_count()
    cancels = [timers.after(LATER_SECONDS, lambda: None) for _ in range(2000)]
    events = [made(timers, 0.01) for _ in range(2000)]
    assert threading.active_count() - before <= 3
    assert all(event.wait(PATIENCE_SECONDS) for event in events)
    for cancel in cancels:
        cancel()


def test_all_real_machines_are_one() -> None:
    before = threading.active_count()
    for _ in range(100):
        RealMachine().after(LATER_SECONDS, lambda: None)()
    assert threading.active_count() - before < 20


def test_what_is_due_first_is_made_first_whenever_it_was_asked_for() -> None:
    timers, order = TimerThreads(limit=1), list[str]()
    last = threading.Event()
    timers.after(LATER_SECONDS, lambda: order.append("never"))
    timers.after(0.1, lambda: order.append("second"))
    timers.after(0.05, lambda: order.append("first"))
    timers.after(0.15, last.set)
    assert last.wait(PATIENCE_SECONDS)
    assert order == ["first", "second"]


def test_each_is_made_in_time_while_others_are_made() -> None:
    """Whoever makes a call no longer waits for the next one: of those that do, one must know when that is due."""
    timers, end = TimerThreads(limit=4), threading.Event()
    for _ in range(4):
        timers.after(LATER_SECONDS, lambda: None)
    begun = [threading.Event() for _ in range(3)]
    for number in (2, 1, 0):
        timers.after(0.05 * (number + 1), _until(begun[number], end))
    assert all(event.wait(PATIENCE_SECONDS) for event in begun)
    assert made(timers, 0.01).wait(PATIENCE_SECONDS)
    end.set()


def _until(begun: threading.Event, end: threading.Event) -> Callable[[], None]:
    def call() -> None:
        begun.set()
        end.wait(PATIENCE_SECONDS)

    return call


def test_what_was_cancelled_is_not_made_and_not_kept() -> None:
    timers, calls = TimerThreads(limit=1), list[int]()
    cancel = timers.after(0.05, lambda: calls.append(1))
    cancel()
    cancel()
    assert made(timers, 0.1).wait(PATIENCE_SECONDS)
    assert calls == []


def test_a_call_that_fails_is_told_of_and_the_others_are_made(caplog: pytest.LogCaptureFixture) -> None:
    timers = TimerThreads(limit=1)

    def fail() -> None:
        raise ValueError("a mistake")

    with caplog.at_level(logging.ERROR):
        timers.after(0.0, fail)
        assert made(timers, 0.01).wait(PATIENCE_SECONDS)
    assert "a mistake" in caplog.text


def test_where_no_further_thread_can_be_had_those_that_run_make_all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    timers = TimerThreads(limit=4)
    timers.after(LATER_SECONDS, lambda: None)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    events = [made(timers, 0.01) for _ in range(100)]
    assert all(event.wait(PATIENCE_SECONDS) for event in events)
    with pytest.raises(RuntimeError):
        TimerThreads().after(0.0, lambda: None)
