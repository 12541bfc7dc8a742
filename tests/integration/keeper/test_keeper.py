"""A keeper with a real MariaDB server, killed in every way."""

import contextlib
import json
import os
import shutil
import signal
import ssl
import tempfile
from pathlib import Path

import pytest

from integration.keeper.member import PASSWORD, Member, set_account
from statefuldb.adapters.databases import mysql
from statefuldb.adapters.databases.mysql import SqlFailed, run_statements
from statefuldb.adapters.keeper.client import KeeperClient, KeeperError
from statefuldb.adapters.keeper.operator_identity import make_identity
from statefuldb.keeper.run_directory import OWNER_FILE, PREFIX
from statefuldb.model.keeper import CERTIFICATE_FILE, KeeperPhase


def test_rows_survive_a_clean_stop_and_a_killed_engine(member: Member) -> None:
    process = member.start(member.config)
    client, status = member.serving(member.config)
    assert status.token == 1
    assert status.engine.settings["max_connections"] == "33"
    set_account(client)
    assert member.sql(member.config, "SELECT @@binlog_expire_logs_seconds") == ((604800,),)
    member.sql(member.config, "CREATE TABLE t (a INT PRIMARY KEY)")
    member.sql(member.config, "INSERT INTO t VALUES (1)")
    process.terminate()
    assert process.wait(timeout=30) == 0
    second = member.successor(minimum_token=1)
    process = member.start(second)
    _, status = member.serving(second)
    assert status.token == 2
    member.sql(second, "INSERT INTO t VALUES (2)")
    os.kill(status.engine.pid, signal.SIGKILL)
    assert process.wait(timeout=30) == 1
    third = member.successor(minimum_token=2)
    member.start(third)
    member.serving(third)
    assert member.sql(third, "SELECT a FROM t ORDER BY a") == ((1,), (2,))


def test_a_server_that_answers_nobody_is_not_said_to_whether_it_hangs_or_is_being_stopped(member: Member) -> None:
    process = member.start(member.config)
    client, status = member.serving(member.config)
    os.kill(status.engine.pid, signal.SIGSTOP)
    try:
        while status.engine.answers_sql:
            status = client.status(after=status.revision)
        assert status.phase is KeeperPhase.RUNNING
        assert "answer" in status.reason
        os.kill(status.engine.pid, signal.SIGCONT)
        while not status.engine.answers_sql:
            status = client.status(after=status.revision)
        # It takes no signal while it is stopped, so that there is time to look.
        os.kill(status.engine.pid, signal.SIGSTOP)
        process.terminate()
        while status.phase is not KeeperPhase.STOPPING:
            status = client.status(after=status.revision)
        assert not status.engine.answers_sql
    finally:
        os.kill(status.engine.pid, signal.SIGCONT)
    assert process.wait(timeout=30) == 0


def test_options_reach_the_server_as_they_are_written(member: Member) -> None:
    written = "SET @said = 'a # b', @path = \"c:\\\\new\""
    options = {"init-connect": written, "innodb-flush-method": "fsync", "innodb-page-size": "4k"}
    config = member.successor(bootstrap="Empty", config=options)
    member.start(config)
    client, status = member.serving(config)
    assert status.engine.settings["innodb_flush_method"] == "fsync"
    set_account(client)
    assert member.sql(config, "SELECT @@init_connect, @said, @path") == ((written, "a # b", "c:\\new"),)
    assert member.sql(config, "SELECT @@innodb_page_size") == ((4096,),)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("x.skip_grant_tables", "1", "spec.engine.config.x.skip_grant_tables: Forbidden"),
        ("innodb-flush-method", "nosync", "one of O_DIRECT, fsync, O_DSYNC"),
        ("default-storage-engine", "NoSuchEngine", "Unknown/unsupported storage engine: NoSuchEngine"),
    ],
)
def test_a_server_that_cannot_serve_says_why(member: Member, option: str, value: str, said: str) -> None:
    assert said in member.refusal(member.successor(bootstrap="Empty", config={option: value}))


