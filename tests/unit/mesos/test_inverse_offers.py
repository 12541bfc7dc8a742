"""Inverse offers: an honest answer, once, and the windows that the planner sees."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from statefuldb.adapters.mesos.calls import CallFailed
from statefuldb.adapters.mesos.inverse_offers import InverseOffers
from statefuldb.adapters.mesos.maintenance_book import InverseOffer, MaintenanceBook
from statefuldb.model.identity import TaskId
from statefuldb.model.resources import Unavailability
from unit.mesos.adapter import Standing, Wired
from unit.planning.world import KEY, UID

TASK = TaskId(uid=UID, ordinal=0, incarnation=1)
AGENT = "id-of-agent-1"
WINDOW = {"start": {"nanoseconds": 1_300 * 10**9}, "duration": {"nanoseconds": 600 * 10**9}}


def announced(*, told: bool = True) -> Wired:
    wired = Wired()
    wired.subscribe()
    wired.adapter.expect(KEY, TASK, AGENT)
    if told:
        wired.update(str(TASK), "TASK_RUNNING")
    wired.enqueued.clear()
    inverse: dict[str, Any] = {"id": {"value": "I0"}, "agent_id": {"value": AGENT}, "unavailability": WINDOW}
    wired.say({"type": "INVERSE_OFFERS", "inverse_offers": {"inverse_offers": [inverse]}})
    return wired


def answers(wired: Wired) -> list[str]:
    return [call[0] for call in wired.driver.calls if "InverseOffer" in call[0]]


def test_it_is_seen_by_the_planner_and_its_members_are_looked_at() -> None:
    wired = announced()
    assert wired.enqueued == [KEY]
    assert wired.adapter.maintenance() == {AGENT: Unavailability(start_seconds=1_300.0, duration_seconds=600.0)}
    assert answers(wired) == []


def test_it_is_accepted_only_once_the_member_has_stopped() -> None:
    wired = announced()
    for state in ("TASK_KILLING", "TASK_UNREACHABLE"):
        wired.update(str(TASK), state)
        assert answers(wired) == []
    wired.update(str(TASK), "TASK_KILLED")
    assert wired.driver.named("acceptInverseOffers") == [([{"value": "I0"}],)]
    wired.time.pass_by(1_000)
    assert answers(wired) == ["acceptInverseOffers"]


def test_it_is_not_accepted_before_mesos_has_said_what_became_of_a_member_that_ran_there() -> None:
    """An operator that has just begun knows of the task by the ledger, or by the master's list, and of no state."""
    wired = announced(told=False)
    assert answers(wired) == []
    wired.update(str(TASK), "TASK_KILLED")
    assert answers(wired) == ["acceptInverseOffers"]


def test_it_is_declined_where_the_window_begins_and_the_member_still_runs() -> None:
    wired = announced()
    wired.time.pass_by(301)
    assert wired.driver.named("declineInverseOffer") == [([{"value": "I0"}],)]
    wired.update(str(TASK), "TASK_KILLED")
    assert answers(wired) == ["declineInverseOffer"]


def test_a_schedule_that_changes_after_the_answer_is_forgotten_too() -> None:
    """Simulator, seed 3505: an answer was lost, and a member stopped for a window that had been taken back."""
    wired = announced()
    wired.update(str(TASK), "TASK_KILLED")
    assert answers(wired) == ["acceptInverseOffers"]
    wired.say({"type": "RESCIND_INVERSE_OFFER", "rescind_inverse_offer": {"inverse_offer_id": {"value": "I0"}}})
    assert wired.adapter.maintenance() == {}


def test_a_schedule_that_changes_is_forgotten_and_looked_at_again() -> None:
    wired = announced()
    wired.enqueued.clear()
    wired.say({"type": "RESCIND_INVERSE_OFFER", "rescind_inverse_offer": {"inverse_offer_id": {"value": "I0"}}})
    assert wired.enqueued == [KEY]
    assert wired.adapter.maintenance() == {}
    wired.update(str(TASK), "TASK_KILLED")
    assert answers(wired) == []


def test_an_offer_without_a_window_says_that_there_is_none_any_more() -> None:
    wired = announced()
    wired.offer("O1")
    assert wired.adapter.maintenance() == {}


@pytest.mark.parametrize("unanswered", [True, False])
def test_one_whose_answer_may_be_lost_is_asked_for_again(unanswered: bool) -> None:
    """Whoever waits with the maintenance for our word would wait for ever. What was refused would be so again."""
    wired = announced()

    def fail(_: object) -> None:
        raise CallFailed("ACCEPT_INVERSE_OFFERS", unanswered=unanswered)

    wired.driver.acceptInverseOffers = fail  # type: ignore[attr-defined]
    wired.update(str(TASK), "TASK_KILLED")
    assert wired.driver.named("resubscribe") == ([("stream-1",)] if unanswered else [])


class Overtaken(MaintenanceBook):
    """A book in which another thread looks up what is open just after this one has, and before it acts on that."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], None] = lambda: None
        self.others: list[threading.Thread] = []

    def next_start(self) -> float | None:
        start = super().next_start()
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        other = threading.Thread(target=meanwhile)
        self.others.append(other)
        other.start()
        other.join(0.5)
        return start


def test_one_that_comes_while_another_thread_finds_none_open_is_answered_in_time() -> None:
    book, time, answered = Overtaken(), Standing(), list[Sequence[str]]()

    def announced_now() -> None:
        window = Unavailability(start_seconds=1_300.0, duration_seconds=600.0)
        book.announced([InverseOffer(id="I0", agent_id=AGENT, window=window)])
        looking.look()

    looking = InverseOffers(
        book=book, alive_on=lambda _: True, answer=lambda _, no: answered.append(no), timers=time, clock=time
    )
    book.meanwhile = announced_now
    looking.look()
    for other in book.others:
        other.join()
    time.pass_by(301.0)
    assert answered == [("I0",)]
