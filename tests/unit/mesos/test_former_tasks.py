"""When a task of an earlier framework of ours is believed to have ended."""

from statefuldb.model.identity import TaskId
from statefuldb.planning.members.undecided_tasks import PROOF_SECONDS
from unit.mesos.adapter import CAPABLE, Wired

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