def test_tables_are_not_hidden_by_options_that_the_data_was_not_made_with(member: Member) -> None:
    """The server would look for `orders`, find nothing, and make an empty one beside."""
    process = member.start(member.config)
    client, _ = member.serving(member.config)
    set_account(client)
    member.sql(member.config, "CREATE TABLE Orders (a INT PRIMARY KEY)")
    process.terminate()
    assert process.wait(timeout=30) == 0
    hiding = {**member.config.config, "lower_case_table_names": "1"}
    said = "it was made without lower_case_table_names, the manifest asks for 1"
    assert said in member.refusal(member.successor(config=hiding))
    again = member.successor()
    member.start(again)
    member.serving(again)
    assert member.sql(again, "SELECT * FROM Orders") == ()


def test_a_directory_without_our_marker_is_never_initialised(member: Member) -> None:
    member.directory.mkdir(parents=True)
    (member.directory / "precious").write_text("rows")
    assert "not ours to initialise" in member.refusal(member.config)
    assert (member.directory / "precious").read_text() == "rows"
    (member.directory / "precious").unlink()
    assert "has no identity marker, where data is expected" in member.refusal(member.successor())


def test_another_members_directory_is_refused(member: Member) -> None:
    process = member.start(member.config)
    member.serving(member.config)
    process.terminate()
    process.wait()
    assert "belongs to another member" in member.refusal(member.successor(uid="other", bootstrap="Empty"))
    assert "stale" in member.refusal(member.successor(minimum_token=99))


def test_a_bootstrap_that_was_cut_off_is_begun_again(member: Member) -> None:
    folder = member.directory / ".statefuldb"
    folder.mkdir(parents=True)
    intent = {"cluster": "c", "uid": "u", "ordinal": 0, "engine": "MariaDB"}
    (folder / "bootstrap.intent").write_text(json.dumps(intent))
    (member.directory / "mysql.new").mkdir()
    (member.directory / "mysql").mkdir()
    (member.directory / "mysql/half").write_text("x")
    member.start(member.config)
    member.serving(member.config)
    assert not (member.directory / "mysql/half").exists()


