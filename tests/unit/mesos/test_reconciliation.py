"""Asking Mesos what became of tasks and operations, until it has answered, and now and then."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from statefuldb.adapters.mesos.reconciliation import Reconciler
from statefuldb.model.identity import LABEL_LEDGER, TaskId
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import to_label
from statefuldb.reconcile.ports import EffectFailed
from unit.mesos.adapter import Standing, Wired
from unit.planning.members.test_undecided_tasks import serving
from unit.planning.world import KEY, UID

Json = dict[str, Any]
TASK = TaskId(uid=UID, ordinal=0, incarnation=1)
OTHER = TaskId(uid=UID, ordinal=1, incarnation=1)


def followed(*tasks: TaskId) -> Wired:
    wired = Wired()
    wired.subscribe()
    for task in tasks:
        wired.adapter.expect(KEY, task, "id-of-agent-1")
    return wired


def asked(wired: Wired) -> list[set[str]]:
    found = [set(tasks) for (tasks,) in wired.driver.named("reconcile")]
    wired.driver.calls.clear()
    return found


def test_a_subscription_asks_for_everything_at_once_with_agent_ids() -> None:
    wired = followed(TASK)
    wired.driver.calls.clear()
    wired.subscribe()
    assert wired.driver.named("reconcile") == [({str(TASK): "id-of-agent-1"},), ({},)]


def test_a_task_with_an_old_status_is_asked_for_until_this_subscription_has_answered() -> None:
    wired = followed(TASK, OTHER)
    wired.update(str(TASK), "TASK_RUNNING")
    wired.update(str(OTHER), "TASK_RUNNING")
    wired.subscribe()
    asked(wired)
    wired.update(str(OTHER), "TASK_RUNNING")
    wired.time.pass_by(15.1)
    assert asked(wired) == [{str(TASK)}]
    wired.update(str(TASK), "TASK_UNREACHABLE")
    wired.time.pass_by(600)
    assert asked(wired) == []


def test_what_is_not_answered_is_asked_for_ever_more_rarely() -> None:
    wired = followed(TASK)
    wired.subscribe()
    asked(wired)
    wired.time.pass_by(15.1)
    assert len(asked(wired)) == 1
    wired.time.pass_by(15.1)
    assert asked(wired) == []
    wired.time.pass_by(15.1)
    assert len(asked(wired)) == 1
    wired.time.pass_by(3_600)
    assert 10 < len(asked(wired)) < 25


def test_everything_is_asked_for_each_quarter_of_an_hour() -> None:
    wired = followed(TASK)
    wired.update(str(TASK), "TASK_RUNNING")
    asked(wired)
    wired.time.pass_by(901)
    assert asked(wired) == [{str(TASK)}, set()]
    wired.time.pass_by(890)
    assert asked(wired) == []


def test_a_task_that_was_launched_and_not_answered_for_is_asked_for_soon() -> None:
    wired = followed()
    wired.time.pass_by(100)
    asked(wired)
    wired.adapter.expect(KEY, TASK, "id-of-agent-1")
    assert asked(wired) == []
    wired.time.pass_by(15.1)
    assert asked(wired) == [{str(TASK)}]


def test_a_task_out_of_sight_is_asked_for_once_its_agent_makes_offers() -> None:
    """Simulator, seed 811 of then: a launch never reached its agent, which then was cut off. It came back without."""
    wired = followed(TASK)
    wired.update(str(TASK), "TASK_UNREACHABLE")
    asked(wired)
    wired.offer("offer-1", agent="agent-2")
    wired.time.pass_by(15.1)
    assert asked(wired) == [], "another agent's offers say nothing of it"
    wired.offer("offer-2")
    wired.time.pass_by(15.1)
    assert asked(wired) == [{str(TASK)}]
    wired.update(str(TASK), "TASK_GONE")
    wired.offer("offer-3")
    wired.time.pass_by(600)
    assert asked(wired) == []


def listed(record: VolumeRecord) -> Json:
    labels = {"labels": [{"key": LABEL_LEDGER, "value": to_label(record)}]}
    return {"task_id": {"value": str(record.task_id)}, "labels": labels}


def test_a_listed_task_that_the_ledger_does_not_have_is_asked_for_by_its_agent() -> None:
    """Masters say nothing of what is out of reach where they are asked about all."""
    record, _ = serving(Strategy.DFS)
    wired = Wired()
    wired.tasks = [listed(record)]
    wired.subscribe()
    assert record.launch is not None
    assert wired.driver.named("reconcile") == [({str(record.task_id): record.launch.agent.id},), ({},)]


def test_a_task_that_was_out_of_sight_at_the_subscription_is_recognised_once_it_is_said_to_run() -> None:
    """Simulator, seed 32735: after a restore of the API its server held the next one's claim, and nobody saw it."""
    record, _ = serving(Strategy.DFS)
    wired, looks = Wired(), 0
    wired.subscribe()
    wired.tasks = [listed(record)]
    wired.update(str(record.task_id), "TASK_RUNNING")
    assert wired.adapter.found(record.key) == (record,)
    assert wired.enqueued == [record.key]
    stranger = TaskId(uid="cccccccc-0000-0000-0000-000000000000", ordinal=0, incarnation=1)

    class Counting(list[Json]):
        def __iter__(self) -> Iterator[Json]:
            nonlocal looks
            looks += 1
            return super().__iter__()

    wired.tasks = Counting(wired.tasks)
    for state in ("TASK_RUNNING", "TASK_RUNNING", "TASK_FAILED"):
        wired.update(str(stranger), state)
    assert looks == 1, "what carries no entry is looked for once"
    assert wired.enqueued == [record.key]
    wired.update(str(stranger), "TASK_RUNNING")
    assert looks == 2, "and of what is over nothing is kept"


