"""Links that the server's user may put in the keeper's way: root writes, gives away and makes nothing through them.

Every member's server on an agent runs as that user, so what one of them may write, another one's may, too.
"""

import os
import pwd
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from statefuldb.keeper import directory as member
from statefuldb.keeper import server as servers
from statefuldb.keeper.claim import Claim
from statefuldb.keeper.files import sync_tree, write_durably
from statefuldb.keeper.refusal import Refused
from statefuldb.keeper.run_directory import run_directory
from statefuldb.model.keeper import KeeperConfig
from statefuldb.model.spec import EngineType
from statefuldb.planning.engines import engine_of
from statefuldb.planning.engines.engine import ServerOrders, ServerPaths
from unit.keeper.test_erase import filled, orders

USERS = {user.pw_name: user for user in pwd.getpwall()}
as_root = pytest.mark.skipif(
    os.geteuid() != 0 or "mysql" not in USERS, reason="only root has a server run as another user, mysql"
)


@pytest.fixture
def top() -> Iterator[Path]:
    """Yield a folder that everybody may enter, also who runs no tests."""
    with tempfile.TemporaryDirectory(prefix="sdb-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def server(top: Path) -> servers.MariaDbServer:
    """Return a server with its data in `data/mysql`."""
    engine = engine_of(EngineType.MARIADB)
    assert engine is not None
    (top / "data").mkdir(exist_ok=True)
    (top / "run").mkdir()
    # As the keeper makes it, whatever the umask.
    (top / "run").chmod(0o711)
    return servers.MariaDbServer(
        engine=engine,
        orders=ServerOrders(listen_address="127.0.0.1", port=1, server_id=1, memory_bytes=2**28, options={}, user=None),
        paths=ServerPaths(
            data_directory=str(top / "data/mysql"),
            run_directory=str(top / "run/run"),
            config_directory=str(top / "run"),
        ),
    )


def standing_in(name: str, script: Path, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a script stand for one of the programs that are started."""
    script.write_text(f"#!/bin/sh\n{says}\n")
    script.chmod(0o755)
    real = servers._binary
    monkeypatch.setattr(servers, "_binary", lambda asked: str(script) if asked == name else real(asked))


def started(top: Path, monkeypatch: pytest.MonkeyPatch, says: str = "true") -> str:
    """Start a server that only says something, and return what it logs."""
    made = server(top)
    (top / "data/mysql").mkdir(exist_ok=True)
    standing_in("mariadbd", top / "mariadbd", says, monkeypatch)
    with (top / "claim").open("w") as claim:
        made.start(inherited=claim.fileno(), log=top / "log")
    assert made._process is not None
    made._process.wait(10)
    return (top / "log").read_text()


def owner(path: Path) -> str:
    return pwd.getpwuid(path.lstat().st_uid).pw_name


def give(path: Path, name: str) -> None:
    os.chown(path, USERS[name].pw_uid, USERS[name].pw_gid, follow_symlinks=False)


def test_what_is_written_anew_goes_where_no_link_leads(tmp_path: Path) -> None:
    """The draft's name is known, so that one who may write into the folder can put a link there."""
    other = tmp_path / "shadow"
    other.write_text("root:x")
    (tmp_path / ".server.cnf.new").symlink_to(other)
    (tmp_path / "server.cnf").symlink_to(other)
    write_durably(tmp_path / "server.cnf", "[mysqld]\n")
    assert other.read_text() == "root:x"
    assert not (tmp_path / "server.cnf").is_symlink()
    assert (tmp_path / "server.cnf").read_text() == "[mysqld]\n"


def test_a_draft_that_a_crash_has_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".token.new").write_text("123456")
    write_durably(tmp_path / "token", "7")
    assert (tmp_path / "token").read_text() == "7"


@as_root
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_the_server_reads_its_configuration_and_may_not_write_where_it_lies(
    umask: int, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(umask)
    try:
        said = started(
            top, monkeypatch, says="f=${1#--defaults-file=}; cat $f; test -w $f || test -w ${f%/*} || id -un"
        )
    finally:
        os.umask(before)
    assert f"datadir = {top}/data/mysql" in said
    assert said.endswith("mysql\n")
    assert [owner(top / "run" / name) for name in ("server.cnf", "run")] == ["root", "mysql"]


@as_root
def test_the_first_database_is_made_by_the_servers_user_alone(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script of MariaDB writes into the folder itself, where another server may have put a link meanwhile."""
    standing_in("mariadb-install-db", top / "install", 'cat "${1#--defaults-file=}" && id -un > made', monkeypatch)
    server(top).initialise(top / "data/mysql", inherited=0)
    made = top / "data/mysql/made"
    assert (made.read_text(), owner(made), owner(made.parent)) == ("mysql\n", "mysql", "mysql")
    assert owner(top / "run/first.cnf") == "root"


@as_root
def test_data_changes_hands_though_a_folder_in_it_gives_way_to_a_link(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    within, other = top / "data/mysql/shop", top / "elsewhere"
    for folder in (within, other):
        folder.mkdir(parents=True)
        (folder / "passwd").touch()
    (top / "data/mysql/link").symlink_to(other)
    chown = os.chown

    def meanwhile(path: str | Path, *to: int, **named: object) -> None:
        if Path(path).name == "passwd" and not within.is_symlink():
            within.rename(top / "data/mysql/before")
            within.symlink_to(other)
        chown(path, *to, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "chown", meanwhile)
    started(top, monkeypatch)
    assert [owner(path) for path in (other, other / "passwd")] == ["root", "root"]
    before = top / "data/mysql/before"
    assert [owner(path) for path in (before.parent, before, before / "passwd")] == ["mysql"] * 3


def test_what_is_made_durable_is_neither_waited_for_nor_looked_for_elsewhere(tmp_path: Path) -> None:
    """A pipe that nobody writes into is open only once somebody does."""
    os.mkfifo(tmp_path / "pipe")
    ended: list[bool] = []

    def sync() -> None:
        with pytest.raises(OSError, match="Invalid argument"):
            sync_tree(tmp_path)
        ended.append(True)

    worker = threading.Thread(target=sync, daemon=True)
    worker.start()
    worker.join(10)
    assert ended


@as_root
def test_what_cannot_be_removed_of_a_run_directory_opens_nothing_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's own temporary folders give such a file its owner's rights first, and follow a link (CVE-2023-6597)."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    other = tmp_path / "shadow"
    other.touch(mode=0o600)
    claim = Claim(tmp_path / "claim.lock", may_create=True)
    unlink = os.unlink

    def refused(path: str | Path, **named: object) -> None:
        if Path(path).name == "link":
            raise PermissionError
        unlink(path, **named)  # type: ignore[arg-type]

    with run_directory(claim) as made:
        (made / "link").symlink_to(other)
        monkeypatch.setattr(os, "unlink", refused)
    assert other.stat().st_mode & 0o777 == 0o600
    claim.release()


def test_another_process_at_the_servers_socket_is_told_nothing(tmp_path: Path) -> None:
    """Or whatever a link there leads to: the next thing it is told may be the password of an account."""
    made = server(tmp_path)
    made._process = MagicMock(pid=1)
    (tmp_path / "run/run").mkdir()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "other.sock"))
        other.listen()
        (tmp_path / "run/run/server.sock").symlink_to(tmp_path / "other.sock")
        with pytest.raises(OSError, match=f"answered by process {os.getpid()}, not by the server, 1"):
            made.connect()
    assert not made.answers()


def served(root: Path) -> KeeperConfig:
    return replace(orders(root), mode="Serve")


@pytest.mark.parametrize("name", [".statefuldb", "mysql"])
@pytest.mark.parametrize("mode", ["Serve", "Erase"])
def test_a_link_in_the_members_directory_leads_nowhere(mode: str, name: str, tmp_path: Path) -> None:
    path = filled(tmp_path)
    (path / name).rename(tmp_path / "elsewhere")
    (path / name).symlink_to(tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere").stat().st_mode
    with pytest.raises(Refused, match=f"{name} is a symbolic link: it could lead out of"):
        member.open_directory(replace(served(tmp_path), mode=mode), tmp_path, "mysql")
    assert (tmp_path / "elsewhere").stat().st_mode == before


def test_a_link_is_no_lock(tmp_path: Path) -> None:
    path = filled(tmp_path)
    lock = path / ".statefuldb/claim.lock"
    lock.rename(tmp_path / "elsewhere")
    lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links") as refusal:
        Claim(lock, may_create=True)
    assert refusal.value.filename == str(lock)


def test_a_lock_whose_place_a_link_has_taken_is_held_no_more(tmp_path: Path) -> None:
    lock = tmp_path / "claim.lock"
    claim = Claim(lock, may_create=True)
    assert claim.holds()
    lock.rename(tmp_path / "elsewhere")
    lock.symlink_to(tmp_path / "elsewhere")
    assert not claim.holds()
    claim.release()


@as_root
def test_the_stand_ins_are_run_as_they_would_be(top: Path) -> None:
    """Where `mysql` could not enter this folder, nothing above would say anything."""
    to = ["setpriv", "--reuid", "mysql", "--regid", "mysql", "--clear-groups", "test", "-x", str(top)]
    assert subprocess.run(to, check=False).returncode == 0
