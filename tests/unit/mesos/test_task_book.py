"""What is known of tasks: where clocks are wrong, and on which agents they are."""

from dataclasses import replace

import pytest

from statefuldb.adapters.mesos.task_book import KILL_PATIENCE_SECONDS, TaskBook
from statefuldb.model.grouped import Grouped
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import TaskState
from statefuldb.model.spec import Strategy
from unit.planning.members.test_undecided_tasks import serving
from unit.planning.world import KEY, UID, status

TASK = TaskId(uid=UID, ordinal=0, incarnation=1)


class Clock:
    def __init__(self) -> None:
        self.seconds = 10_000.0

    def now(self) -> float:
        return self.seconds


def test_a_kill_counts_for_a_while_and_not_for_as_long_as_the_clock_was_ahead() -> None:
    """Simulator, seed 21 of then: KILL was lost, and the clock set back by an hour; it was waited for that long."""
    clock = Clock()
    book = TaskBook(clock)
    book.update(status(TASK, TaskState.RUNNING))
    book.killed(TASK)
    seen = []
    for later in (0.0, KILL_PATIENCE_SECONDS - 1, KILL_PATIENCE_SECONDS, -3_600.0):
        clock.seconds = 10_000.0 + later
        seen.append(book.statuses(UID)[TASK].state)
    assert seen == [TaskState.KILLING, TaskState.KILLING, TaskState.RUNNING, TaskState.RUNNING]


def test_a_loss_counts_from_now_where_the_clock_that_saw_it_was_ahead() -> None:
    """Simulator, seeds 81 and 86 of then: lost under a clock an hour ahead, a member was to be fenced in an hour."""
    clock = Clock()
    book = TaskBook(clock)
    book.update(replace(status(TASK, TaskState.LOST), seen_at_seconds=clock.seconds))
    book.subscribed()
    clock.seconds -= 3_600.0
    seen = book.statuses(UID)[TASK]
    assert (seen.seen_at_seconds, seen.owed_since_seconds) == (clock.seconds, clock.seconds)
    first, clock.seconds = clock.seconds, clock.seconds + 60.0
    seen = book.statuses(UID)[TASK]
    assert (seen.seen_at_seconds, seen.owed_since_seconds) == (first, first), "and then as ever"


def test_a_task_that_was_lost_anew_while_nobody_listened_counts_as_lost_from_then() -> None:
    """Its agent was back between two losses: that it was cut off in the first says nothing of the second."""
    clock = Clock()
    book = TaskBook(clock)
    told = []
    for lost_at in (9_000.0, 9_000.0, 9_900.0):
        clock.seconds += 60.0
        said = status(TASK, TaskState.UNREACHABLE)
        book.update(replace(said, seen_at_seconds=clock.seconds, unreachable_at_seconds=lost_at))
        told.append(book.statuses(UID)[TASK])
    assert [seen.seen_at_seconds for seen in told] == [10_060.0, 10_060.0, 10_180.0]
    assert [seen.lost_at_seconds for seen in told] == [9_000.0, 9_000.0, 9_900.0]


def test_what_a_master_says_of_a_task_that_has_ended_is_an_answer_and_changes_nothing_else() -> None:
    """Simulator, seed 11945: the answer was owed for ever, and the agent of an earlier framework never fenced."""
    book = TaskBook(Clock())
    book.update(status(TASK, TaskState.GONE))
    book.subscribed()
    assert book.statuses(UID)[TASK].owed_since_seconds is not None
    book.update(status(TASK, TaskState.UNKNOWN))
    seen = book.statuses(UID)[TASK]
    assert (seen.state, seen.owed_since_seconds) == (TaskState.GONE, None)


def test_since_when_nothing_is_heard_of_a_followed_task_is_known() -> None:
    clock = Clock()
    book = TaskBook(clock)
    assert book.unheard_since(TASK) is None
    book.follow(KEY, TASK, "agent-1")
    clock.seconds += 60.0
    book.follow(KEY, TASK, "agent-1")
    assert book.unheard_since(TASK) == 10_000.0
    book.subscribed()
    assert book.unheard_since(TASK) == 10_060.0, "another master may be asked now"
    clock.seconds -= 3_600.0
    first, clock.seconds = book.unheard_since(TASK), clock.seconds + 30.0
    assert book.unheard_since(TASK) == first == 6_460.0, "the clock was ahead"
    book.update(status(TASK, TaskState.RUNNING))
    book.subscribed()
    assert book.unheard_since(TASK) is None


def test_tasks_are_found_by_their_agent_without_looking_at_all_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    book = TaskBook(Clock())
    tasks = [replace(TASK, ordinal=number) for number in range(3)]
    for number, task in enumerate(tasks):
        book.update(replace(status(task, TaskState.RUNNING), agent_id=f"agent-{number}"))
        book.follow(replace(KEY, name=f"orders-{number}"), task, f"agent-{number}")
    monkeypatch.setattr(Grouped, "__iter__", lambda _: pytest.fail("all tasks were looked at"))
    assert book.alive_on("agent-1")
    assert [key.name for key in book.keys_on("agent-1")] == ["orders-1"]
    # Its agent came back under another id.
    book.follow(KEY, tasks[1], "agent-9")
    book.update(replace(status(tasks[1], TaskState.RUNNING), agent_id="agent-9"))
    assert not book.alive_on("agent-1")
    assert not book.keys_on("agent-1")
    assert book.alive_on("agent-9")
    assert book.keys_on("agent-9") == {KEY}
    book.update(replace(status(tasks[1], TaskState.FAILED), agent_id="agent-9"))
    assert not book.alive_on("agent-9")
    assert not book.alive_on("nowhere")


