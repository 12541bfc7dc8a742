"""What is known of tasks, where clocks are wrong."""

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