def test_a_symbolic_link_cannot_lead_out_of_the_root(member: Member, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (member.root / "data/shop").symlink_to(tmp_path / "elsewhere")
    assert "symbolic link" in member.refusal(member.config)


def test_an_operator_of_an_earlier_epoch_changes_nothing(member: Member) -> None:
    member.start(member.config)
    client, _ = member.serving(member.config)
    set_account(client, epoch=5)
    with pytest.raises(KeeperError, match="409"):
        set_account(client, epoch=4)


def test_nobody_without_the_operators_certificate_is_answered(member: Member, tmp_path: Path) -> None:
    member.start(member.config)
    member.serving(member.config)
    other = tmp_path / "other.pem"
    other.write_text(make_identity().client_pem)
    pinned = (member.sandbox(member.config) / CERTIFICATE_FILE).read_text()
    stranger = KeeperClient(address="127.0.0.1", port=member.config.keeper_port, pinned_pem=pinned, identity=other)
    with pytest.raises((KeeperError, ssl.SSLError)):
        stranger.status()


def run_directories(member: Member) -> list[Path]:
    """Return the run directories that keepers of this member made and that are still there."""
    lock = str(member.directory / ".statefuldb/claim.lock")
    found = []
    for note in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{OWNER_FILE}"):
        # Those of other members come and go.
        with contextlib.suppress(FileNotFoundError):
            found += [note.parent] if note.read_text().endswith(lock) else []
    return found


def test_what_a_killed_keeper_left_in_the_folder_for_temporary_files_goes_with_the_next_one(member: Member) -> None:
    killed = member.start(member.config)
    member.serving(member.config)
    (left,) = run_directories(member)
    killed.kill()
    killed.wait()
    other = Path(tempfile.mkdtemp(prefix=PREFIX))
    (other / OWNER_FILE).write_text("0:0 " + str(member.root / "another/claim.lock"))
    try:
        successor = member.successor()
        process = member.start(successor)
        member.serving(successor)
        (made,) = run_directories(member)
        assert made != left
        assert not left.exists()
        assert other.exists()
        process.terminate()
        process.wait()
        assert run_directories(member) == []
    finally:
        shutil.rmtree(other)


def test_an_answer_is_waited_for_longer_than_to_be_let_in(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    member.start(member.config)
    client, _ = member.serving(member.config)
    set_account(client)
    secret = {"host": "127.0.0.1", "port": str(member.config.port), "username": "app", "database": "app"}
    monkeypatch.setattr(mysql, "CONNECT_TIMEOUT_SECONDS", 1)
    (answer,) = run_statements({**secret, "password": PASSWORD}, ["SELECT SLEEP(2)"])
    assert answer.rows == ((0,),)
    with pytest.raises(SqlFailed, match="timed out") as failure:
        list(run_statements({**secret, "password": PASSWORD}, ["SELECT SLEEP(9)"], answer_seconds=0.5))
    assert not failure.value.reached


@pytest.mark.parametrize("chosen", ["пароль é", "a'b\\c`d\n%s"])
def test_an_account_may_have_any_password(member: Member, chosen: str) -> None:
    member.start(member.config)
    client, _ = member.serving(member.config)
    client.set_credentials(epoch=1, revision="8", username="app", password=chosen, database="app")
    secret = {"host": "127.0.0.1", "port": str(member.config.port), "username": "app", "database": "app"}
    (answer,) = run_statements({**secret, "password": chosen}, ["SELECT 1"])
    assert answer.rows == ((1,),)
    with pytest.raises(SqlFailed, match="no password"):
        list(run_statements(secret, ["SELECT 1"]))


def test_the_password_is_nowhere_to_be_read(member: Member) -> None:
    process = member.start(member.config)
    client, status = member.serving(member.config)
    set_account(client)
    for pid in (process.pid, status.engine.pid):
        for name in ("cmdline", "environ"):
            assert PASSWORD.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
    for folder in (member.sandbox(member.config), member.directory):
        for path in folder.rglob("*"):
            if path.is_file():
                assert PASSWORD.encode() not in path.read_bytes(), path
                assert b"PRIVATE KEY" not in path.read_bytes(), path


def test_the_password_is_in_no_log_that_the_manifest_turns_on(member: Member) -> None:
    logs = {"general-log": "ON", "slow-query-log": "ON"}
    config = member.successor(bootstrap="Empty", config={**logs, "long-query-time": "0", "log-output": "FILE,TABLE"})
    process = member.start(config)
    client, _ = member.serving(config)
    set_account(client)
    member.sql(config, "CREATE TABLE seen (a INT)")
    (slow,) = (member.directory / "mysql").glob("*-slow.log")
    everything = slow.with_name(slow.name.replace("-slow", ""))
    assert "CREATE TABLE seen" in everything.read_text(), "the logs are on"
    process.terminate()
    process.wait()
    for path in member.directory.rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path


def test_erase_removes_the_data_but_not_under_a_running_server(member: Member) -> None:
    process = member.start(member.config)
    member.serving(member.config)
    refused = member.successor(mode="Erase")
    asked = member.start(refused)
    status = member.client(refused).status()
    while status.phase is not KeeperPhase.REFUSED:
        status = member.client(refused).status(after=status.revision)
    assert "still held" in status.reason, "whoever follows it can tell why"
    assert asked.wait(timeout=30) == 64
    # Of another member nothing is removed, whoever runs on it: nothing is left to do.
    others = member.successor(mode="Erase", uid="other")
    assert member.start(others).wait(timeout=30) == 0
    assert "nothing is removed" in (member.sandbox(others) / "stderr").read_text()
    process.terminate()
    process.wait()
    assert member.start(member.successor(mode="Erase")).wait(timeout=30) == 0
    assert not member.directory.exists()
