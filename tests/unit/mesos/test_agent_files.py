"""Where agents listen, out of a list of all that is known of them."""

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from statefuldb.adapters.mesos.agent_files import AgentFiles
from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.reconcile.ports import EffectFailed

T = TypeVar("T")


class Agent(dict[str, Any]):
    """What a master says of an agent, and whether somebody still holds it."""


class Master(MasterApi):
    """Lists agents one at a time, and counts how many it has told of are still held. Nobody listens where it says."""

    def __init__(self) -> None:
        self.told: list[weakref.ref[Agent]] = []
        self.held_at_most = 0

    def each_agent(self, read: Callable[[dict[str, Any]], T]) -> list[T]:
        return [self._one(read, number) for number in range(3)]

    def _one(self, read: Callable[[dict[str, Any]], T], number: int) -> T:
        self.held_at_most = max(self.held_at_most, sum(each() is not None for each in self.told))
        agent = Agent(agent_info={"id": {"value": f"a{number}"}}, pid="slave(1)@127.0.0.1:1")
        self.told.append(weakref.ref(agent))
        return read(agent)


def test_of_thousands_of_agents_only_where_each_listens_is_held() -> None:
    master = Master()
    files = AgentFiles(master=master, transport=Transport())
    with pytest.raises(EffectFailed, match=r"127\.0\.0\.1:1"):
        files.sandbox("sdb.task", agent_id="a1")
    assert (len(master.told), master.held_at_most) == (3, 0)