def test_a_task_whose_successor_is_over_tells_of_no_data_after_a_restart_either() -> None:
    """Simulator, seed 446 of then: an operator died after it had forgotten deleted data; the next one waited for it."""
    record, _ = serving(Strategy.DFS)
    assert record.launch is not None
    wired = Wired()
    wired.tasks = [listed(record)]
    wired.over = [listed(replace(record, launch=replace(record.launch, incarnation=2)))]
    wired.subscribe()
    assert wired.adapter.found(record.key) == ()
    wired.update(str(record.task_id), "TASK_RUNNING")
    assert wired.adapter.found(record.key) == (record,), "and where it has come back it must be stopped"


def test_what_is_no_longer_followed_is_not_asked_for() -> None:
    wired = followed(TASK)
    wired.adapter.forget(TASK)
    asked(wired)
    wired.time.pass_by(200)
    assert asked(wired) == []


def test_nothing_is_asked_once_stopped() -> None:
    wired = followed(TASK)
    wired.adapter.stop()
    asked(wired)
    wired.time.pass_by(5_000)
    assert asked(wired) == []


def test_what_an_earlier_subscription_was_told_is_told_apart_until_it_is_told_again() -> None:
    wired = followed(TASK)
    wired.update(str(TASK), "TASK_RUNNING")
    assert wired.adapter.tasks(UID)[TASK].owed_since_seconds is None
    wired.time.pass_by(5.0)
    wired.subscribe()
    assert wired.adapter.tasks(UID)[TASK].owed_since_seconds == 1_005.0
    wired.update(str(TASK), "TASK_RUNNING")
    assert wired.adapter.tasks(UID)[TASK].owed_since_seconds is None


def test_a_status_is_acknowledged_once_though_it_is_known_in_another_light() -> None:
    wired = followed(TASK)
    status = {"task_id": {"value": str(TASK)}, "state": "TASK_RUNNING", "agent_id": {"value": "a"}, "uuid": "dXVpZA=="}
    wired.say({"type": "UPDATE", "update": {"status": status}})
    wired.subscribe()
    wired.adapter.acknowledge(wired.adapter.tasks(UID)[TASK])
    assert wired.adapter.tasks(UID)[TASK].uuid is None


def test_after_a_restart_an_end_that_the_ledger_waits_for_is_not_acknowledged_before_it_is_recorded() -> None:
    wired = Wired()
    wired.owners[UID] = KEY
    wired.subscribe()
    wired.update(str(TASK), "TASK_FAILED", uuid="u1")
    assert wired.driver.named("acknowledgeStatusUpdate") == []
    assert wired.enqueued == [KEY]


def test_a_status_of_data_that_nobody_knows_is_acknowledged() -> None:
    wired = Wired()
    wired.subscribe()
    wired.update(str(TASK), "TASK_FAILED", uuid="u1")
    assert len(wired.driver.named("acknowledgeStatusUpdate")) == 1
    assert wired.enqueued == []


def test_what_comes_to_be_owed_while_the_answer_says_that_nothing_is_is_asked_for_soon() -> None:
    """A worker launches a task just after the round has counted: the next one would be a quarter of an hour later."""
    time, rounds = Standing(), list[float]()

    def ask(everything: bool) -> bool:
        rounds.append(time.seconds)
        if len(rounds) == 2:
            reconciler.owed()
        return len(rounds) == 1

    reconciler = Reconciler(ask=ask, timers=time, clock=time)
    reconciler.begin()
    time.pass_by(300.0)
    assert rounds == [1_000.0, 1_015.0, 1_030.0]


def test_what_could_not_be_asked_about_everything_is_asked_again_soon() -> None:
    time, rounds = Standing(), list[bool]()

    def ask(everything: bool) -> bool:
        rounds.append(everything)
        if len(rounds) == 1:
            raise EffectFailed("RECONCILE unanswered")
        return False

    Reconciler(ask=ask, timers=time, clock=time).begin()
    time.pass_by(15.0)
    assert rounds == [True, True]
    time.pass_by(800.0)
    assert rounds == [True, True]


def asking() -> tuple[Standing, list[tuple[float, bool]], Reconciler]:
    """Return a clock, when it was asked since the last time it was set and whether about everything, and who asks."""
    time, rounds = Standing(), list[tuple[float, bool]]()

    def ask(everything: bool) -> bool:
        rounds.append((time.seconds, everything))
        return False

    return time, rounds, Reconciler(ask=ask, timers=time, clock=time)


def test_a_clock_that_is_set_back_puts_no_quarter_of_an_hour_off() -> None:
    time, rounds, reconciler = asking()
    time.seconds = 1_000_000.0
    reconciler.begin()
    time.set_clock(-900_000.0)
    time.pass_by(10_000.0)
    assert [everything for _, everything in rounds] == [True] * (1 + 10_000 // 900)


def test_what_is_new_is_asked_for_soon_whatever_the_clock_says() -> None:
    for jump in (-3_600.0, -890.0, 890.0, 3_600.0):
        time, rounds, reconciler = asking()
        reconciler.begin()
        time.set_clock(jump)
        reconciler.owed()
        began = time.seconds
        time.pass_by(100.0)
        assert [moment - began for moment, _ in rounds[1:]] == [15.0]


def test_wishes_that_go_on_coming_put_none_off() -> None:
    time, rounds, reconciler = asking()
    reconciler.begin()
    for _ in range(200):
        reconciler.owed()
        time.pass_by(10.0)
    assert len(rounds) >= 100
    assert sum(everything for _, everything in rounds) == 1 + 2_000 // 900
