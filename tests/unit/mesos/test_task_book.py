"""What is known of tasks, where clocks are wrong."""

from dataclasses import replace

from statefuldb.adapters.mesos.task_book import KILL_PATIENCE_SECONDS, TaskBook
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import TaskState
from unit.planning.world import UID, status

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
