"""Scripted masters and drivers on them."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration.mesos_driver.scripted_master import ScriptedMaster, Stream
from statefuldb.adapters.machine import RealMachine
from statefuldb.adapters.mesos.driver import ConnectionState, Driver, Event
from statefuldb.adapters.mesos.masters import MasterList
from statefuldb.adapters.mesos.transport import TlsFiles, Transport

INFO = {"user": "root", "name": "t", "roles": ["r"], "failover_timeout": 2419200.0, "checkpoint": True}


class Setup:
    """A scripted master and drivers on it, all ended afterwards."""

    def __init__(self) -> None:
        self.ends: list[Callable[[], None]] = []
        self.states: list[ConnectionState] = []
        self.events: list[Event] = []

    def master(self, script: Callable[[Stream], None], **more: Any) -> ScriptedMaster:
        one = ScriptedMaster(script, **more)
        self.ends.append(one.close)
        return one

    def driver(
        self,
        address: str,
        on_event: Callable[[Event], None] | None = None,
        credentials: tuple[str, str] | None = None,
        tls: TlsFiles | None = None,
        **more: Any,
    ) -> Driver:
        one = self.made(address, on_event, transport=Transport(credentials=credentials, tls=tls), **more)
        one.start()
        return one

    def made(
        self,
        address: str,
        on_event: Callable[[Event], None] | None = None,
        *,
        transport: Transport,
        may_act: Callable[[], bool] = lambda: True,
        on_deposed: Callable[[], None] = lambda: None,
    ) -> Driver:
        one = Driver(
            masters=MasterList((address,)),
            transport=transport,
            framework_info=dict(INFO),
            on_event=on_event or self.events.append,
            on_state=self.states.append,
            may_act=may_act,
            on_deposed=on_deposed,
            machine=RealMachine(),
        )
        self.ends.append(one.stop)
        return one

    def connected(self) -> None:
        deadline = time.monotonic() + 10
        while not any(state.connected for state in self.states):
            assert time.monotonic() < deadline, self.states
            time.sleep(0.01)


@pytest.fixture
def setup() -> Iterator[Setup]:
    one = Setup()
    yield one
    for end in reversed(one.ends):
        end()
