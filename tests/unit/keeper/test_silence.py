"""A keeper whose file system does not answer says so, instead of what it last knew."""

import threading
from typing import Any
from unittest.mock import MagicMock

import pytest

from statefuldb.keeper.server import MariaDbServer
from statefuldb.keeper.silence import FILES, SERVER, told_of_silence
from statefuldb.keeper.state import State
from statefuldb.model.keeper import EngineStatus, KeeperPhase


def serving() -> State:
    state = State("sdb.u.0.1")
    state.update(phase=KeeperPhase.RUNNING, engine=EngineStatus(ready=True, answers_sql=True))
    return state


def test_a_file_system_that_does_not_answer_is_told_of_while_it_is_asked() -> None:
    """On a real GlusterFS that was cut off: `Ready` stayed True for as long as the keeper hung in a call."""
    state = serving()
    with told_of_silence(state, FILES, after_seconds=0.01):
        status = state.wait_after(state.status.revision, 60) if state.status.engine.answers_sql else state.status
    assert not status.engine.answers_sql
    assert "is its file system there?" in status.reason


class Hesitant(State):
    """Whoever tells of silence takes its time, until what was asked has answered and goes on, if that does."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id)
        self.telling, self.gone_on = threading.Event(), threading.Event()

    def update(self, **changes: Any) -> None:
        if isinstance(threading.current_thread(), threading.Timer):
            self.telling.set()
            self.gone_on.wait(0.5)
        super().update(**changes)


def test_an_answer_that_comes_as_its_silence_is_told_of_is_not_overtaken_by_that() -> None:
    state = Hesitant("sdb.u.0.1")
    with told_of_silence(state, SERVER, after_seconds=0.0):
        assert state.telling.wait(60)
    state.gone_on.set()
    state.update(engine=EngineStatus(answers_sql=True), reason="")
    for alarm in [t for t in threading.enumerate() if isinstance(t, threading.Timer)]:
        alarm.join(60)
    assert state.status.engine.answers_sql
    assert state.status.reason == ""


def test_one_that_answers_in_time_changes_nothing_and_leaves_nobody_behind() -> None:
    state, before = serving(), threading.active_count()
    revision = state.status.revision
    with told_of_silence(state, SERVER, after_seconds=3_600):
        assert threading.active_count() == before + 1
        (alarm,) = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
    alarm.join(60)
    assert not alarm.is_alive()
    assert state.status.revision == revision


def test_a_server_is_looked_after_without_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clients may have all that the task may have: the keeper ended with a traceback, and its server with it."""

    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    state = State("sdb.u.0.1")
    with told_of_silence(state, FILES):
        pass
    assert state.status.reason == ""
    looked_after = MariaDbServer(engine=MagicMock(), orders=MagicMock(), paths=MagicMock())
    looked_after._process = MagicMock()
    looked_after.tell_end(print)
