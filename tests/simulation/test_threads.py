"""How the threads of a simulated operator take turns: where one waits the others go on, by time alone."""

import pytest

from statefuldb.model.identity import DatabaseKey
from statefuldb.reconcile.loop import Loop
from statefuldb.simulation.clockwork.schedule import Schedule
from statefuldb.simulation.clockwork.threads import Strands
from statefuldb.simulation.runs.run import run
from statefuldb.simulation.size import Size


class Diary:
    """Strands that write down what they do."""

    def __init__(self) -> None:
        self.schedule = Schedule()
        self.strands = Strands(self.schedule, workers=3)
        self.lock = self.strands.lock()
        self.entries: list[str] = []

    def plain(self, name: str, seconds: float) -> None:
        self.entries.append(f"{name} asks")
        self.strands.wait(seconds)
        self.entries.append(f"{name} hears")

    def locked(self, name: str, seconds: float) -> None:
        with self.lock:
            self.plain(name, seconds)


def test_while_one_waits_the_others_go_on() -> None:
    diary = Diary()
    diary.strands.begin(lambda: diary.plain("first", 2.0))
    diary.strands.begin(lambda: diary.plain("second", 1.0))
    assert diary.entries == ["first asks", "second asks"]
    diary.schedule.pass_by(3.0)
    assert diary.entries == ["first asks", "second asks", "second hears", "first hears"]


def test_what_is_done_under_one_lock_is_not_mixed_and_in_order() -> None:
    diary = Diary()
    for name, seconds in (("first", 2.0), ("second", 1.0), ("third", 0.5)):
        diary.strands.begin(lambda name=name, seconds=seconds: diary.locked(name, seconds))  # type: ignore[misc]
    diary.schedule.pass_by(10.0)
    assert diary.entries == [f"{name} {does}" for name in ("first", "second", "third") for does in ("asks", "hears")]


def test_a_call_within_a_strand_is_part_of_it_and_one_outside_of_any_does_not_wait() -> None:
    diary = Diary()
    diary.strands.begin(lambda: diary.strands.begin(lambda: diary.plain("within", 1.0)))
    diary.plain("outside", 1.0)
    assert diary.entries == ["within asks", "outside asks", "outside hears"]


def test_a_lock_is_let_go_by_what_fails() -> None:
    diary = Diary()

    def fails() -> None:
        try:
            with diary.lock:
                diary.strands.wait(1.0)
                raise OSError("unanswered")
        except OSError as error:
            diary.entries.append(str(error))

    diary.strands.begin(fails)
    diary.strands.begin(lambda: diary.locked("next", 1.0))
    diary.schedule.pass_by(5.0)
    assert diary.entries == ["unanswered", "next asks", "next hears"]


def at_a_time(workers: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many passes an operator makes at a time at most."""
    attempt, running, most = Loop.attempt, set[DatabaseKey](), 0

    def counted(loop: Loop, key: DatabaseKey) -> None:
        nonlocal most
        assert key not in running
        running.add(key)
        most = max(most, len(running))
        attempt(loop, key)
        running.remove(key)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "attempt", counted)
        assert run(3, Size(busy_seconds=60.0, workers=workers), faulty=False).verdict.broken is None
    return most


def test_an_operator_works_on_several_databases_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_a_time(1, monkeypatch) == 1
    assert 1 < at_a_time(3, monkeypatch) <= 3
