"""The driver on a simulated master: its stream and its calls are links; all else is the real driver's."""

from collections.abc import Callable, Mapping
from typing import Any

from statefuldb.adapters.mesos.driver import ConnectionState, Driver
from statefuldb.adapters.mesos.masters import MasterList
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.local.mesos.master.master import Refused
from statefuldb.reconcile.back_off import LIMIT_SECONDS, back_off_seconds
from statefuldb.simulation.clockwork.machine import Machine
from statefuldb.simulation.cluster.mesos import Mesos

Json = dict[str, Any]
LEADER = "10.0.0.1:5050"
Send = Callable[[str, Callable[[], tuple[int, str]]], tuple[int, str]]


class SimulatedDriver(Driver):
    """`send` makes an effect, with all that may happen to one on its way; `cut` says whether the stream breaks here."""

    def __init__(self, *, mesos: Mesos, machine: Machine, send: Send, cut: Callable[[str], bool], **more: Any) -> None:
        super().__init__(masters=MasterList((LEADER,)), transport=Transport(), machine=machine, **more)
        self._mesos = mesos
        self._machine = machine
        self._send_over = send
        self._cut = cut
        self._failures = 0
        self._began = 0.0
        self.opened: str | None = None

    def start(self) -> None:
        """Subscribe, and stay subscribed until `stop`."""
        self._started = True
        self._machine.after(0.001, self._try)

    def stop(self, failover: bool = True) -> None:
        """Close the connection."""
        del failover
        self._started = False
        self._end()
        self._close_stream()

    def receive(self, event: Json) -> None:
        """Take an event of the master's."""
        if self.opened is not None and (self._cut(event["type"]) or not self._take(event, self.opened)):
            self._close_stream()

    def closed(self) -> None:
        """Take in that the stream has ended."""
        self._machine.run(lambda: self._ended("the event stream ended"))

    def _try(self) -> None:
        if self._ending.is_set():
            return
        self._began = self._machine.now()
        try:
            end = _Stream(self)
            self.opened = end.id = self._mesos.subscribe(self._subscription(), end)
        except Refused as refused:
            self._take({"type": "ERROR", "error": {"message": str(refused)}}, "")
            return
        if self.opened is None:
            self._ended(f"{LEADER}: connection refused")
            return
        self._leader = LEADER

    def _ended(self, error: str) -> None:
        self._stream.over()
        self.opened = self._leader = None
        if self._ending.is_set():
            return
        lasted = self._machine.now() - self._began > LIMIT_SECONDS
        self._failures = 0 if lasted else self._failures + 1
        self._tell(ConnectionState(connected=False, error=error))
        self._machine.after(back_off_seconds(self._failures, self._machine.chance()), self._try)

    def _close_stream(self, stream_id: str | None = None) -> None:
        if stream_id not in (None, self.opened):
            return
        opened, self.opened = self.opened, None
        if opened is not None:
            self._mesos.leave(opened)
            self._machine.after(0.001, lambda: self._ended("the event stream was closed"))

    def _exchange(self, leader: str, body: Any, headers: Mapping[str, str]) -> tuple[int, str]:
        stream = headers["Mesos-Stream-Id"]
        return self._send_over(body["type"], lambda: self._mesos.call(body, stream))


class _Stream:
    """One subscription's end: an operator that is gone takes nothing, one that has subscribed anew nothing old."""

    def __init__(self, driver: SimulatedDriver) -> None:
        self._driver = driver
        self.id: str | None = None

    def receive(self, event: Json) -> None:
        """Take an event."""
        if self._driver.opened == self.id:
            self._driver._machine.run(lambda: self._driver.receive(event))

    def closed(self) -> None:
        """Take in the end."""
        if self._driver.opened == self.id:
            self._driver.closed()