def test_a_replaced_incarnation_tells_of_data_only_while_it_runs() -> None:
    """Simulator, seed 371 of then: data that was deleted came into the ledger again by the label of a task before."""
    record, _ = serving(Strategy.PERSISTENT_VOLUME)
    assert record.launch is not None
    successor = replace(record, incarnation=2, launch=replace(record.launch, incarnation=2))
    book = TaskBook(Clock())
    book.learn([record])
    book.update(status(TASK, TaskState.GONE_BY_OPERATOR))
    assert book.found(KEY) == (record,)
    book.learn([successor])
    assert successor.task_id is not None
    book.update(replace(status(successor.task_id, TaskState.KILLED), uuid=None))
    book.forget(successor.task_id)
    assert book.found(KEY) == ()
    book.update(status(TASK, TaskState.RUNNING))
    assert book.found(KEY) == (record,), "and where it has come back it must be stopped"
    # Seed 516 of then: deleted data came back by what a master had said before it failed over.
    book.subscribed()
    assert book.found(KEY) == ()
    book.update(status(TASK, TaskState.RUNNING))
    assert book.found(KEY) == (record,)


def test_an_incarnation_whose_end_is_proved_tells_of_data_only_while_mesos_says_that_it_runs() -> None:
    """Simulator, seed 11417: deleted data came back by the last word of a master that had failed over since."""
    record, _ = serving(Strategy.PERSISTENT_VOLUME)
    book = TaskBook(Clock())
    book.follow(KEY, TASK, "agent-1")
    book.learn([record])
    book.update(status(TASK, TaskState.RUNNING))
    book.subscribed()
    book.forget(TASK)
    assert book.found(KEY) == ()
    assert book.owed(), "it may have come back: that is for the master to say"
    book.update(status(TASK, TaskState.RUNNING))
    assert book.found(KEY) == (record,)


@pytest.mark.parametrize("state", [TaskState.GONE_BY_OPERATOR, TaskState.UNREACHABLE])
def test_a_task_whose_data_is_to_be_removed_tells_of_data_only_while_mesos_says_that_it_runs(state: TaskState) -> None:
    """Somebody deletes its entry, since its machine never comes back: as retained data it would be taken up again."""
    record, _ = serving(Strategy.PERSISTENT_VOLUME)
    book = TaskBook(Clock())
    book.follow(KEY, TASK, "agent-1")
    book.learn([record])
    book.update(status(TASK, state))
    assert book.found(KEY) == (record,)
    book.give_up(TASK)
    assert book.found(KEY) == ()
    assert book.update(status(TASK, TaskState.RUNNING)) == KEY
    assert book.found(KEY) == (record,), "its agent is back, and it must be stopped"


@pytest.mark.parametrize("answer", [TaskState.STARTING, TaskState.RUNNING, TaskState.KILLED])
def test_an_answer_of_the_master_puts_out_of_mind_no_status_that_is_yet_to_be_acknowledged(answer: TaskState) -> None:
    """Simulator, seed 73501: its agent told nothing else of the task, and that only again minutes later."""
    book = TaskBook(Clock())
    told = replace(status(TASK, TaskState.STARTING), uuid="first")
    book.update(told)
    book.update(replace(status(TASK, answer), uuid=None))
    seen = book.statuses(UID)[TASK]
    assert (seen.state, seen.uuid) == (answer, "first")
    book.update(replace(status(TASK, TaskState.KILLED), uuid="second"))
    assert book.statuses(UID)[TASK].uuid == "second"
    book.acknowledged(replace(told, uuid="second"))
    book.update(replace(status(TASK, TaskState.KILLED), uuid=None))
    assert book.statuses(UID)[TASK].uuid is None


def test_what_is_said_of_another_agent_is_not_acknowledged_there() -> None:
    book = TaskBook(Clock())
    book.update(replace(status(TASK, TaskState.RUNNING), uuid="first", agent_id="agent-1"))
    book.update(replace(status(TASK, TaskState.UNKNOWN), uuid=None, agent_id=None))
    assert book.statuses(UID)[TASK].uuid is None


def test_whose_tasks_are_found_in_a_namespace_is_known() -> None:
    book = TaskBook(Clock())
    record, _ = serving(Strategy.DFS)
    blog = replace(KEY, namespace="blog")
    identity = replace(record.identity, uid="22222222-2222-3333-4444-555555555555")
    book.learn([record, replace(record, key=blog, identity=identity)])
    assert book.found_keys() == {KEY, blog}
    assert [book.found_keys(each) for each in (KEY.namespace, "blog", "else")] == [{KEY}, {blog}, set()]
