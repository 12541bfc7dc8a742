"""Inverse offers: an honest answer, once, and the windows that the planner sees."""

from typing import Any

from statefuldb.model.identity import TaskId
from statefuldb.model.resources import Unavailability
from unit.mesos.adapter import Wired
from unit.planning.world import KEY, UID

TASK = TaskId(uid=UID, ordinal=0, incarnation=1)
AGENT = "id-of-agent-1"
WINDOW = {"start": {"nanoseconds": 1_300 * 10**9}, "duration": {"nanoseconds": 600 * 10**9}}


def announced() -> Wired:
    wired = Wired()
    wired.subscribe()
    wired.adapter.expect(KEY, TASK, AGENT)
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
