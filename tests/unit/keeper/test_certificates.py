"""Certificates are read of many agents at a time and of each agent one at a time, and ever more rarely."""

import asyncio
import threading
from collections import Counter

import pytest

from statefuldb.adapters.keeper.certificates import FETCHERS, Certificates, longest_pause_seconds
from statefuldb.model.identity import TaskId
from statefuldb.model.volume import AgentRef, Launch
from statefuldb.reconcile.ports import EffectFailed, NotAnswered

PATIENCE_SECONDS = 30.0


class Agents:
    """Agents that answer, all but those that hang until they are let go and have not answered then."""

    def __init__(self, *hanging: str) -> None:
        self.hanging = hanging
        self.asked: Counter[str] = Counter()
        self.hung = threading.Event()
        self.let_go = threading.Event()
        self.certificates = Certificates(self._fetch)

    def _fetch(self, task_id: TaskId, launch: Launch) -> str:
        self.asked[launch.agent.id] += 1
        if launch.agent.id in self.hanging:
            self.hung.set()
            assert self.let_go.wait(PATIENCE_SECONDS)
            raise NotAnswered(f"{launch.agent.id}: timed out")
        return f"{launch.agent.id} {task_id.incarnation}"

    async def read(self, agent: str, number: int) -> str:
        launch = Launch(
            incarnation=number,
            agent=AgentRef(id=agent, hostname=agent, address="127.0.0.1"),
            template="t",
            cpus_milli=500,
            memory_bytes=1,
            port=1,
            keeper_port=2,
            at_seconds=0.0,
        )
        task = TaskId(uid="11111111-2222-3333-4444-555555555555", ordinal=0, incarnation=number)
        return await asyncio.wait_for(self.certificates.of(task, launch), PATIENCE_SECONDS)


def test_an_agent_that_hangs_holds_up_nobody_else_however_many_ask_it() -> None:
    agents = Agents("hanging")

    async def ask() -> list[str | BaseException]:
        lost = [asyncio.create_task(agents.read("hanging", number)) for number in range(3 * FETCHERS)]
        assert await asyncio.to_thread(agents.hung.wait, PATIENCE_SECONDS)
        found = await asyncio.gather(*(agents.read(f"agent-{number}", number) for number in range(20)))
        assert found == [f"agent-{number} {number}" for number in range(20)]
        agents.let_go.set()
        return await asyncio.gather(*lost, return_exceptions=True)

    lost = asyncio.run(ask())
    # What one was told, all are told who have waited for it.
    assert {(type(each), str(each)) for each in lost} == {(NotAnswered, "hanging: timed out")}
    assert agents.asked["hanging"] == 1
    agents.certificates.close()


def test_an_agent_that_did_not_answer_is_asked_again_by_who_asks_later() -> None:
    agents = Agents("a")
    agents.let_go.set()

    async def ask() -> str:
        with pytest.raises(NotAnswered):
            await agents.read("a", 1)
        agents.hanging = ()
        return await agents.read("a", 2)

    assert asyncio.run(ask()) == "a 2"
    agents.certificates.close()


def test_that_one_has_no_certificate_yet_says_nothing_of_the_others() -> None:
    def fetch(task_id: TaskId, launch: Launch) -> str:
        if task_id.incarnation == 0:
            raise EffectFailed("404")
        return "a certificate"

    agents = Agents()
    agents.certificates = Certificates(fetch)

    async def ask() -> list[str | BaseException]:
        return await asyncio.gather(*(agents.read("a", number) for number in range(3)), return_exceptions=True)

    first, *others = asyncio.run(ask())
    assert isinstance(first, EffectFailed)
    assert others == ["a certificate"] * 2
    agents.certificates.close()


def test_the_longer_a_keeper_has_run_without_one_the_more_rarely_it_is_asked_for() -> None:
    pauses = [longest_pause_seconds(age) for age in (-3600.0, 0.0, 20.0, 120.0, 600.0, 1_000_000.0)]
    assert pauses == [5.0, 5.0, 5.0, 12.0, 60.0, 60.0]
