"""What goes wrong around a server: nothing is waited for that never comes, and no server is left to be killed."""

import errno
import fcntl
import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pymysql
import pytest

from statefuldb.keeper import directory as member
from statefuldb.keeper import serve
from statefuldb.keeper.claim import Claim
from statefuldb.keeper.files import rotate, write_durably
from statefuldb.keeper.refusal import Ended, Refused
from statefuldb.keeper.serve import Keeper
from statefuldb.keeper.server import MariaDbServer
from statefuldb.keeper.silence import told_of_silence
from statefuldb.model.keeper import KeeperPhase
from unit.keeper.test_erase import filled, orders


def opened(root: Path) -> tuple[Keeper, member.MemberDirectory, Claim]:
    filled(root)
    config = replace(orders(root), mode="Serve")
    directory = member.open_directory(config, root, "mysql")
    return Keeper(config, root), directory, Claim(directory.lock, may_create=False)


def test_a_claim_that_cannot_be_waited_for_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers of a shared file system that lose a client wake it with an error; nobody is waited for any more then."""
    keeper, directory, claim = opened(tmp_path)

    def flock(_: int, how: int) -> None:
        raise BlockingIOError if how & fcntl.LOCK_NB else OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="Transport endpoint is not connected") as told:
        keeper._take(directory, claim)
    assert told.value.filename == str(directory.lock)
    claim.release()


def started(root: Path, monkeypatch: pytest.MonkeyPatch, server: MagicMock) -> Keeper:
    """Return a keeper that has everything but its server."""
    keeper, directory, claim = opened(root)
    server.pid = 7
    server.version.return_value = "10.11.6"
    monkeypatch.setattr(keeper, "_open", lambda: (directory, claim))
    monkeypatch.setattr(keeper, "_server", lambda *_: server)
    monkeypatch.setattr(serve, "READY_POLL_SECONDS", 0.0)
    return keeper


def test_a_server_that_does_not_say_its_settings_yet_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where clients that come back have all connections: it was killed for that, and again after each start."""
    server = MagicMock()
    keeper = started(tmp_path, monkeypatch, server)
    reasons = []

    def settings() -> dict[str, str]:
        reasons.append(keeper._state.status.reason)
        if len(reasons) < 3:
            raise OSError("Too many connections")
        return {"max_connections": "33"}

    server.settings.side_effect = settings
    monkeypatch.setattr(keeper, "_watch", lambda *_: 0)
    assert keeper._serve() == 0
    assert reasons == ["", "Too many connections", "Too many connections"]
    status = keeper._state.status
    assert (status.phase, status.reason, status.engine.answers_sql) == (KeeperPhase.RUNNING, "", True)


def test_a_server_that_knows_no_such_account_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where --framework-user was changed: the database was `Starting` for ever, and nobody was told why."""
    server = MariaDbServer(engine=MagicMock(), orders=MagicMock(), paths=MagicMock())
    monkeypatch.setattr(server, "_socket", MagicMock())
    denied = pymysql.OperationalError(1698, "Access denied for user 'mysql'@'localhost'")
    monkeypatch.setattr(pymysql.connections.Connection, "connect", MagicMock(side_effect=denied))
    monkeypatch.setattr(server, "wait", MagicMock(side_effect=AssertionError("it is waited for")))
    keeper, directory, claim = opened(tmp_path)
    with pytest.raises(Refused, match=r"the server does not let \w+ in, as whom the keeper runs"):
        keeper._await_answer(server, directory)
    claim.release()


@pytest.mark.parametrize("when", ["settings", "answers"])
def test_a_server_is_stopped_before_anybody_is_told_why(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telling takes seconds, in which nobody looks after it; and it would be killed at their end."""
    server = MagicMock()
    keeper = started(tmp_path, monkeypatch, server)
    monkeypatch.setattr(keeper, "_open_endpoint", lambda: None)
    if when == "settings":
        server.settings.side_effect = Refused("the server is not durable")
    else:
        server.settings.return_value = {}
        monkeypatch.setattr(Claim, "holds", MagicMock(side_effect=[True, OSError(errno.ESTALE, "Stale file handle")]))
    stopped_when_shown = []
    monkeypatch.setattr(keeper, "_show", lambda _: stopped_when_shown.append(server.stop.called))
    with pytest.raises(Refused):
        keeper._answering(keeper._serve)
    assert stopped_when_shown == [True]


