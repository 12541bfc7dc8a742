"""Where agents listen, out of a list of all that is known of them, and which of them are asked for a sandbox."""

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from statefuldb.adapters.mesos.agent_files import AgentFiles, NoSandbox
from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.reconcile.ports import EffectFailed, NotAnswered

T = TypeVar("T")


class Agent(dict[str, Any]):
    """What a master says of an agent, and whether somebody still holds it."""


class Master(MasterApi):
    """Lists agents one at a time, and counts how many it has told of are still held. Nobody listens where it says."""

    def __init__(self) -> None:
        self.told: list[weakref.ref[Agent]] = []
        self.held_at_most = 0
        self.addresses = {f"a{number}": "127.0.0.1:1" for number in range(3)}

    def each_agent(self, read: Callable[[dict[str, Any]], T]) -> list[T]:
        return [self._one(read, agent_id, address) for agent_id, address in self.addresses.items()]

    def _one(self, read: Callable[[dict[str, Any]], T], agent_id: str, address: str) -> T:
        self.held_at_most = max(self.held_at_most, sum(each() is not None for each in self.told))
        agent = Agent(agent_info={"id": {"value": agent_id}}, pid=f"slave(1)@{address}")
        self.told.append(weakref.ref(agent))
        return read(agent)


class Asked(AgentFiles):
    """Agents that know a task, or not, or do not answer; and which of them were asked, in order."""

    def __init__(self, **addresses: str) -> None:
        self.master = Master()
        self.master.addresses = addresses
        self.asked: list[str] = []
        self.has: set[str] = set()
        self.silent: set[str] = set()
        super().__init__(master=self.master, transport=Transport())

    def _get(self, address: str, path: str) -> Any:
        self.asked.append(address)
        if address in self.silent:
            raise NotAnswered(f"{address}: timed out")
        there = [{"id": "task", "directory": "/d"}] if address in self.has else []
        return {"frameworks": [{"id": "f", "executors": there}]}

    def where(self) -> str:
        self.asked.clear()
        return self.sandbox("task", agent_id="a1").address


def test_of_thousands_of_agents_only_where_each_listens_is_held() -> None:
    master = Master()
    files = AgentFiles(master=master, transport=Transport())
    with pytest.raises(EffectFailed, match=r"127\.0\.0\.1:1"):
        files.sandbox("sdb.task", agent_id="a1")
    assert (len(master.told), master.held_at_most) == (3, 0)


def test_while_the_agent_of_a_task_does_not_answer_no_other_is_asked_for_it() -> None:
    """It is registered, so the task is its own, and nobody else can know better."""
    files = Asked(a0="host0:1", a1="host1:1", a2="host2:1")
    files.silent = {"host1:1"}
    for _ in range(2):
        with pytest.raises(NotAnswered, match="host1:1: timed out"):
            files.where()
        assert files.asked == ["host1:1"]
    files.silent, files.has = set(), {"host1:1"}
    assert files.where() == "host1:1"


def test_an_agent_that_listens_elsewhere_by_now_is_asked_there() -> None:
    files = Asked(a1="host1:1", a2="host2:1")
    files.has = {"host1:1", "host1:2"}
    assert files.where() == "host1:1"
    files.silent = {"host1:1"}
    files.master.addresses["a1"] = "host1:2"
    assert files.where() == "host1:2"
    assert files.asked == ["host1:1", "host1:2"]


@pytest.mark.parametrize("known_before", [False, True])
def test_where_an_agent_does_not_know_the_task_each_other_one_is_asked_once(known_before: bool) -> None:
    files = Asked(a0="host0:1", a1="host1:1", a2="host2:1")
    if known_before:
        files.has = {"host1:1"}
        files.where()
    files.has = {"host2:1"}
    assert files.where() == "host2:1"
    assert files.asked == ["host1:1", "host0:1", "host2:1"]
    files.has = set()
    with pytest.raises(NoSandbox, match="host1:1 does not know"):
        files.where()
    assert files.asked == ["host1:1", "host0:1", "host2:1"]


def test_of_an_agent_that_is_not_registered_all_others_are_asked_and_one_that_is_silent_may_have_it() -> None:
    files = Asked(a0="host0:1", a2="host2:1", a3="host3:1")
    files.silent = {"host2:1"}
    with pytest.raises(NotAnswered, match="host2:1"):
        files.where()
    assert files.asked == ["host0:1", "host2:1", "host3:1"]
    files.silent = set()
    with pytest.raises(NoSandbox, match="a1 is not registered"):
        files.where()
