"""One stream after another, while other threads make calls and take events up."""

import http.client
import threading
from collections.abc import Callable
from typing import Any

import pytest

from integration.mesos_driver.conftest import Setup
from integration.mesos_driver.scripted_master import Stream
from integration.mesos_driver.test_driver_repairs import stay
from statefuldb.adapters.mesos.calls import CallFailed
from statefuldb.adapters.mesos.driver import Driver, Event
from statefuldb.adapters.mesos.transport import Transport

PATIENCE_SECONDS = 20.0


class Streams:
    """A master whose first stream ends when it is told to; the second tells of offers, and stays."""

    def __init__(self, setup: Setup, on_event: Callable[[Event], None]) -> None:
        self.end, self.second = threading.Event(), threading.Event()
        self.master = setup.master(self._script)
        self.driver = setup.driver(self.master.address, on_event)
        read, self.read = self.driver._take, threading.Event()

        def taking(event: Event, stream_id: str) -> bool:
            goes_on = read(event, stream_id)
            if event["type"] == "OFFERS":
                self.read.set()
            return goes_on

        self.driver._take = taking  # type: ignore[method-assign]

    def _script(self, stream: Stream) -> None:
        stream.subscribed()
        if stream.number == 1:
            assert self.end.wait(PATIENCE_SECONDS)
            return
        stream.say({"type": "OFFERS", "offers": {"offers": []}})
        if self.second.wait(PATIENCE_SECONDS):
            stream.say({"type": "HEARTBEAT"})
        stream.ended.wait(PATIENCE_SECONDS)


def test_no_call_leaves_under_a_subscription_before_all_that_was_told_earlier_is_taken_up(setup: Setup) -> None:
    """A call that was decided on by an earlier master's word would reach the next one, which knows nothing of it."""
    slow, goes_on, offered = threading.Event(), threading.Event(), threading.Event()

    def consume(event: Event) -> None:
        if event["type"] == "SUBSCRIBED" and not slow.is_set():
            slow.set()
            assert goes_on.wait(PATIENCE_SECONDS)
        if event["type"] == "OFFERS":
            offered.set()

    streams = Streams(setup, consume)
    assert slow.wait(PATIENCE_SECONDS)
    streams.end.set()
    assert streams.read.wait(PATIENCE_SECONDS)
    with pytest.raises(CallFailed, match="not subscribed"):
        streams.driver.kill("t", "a", 1.0)
    goes_on.set()
    assert offered.wait(PATIENCE_SECONDS)
    streams.driver.kill("t", "a", 1.0)
    ((_, headers),) = [call for call in streams.master.calls if call[0]["type"] == "KILL"]
    assert headers["Mesos-Stream-Id"] == "stream-2"


def test_a_call_that_fails_late_does_not_end_the_next_stream(setup: Setup) -> None:
    known, beat = threading.Event(), threading.Event()

    def consume(event: Event) -> None:
        {"SUBSCRIBED": known, "HEARTBEAT": beat}.get(event["type"], threading.Event()).set()

    streams = Streams(setup, consume)
    assert known.wait(PATIENCE_SECONDS)
    first = streams.driver.stream_id
    streams.end.set()
    assert streams.read.wait(PATIENCE_SECONDS)
    streams.driver.resubscribe(first)
    streams.second.set()
    assert beat.wait(PATIENCE_SECONDS)
    assert len(streams.master.subscriptions) == 2


class Slow(Transport):
    """Calls `meanwhile` while the first connection is being opened."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], None]] = []

    def connection(self, address: str, timeout_seconds: float) -> http.client.HTTPConnection:
        made = super().connection(address, timeout_seconds)
        connect: Callable[[], None] = made.connect
        calls, self.meanwhile = self.meanwhile, []

        def connect_slowly() -> None:
            for call in calls:
                call()
            connect()

        made.connect = connect_slowly  # type: ignore[method-assign]
        return made


def opening(setup: Setup, address: str, meanwhile: Callable[[Driver], Callable[[], None]], **more: Any) -> Driver:
    transport = Slow()
    driver = setup.made(address, transport=transport, **more)
    transport.meanwhile.append(meanwhile(driver))
    driver.start()
    return driver


def test_a_stream_that_was_given_up_while_it_was_opened_is_not_begun(setup: Setup) -> None:
    """Nobody could close it any more: it would be held until the master ends it."""
    master = setup.master(stay)
    opening(setup, master.address, lambda driver: driver._leader_changed)
    setup.connected()
    assert len(master.subscriptions) == 1
    assert not setup.states[0].connected
    assert "given up" in setup.states[0].error


def test_nobody_subscribes_after_an_end_that_came_while_the_connection_was_opened(setup: Setup) -> None:
    master = setup.master(stay)
    driver = opening(setup, master.address, lambda driver: driver.stop)
    for thread in driver._threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    assert master.kinds() == []