def test_a_log_that_cannot_be_kept_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of the sandbox is another one than that of the data: a database went down because its log was large."""
    log = tmp_path / "server.log"
    log.write_bytes(b"x" * 100)

    def full(_: Path, to: Path) -> Any:
        to.write_bytes(b"x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(to))

    monkeypatch.setattr(shutil, "copyfile", full)
    rotate(log, limit_bytes=10)
    assert log.read_bytes() == b""
    assert not (tmp_path / "server.log.1").exists()


def test_a_log_that_somebody_removed_takes_no_database_down(tmp_path: Path) -> None:
    """As a person does who makes room in the sandbox: the server was stopped, and the reason was that file."""
    rotate(tmp_path / "server.log")
    assert not list(tmp_path.iterdir())


def test_what_was_moved_away_while_there_was_no_space_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever makes space may move the directory to a larger disk: the lock is on a file that nobody finds any more."""
    server = MagicMock()
    server.start.side_effect = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    keeper = started(tmp_path, monkeypatch, server)
    path = Path(keeper._config.data.directory)

    def make_space(**_: bool) -> None:
        shutil.copytree(path, path.with_name("copy"))
        shutil.rmtree(path)
        path.with_name("copy").rename(path)
        server.start.side_effect = None

    monkeypatch.setattr(keeper._disk, "_wait_for_space", make_space)
    with pytest.raises(Refused, match=r"claim\.lock was removed or replaced"):
        keeper._serve()
    assert server.start.call_count == 1
    assert not keeper._state.status.claim_held


def test_a_lock_that_is_not_answered_for_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the lock service of an NFS server is away: the database was `Checking` for ever."""
    keeper, directory, claim = opened(tmp_path)
    monkeypatch.setattr(serve, "told_of_silence", partial(told_of_silence, after_seconds=0.01))
    said = []

    def asked() -> bool:
        said.append(keeper._state.wait_after(1, 10).reason)
        return True

    monkeypatch.setattr(claim, "try_take", asked)
    assert keeper._take(directory, claim)
    assert ["is its file system there?" in reason for reason in said] == [True]
    assert keeper._state.status.reason == ""
    claim.release()


@pytest.mark.parametrize("at", ["a token that is written", "a server that starts"])
def test_a_quota_that_is_used_up_is_waited_for_as_a_full_disk(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of CephFS and GlusterFS: the keeper ended, again and again, and much was free by the file system's count."""
    server = MagicMock()
    keeper = started(tmp_path, monkeypatch, server)
    said: list[tuple[KeeperPhase, str]] = []

    def wait(*_: Any) -> bool:
        said.append((keeper._state.status.phase, keeper._state.status.reason))
        keeper._stopping.set()
        return True

    server.denial = ""
    if at == "a server that starts":
        server.answers.return_value = False
        server.wait.side_effect = Ended("the database server ended by itself with signal SIGABRT")
        server.complaint.return_value = "InnoDB: Write to file ./ibdata1 failed. Operating system error number 122."
    else:
        monkeypatch.setattr(member, "next_token", MagicMock(side_effect=OSError(errno.EDQUOT, "Disk quota exceeded")))
    monkeypatch.setattr(keeper._stopping, "wait", wait)
    monkeypatch.setattr(keeper, "_watch", lambda *_: 0)
    keeper._serve()
    assert said == [(KeeperPhase.DISK_FULL, f"the quota is used up where {keeper._config.data.directory} lies")]


def test_a_full_disk_that_the_data_does_not_lie_on_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of /tmp: much was said to be free where the data lies, and waited for there, for ever."""
    server = MagicMock()
    keeper = started(tmp_path, monkeypatch, server)
    server.start.side_effect = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/proc/sdb-1/server.cnf")
    monkeypatch.setattr(keeper, "_open_endpoint", lambda: None)
    monkeypatch.setattr(keeper, "_show", lambda _: None)
    monkeypatch.setattr(keeper._disk, "_wait_for_space", lambda **_: keeper._stopping.set())
    with pytest.raises(Refused, match=r"/proc/sdb-1/server\.cnf: No space left on device"):
        keeper._answering(keeper._serve)


def test_what_cannot_be_written_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was called `the data`."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as told:
        write_durably(tmp_path / "server.cnf", "port = 1")
    assert told.value.filename == str(tmp_path / "server.cnf")


def test_what_a_stop_breaks_off_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could be written down as one: `mariadb-install-db failed: ` was what a stop in a first start left behind."""
    server = MagicMock()
    keeper = started(tmp_path, monkeypatch, server)
    monkeypatch.setattr(keeper, "_open_endpoint", lambda: None)

    def broken_off(*_: Any, **__: Any) -> None:
        keeper._end()
        raise Refused("mariadb-install-db failed: ")

    server.start.side_effect = broken_off
    with pytest.raises(Refused):
        keeper._answering(keeper._serve)
    assert keeper._state.status.phase is not KeeperPhase.REFUSED
