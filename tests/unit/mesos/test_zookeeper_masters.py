"""What becomes of the leaders that ZooKeeper names, one after the other; integration tests ask a real one."""

import json
import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest

from statefuldb.adapters.mesos import zookeeper
from statefuldb.adapters.mesos.masters import ZooKeeperAddress
from statefuldb.adapters.mesos.zookeeper import ZooKeeperMasters


class Election:
    """Stands for a client of ZooKeeper: names one leader after the other, each as soon as the last one is read."""

    def __init__(self, leaders: list[str | None]) -> None:
        self._leaders = leaders
        self.connected = True

    def __call__(self, **_: Any) -> "Election":
        return self

    def get_children(self, path: str, watch: Callable[[object], None]) -> list[str]:
        leader = self._leaders.pop(0)
        if self._leaders:
            watch(None)
        return [] if leader is None else [f"json.info_{leader}"]

    def get(self, path: str) -> tuple[str, None]:
        return json.dumps({"address": {"hostname": path.rpartition("_")[2], "port": 5050}}), None

    def add_listener(self, listener: object) -> None: ...
    def start_async(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


def test_a_new_leader_is_told_of_also_where_nobody_led_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zookeeper, "KazooClient", Election(["one", None, "one", None, "two"]))
    masters = ZooKeeperMasters(ZooKeeperAddress(servers=("zk:2181",), path="/mesos"), by_name=True)
    changed = queue.SimpleQueue[tuple[str, ...]]()
    masters.start(lambda: changed.put(masters.candidates()))
    assert changed.get(timeout=10.0) == ("two:5050",)
    masters.stop()
    assert changed.empty()


class Ending(threading.Event):
    """Has the end come just before what says that something has changed is cleared."""

    ended: Callable[[], None] = staticmethod(lambda: None)

    def clear(self) -> None:
        self.ended()
        super().clear()


def test_an_end_that_comes_while_it_begins_to_look_again_is_not_slept_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zookeeper, "KazooClient", Election(["one"]))
    masters = ZooKeeperMasters(ZooKeeperAddress(servers=("zk:2181",), path="/mesos"), by_name=True)
    masters._changed = changed = Ending()
    changed.ended = masters._ending.set
    masters.start(lambda: None)
    assert masters._thread is not None
    masters._thread.join(5.0)
    assert not masters._thread.is_alive()


@pytest.mark.parametrize("odd", ["a name", ["a name"], {"address": "a name"}, {"address": None}, {"address": {}}])
def test_an_odd_member_does_not_keep_the_next_leader_from_being_followed(
    odd: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Odd(Election):
        def get(self, path: str) -> tuple[str, None]:
            return (json.dumps(odd), None) if path.endswith("odd") else super().get(path)

    monkeypatch.setattr(zookeeper, "KazooClient", Odd(["one", "odd", "two"]))
    masters = ZooKeeperMasters(ZooKeeperAddress(servers=("zk:2181",), path="/mesos"), by_name=True)
    changed = queue.SimpleQueue[tuple[str, ...]]()
    masters.start(lambda: changed.put(masters.candidates()))
    assert changed.get(timeout=10.0) == ("two:5050",)
    masters.stop()
