"""Whatever keeps a keeper from its work is said in words, and meanwhile: a task's end is only an exit status."""

import errno
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pymysql
import pytest

from statefuldb.keeper import directory as member
from statefuldb.keeper import serve, server
from statefuldb.keeper.accounts import Commands
from statefuldb.keeper.refusal import Ended, Refused, in_words
from statefuldb.keeper.serve import Keeper
from statefuldb.keeper.silence import told_of_silence
from statefuldb.keeper.state import State
from statefuldb.model.spec import EngineType
from statefuldb.planning.engines import engine_of
from statefuldb.planning.engines.engine import ServerOrders, ServerPaths
from unit.keeper.test_erase import filled, orders


@pytest.mark.parametrize("mode", ["Serve", "Erase"])
def test_a_file_system_that_does_not_answer_as_it_is_opened_is_said(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was `the engine is Checking`, for as long as that took."""
    filled(tmp_path)
    goes_on, told = threading.Event(), threading.Event()

    def hang(*_: Any) -> Any:
        assert told.wait(10)
        goes_on.set()
        raise Refused("it answers again")

    monkeypatch.setattr(member, "open_directory", hang)
    monkeypatch.setattr(serve, "told_of_silence", partial(told_of_silence, after_seconds=0.01))
    monkeypatch.setattr(serve, "REFUSAL_SHOWN_SECONDS", 0.0)
    monkeypatch.setattr(serve, "REFUSAL_UNTOLD_SECONDS", 0.0)
    keeper = Keeper(replace(orders(tmp_path), mode=mode), tmp_path)
    monkeypatch.setattr(keeper, "_open_endpoint", lambda: None)
    state = keeper._state
    work: Callable[[], int] = keeper.erase if mode == "Erase" else partial(keeper._answering, keeper._serve)

    def end() -> None:
        with pytest.raises(Refused):
            work()

    worker = threading.Thread(target=end)
    worker.start()
    assert "is its file system there?" in state.wait_after(1, 10).reason
    told.set()
    worker.join(10)
    assert goes_on.is_set()


@pytest.mark.parametrize("content", ["", "seven"])
def test_a_token_that_is_no_number_is_refused_with_what_it_must_be(content: str, tmp_path: Path) -> None:
    path = filled(tmp_path)
    (path / ".statefuldb/token").write_text(content)
    config = replace(orders(tmp_path), minimum_token=7)
    with pytest.raises(Refused, match="token holds no number, the ledger says 7"):
        member.next_token(config, member.MemberDirectory(path=path, data=path / "mysql"))
    assert (path / ".statefuldb/token").read_text() == content


def test_an_epoch_that_is_no_number_is_named(tmp_path: Path) -> None:
    epoch = tmp_path / "epoch"
    epoch.write_text("")
    commands = Commands(state=State("sdb.u.0.1"), epoch_file=lambda: epoch)
    with pytest.raises(ValueError, match="epoch holds no number"):
        commands.set_credentials({"epoch": 1})


def test_a_server_that_does_not_even_say_its_version_is_refused_in_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = tmp_path / "mariadbd"
    binary.write_text("#!/bin/sh\nprintf 'error while loading \\377 shared libraries: libaio.so.1' >&2\nexit 127\n")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(server, "_BINARY_PATHS", str(tmp_path))
    with pytest.raises(Refused, match=r"mariadbd does not run on this agent: .*libaio\.so\.1"):
        server.installed_version()


def test_a_server_that_is_lost_as_it_is_asked_what_holds_is_said_not_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = server.MariaDbServer(engine=MagicMock(), orders=MagicMock(), paths=MagicMock())
    connection = MagicMock()
    cursor = connection.__enter__.return_value.cursor.return_value.__enter__.return_value
    cursor.execute.side_effect = pymysql.OperationalError(2013, "Lost connection to MySQL server during query")
    monkeypatch.setattr(asked, "connect", lambda: connection)
    connection.__enter__.return_value.cursor.return_value.__exit__.return_value = False
    connection.__exit__.return_value = False
    with pytest.raises(OSError, match="Lost connection"):
        asked.settings()


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ("kill -SEGV $$", "it ended with signal SIGSEGV, and logged no error"),
        ("exit 3", "it ended with status 3, and logged no error"),
        ("exit 0", "it ended with status 0, and logged no error"),
        ("echo '2026-01-01 0 [ERROR] no such option'; kill -ABRT $$", "no such option"),
        ("kill -KILL $$", ""),
    ],
)
def test_a_server_that_ends_as_it_starts_is_told_of_though_it_logs_nothing(
    ends: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A binary that crashed at once, on a real Mesos: `last TASK_FAILED: Command exited with status 1`, no more."""
    script = tmp_path / "server"
    script.write_text(f"#!/bin/sh\n{ends}\n")
    script.chmod(0o755)
    monkeypatch.setattr(server, "_binary", lambda _: str(script))
    monkeypatch.setattr(server, "service_user", lambda: None)
    engine = engine_of(EngineType.MARIADB)
    assert engine is not None
    started = server.MariaDbServer(
        engine=engine,
        orders=ServerOrders(listen_address="127.0.0.1", port=1, server_id=1, memory_bytes=2**28, options={}, user=None),
        paths=ServerPaths(
            data_directory=str(tmp_path), run_directory=str(tmp_path / "run"), config_directory=str(tmp_path)
        ),
    )
    with (tmp_path / "claim").open("w") as claim:
        started.start(inherited=claim.fileno(), log=tmp_path / "log")
    with pytest.raises(Ended):
        started.wait(10)
    assert started.complaint() == said


def test_no_rights_are_given_on_a_schema_of_the_servers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an older operator asks for: whoever may write into `mysql` makes himself any right."""
    asked = server.MariaDbServer(engine=MagicMock(), orders=MagicMock(), paths=MagicMock())
    connect = MagicMock()
    monkeypatch.setattr(asked, "connect", connect)
    with pytest.raises(OSError, match="MySQL is a schema of the server's own"):
        asked.set_account("orders", "secret", "MySQL")
    assert not connect.called


def test_a_keeper_whose_user_has_no_name_says_so_before_it_begins_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where an agent is a container of whatever number: the keeper ended with a traceback, and said nothing."""
    directory = filled(tmp_path)
    before = sorted(directory.rglob("*"))
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    monkeypatch.setattr(serve, "REFUSAL_SHOWN_SECONDS", 0.0)
    monkeypatch.setattr(serve, "REFUSAL_UNTOLD_SECONDS", 0.0)
    keeper = Keeper(replace(orders(tmp_path), mode="Serve"), tmp_path)
    monkeypatch.setattr(keeper, "_open_endpoint", lambda: None)
    with pytest.raises(Refused, match="user 4000000, as whom the keeper runs, has no name on this agent"):
        keeper._answering(keeper._serve)
    assert sorted(directory.rglob("*")) == before
    assert "has no name" in keeper._state.status.reason


def test_who_met_an_error_is_told_by_number_where_it_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    error = PermissionError(errno.EACCES, "Permission denied", "/srv/databases")
    assert in_words(error) == "/srv/databases: Permission denied (the keeper runs as user 4000000)"
