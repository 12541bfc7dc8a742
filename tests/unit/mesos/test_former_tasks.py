"""When a task of an earlier framework of ours is believed to have ended."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, NoReturn, TypeVar

import pytest

from statefuldb.adapters.mesos.former_tasks import FRESH_SECONDS, FormerTasks
from statefuldb.model.identity import TaskId
from statefuldb.planning.members.undecided_tasks import PROOF_SECONDS
from statefuldb.reconcile.ports import NotAnswered
from unit.mesos.adapter import CAPABLE, Standing, Wired

T = TypeVar("T")
TASK = TaskId(uid="11111111-2222-3333-4444-555555555555", ordinal=0, incarnation=1)
AGENT = "id-of-agent-1"


def outlived(wired: Wired) -> bool | None:
    return wired.adapter.outlived(TASK, AGENT)


def test_an_agent_that_stays_registered_for_long_enough_has_ended_it() -> None:
    wired = Wired()
    wired.subscribe()
    assert outlived(wired) is False
    wired.time.pass_by(PROOF_SECONDS - 1.0)
    assert outlived(wired) is False
    wired.time.pass_by(1.0)
    assert outlived(wired) is True


def test_a_clock_that_is_set_proves_nothing() -> None:
    wired = Wired()
    wired.subscribe()
    assert outlived(wired) is False
    wired.time.seconds += 3600.0
    assert outlived(wired) is False


def test_an_agent_that_registered_anew_is_waited_for_anew() -> None:
    wired = Wired()
    wired.subscribe()
    assert outlived(wired) is False
    wired.time.pass_by(PROOF_SECONDS / 2)
    wired.registered[AGENT] = 7
    assert outlived(wired) is False
    wired.time.pass_by(PROOF_SECONDS / 2)
    assert outlived(wired) is False
    wired.time.pass_by(PROOF_SECONDS / 2)
    assert outlived(wired) is True


def test_an_agent_that_is_not_connected_may_have_heard_of_nothing() -> None:
    """A real one that recovers answers pings for ten minutes, and takes no word that a framework has ended."""
    wired = Wired()
    wired.subscribe()
    wired.inactive = {AGENT}
    for _ in range(3):
        assert outlived(wired) is False
        wired.time.pass_by(PROOF_SECONDS)
    wired.inactive = set()
    assert outlived(wired) is False
    wired.time.pass_by(PROOF_SECONDS / 2)
    wired.inactive = {AGENT}
    assert outlived(wired) is False
    wired.inactive = set()
    wired.time.pass_by(PROOF_SECONDS / 2)
    assert outlived(wired) is False, "its registration is the same"
    wired.time.pass_by(PROOF_SECONDS)
    assert outlived(wired) is True


def test_an_agent_that_is_not_registered_in_the_end_has_proved_nothing() -> None:
    wired = Wired()
    wired.subscribe()
    assert outlived(wired) is False
    wired.agents = {}
    wired.time.pass_by(PROOF_SECONDS)
    assert outlived(wired) is None
    wired.agents = {AGENT: CAPABLE}
    wired.time.pass_by(PROOF_SECONDS)
    assert outlived(wired) is False


def test_a_task_that_the_master_lists_has_not_ended() -> None:
    wired = Wired()
    wired.tasks = [{"task_id": {"value": str(TASK)}}]
    wired.subscribe()
    for _ in range(2):
        assert outlived(wired) is False
        wired.time.pass_by(PROOF_SECONDS)
    wired.tasks = []
    assert outlived(wired) is False
    wired.time.pass_by(PROOF_SECONDS)
    assert outlived(wired) is True


def test_another_subscription_begins_to_wait_anew() -> None:
    wired = Wired()
    wired.subscribe()
    assert outlived(wired) is False
    wired.subscribe()
    wired.time.pass_by(PROOF_SECONDS)
    assert outlived(wired) is False


def test_what_could_not_be_begun_to_be_waited_for_is_begun_again() -> None:
    """Where no thread can be started for a timer, as under a limit of processes."""
    wired = Wired()
    wired.subscribe()
    after, wired.time.after = wired.time.after, refusing  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        outlived(wired)
    wired.time.after = after  # type: ignore[method-assign]
    assert outlived(wired) is False
    wired.time.pass_by(PROOF_SECONDS)
    assert outlived(wired) is True


def refusing(seconds: float, call: object) -> NoReturn:
    raise RuntimeError("can't start new thread")


class Asking:
    """A master that is asked, in the middle of an answer if `meanwhile` says so."""

    def __init__(self) -> None:
        self.time = Standing()
        self.meanwhile: Callable[[], None] = lambda: None
        self.silent = False
        self.registered = True
        self.former = FormerTasks(
            list_agents=self._agents, list_tasks=lambda read: [], clock=self.time, timers=self.time, lock=Lock()
        )

    def _agents(self, read: Callable[[dict[str, Any]], T]) -> Sequence[T]:
        registered = self.registered
        self.meanwhile()
        if self.silent:
            raise NotAnswered("nobody")
        return [read({"agent_info": {"id": {"value": AGENT}}})] if registered else []

    def outlived(self) -> bool | None:
        return self.former.outlived(TASK, AGENT)


def test_no_timer_waits_for_an_answer_and_an_answer_of_before_proves_nothing() -> None:
    asking = Asking()
    assert asking.outlived() is False
    asking.time.seconds += FRESH_SECONDS
    asking.meanwhile = lambda: asking.time.pass_by(PROOF_SECONDS)
    assert asking.outlived() is False
    asking.meanwhile = lambda: None
    assert asking.outlived() is True


def test_a_question_that_was_not_answered_proves_nothing() -> None:
    asking = Asking()
    asking.outlived()
    asking.time.pass_by(PROOF_SECONDS - 1.0)
    assert asking.outlived() is False
    asking.time.pass_by(1.0)
    asking.silent = True
    assert asking.outlived() is None
    asking.silent, asking.registered = False, False
    assert asking.outlived() is None
