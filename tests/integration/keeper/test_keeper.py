"""A keeper with a real MariaDB server, killed in every way."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pymysql
import pytest

from statefuldb.adapters.keeper.client import KeeperClient, KeeperError
from statefuldb.adapters.keeper.operator_identity import OperatorCertificates, make_identity
from statefuldb.keeper.claim import Claim
from statefuldb.model.keeper import (
    CERTIFICATE_FILE,
    ENVIRONMENT_VARIABLE,
    DataLocation,
    KeeperConfig,
    KeeperPhase,
    KeeperStatus,
)

pytestmark = pytest.mark.skipif(shutil.which("mariadbd", path="/usr/sbin") is None, reason="no MariaDB server here")
PASSWORD = "correct-horse-battery-staple"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


class Member:
    """One member's directory, and the keepers started on it."""

    def __init__(self, root: Path, certificates: OperatorCertificates) -> None:
        self.root = root
        self.certificates = certificates
        self.identity = root / "identity.pem"
        self.identity.write_text(certificates.client_pem)
        self.processes: list[subprocess.Popen[bytes]] = []
        (root / "data").mkdir()
        self.config = KeeperConfig(
            mode="Serve",
            cluster="c",
            uid="u",
            namespace="shop",
            name="orders",
            ordinal=0,
            incarnation=1,
            task_id="sdb.u.0.1",
            engine="MariaDB",
            version="10.11",
            config={"max-connections": "33"},
            memory_bytes=256 * 2**20,
            data=DataLocation(
                strategy="HostPath",
                directory=str(root / "data/shop/orders/0"),
                root=str(root / "data"),
            ),
            bootstrap="Empty",
            minimum_token=0,
            listen_address="127.0.0.1",
            port=free_port(),
            keeper_port=free_port(),
            operator_ca_pem=certificates.ca_pem,
            stop_grace_seconds=20,
        )

    @property
    def directory(self) -> Path:
        return self.root / "data/shop/orders/0"

    def sandbox(self, config: KeeperConfig) -> Path:
        return self.root / f"sandbox-{config.incarnation}"

    def start(self, config: KeeperConfig, *prefix: str) -> "subprocess.Popen[bytes]":
        sandbox = self.sandbox(config)
        sandbox.mkdir()
        with (sandbox / "stderr").open("wb") as errors:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "statefuldb.keeper"],
                env={**os.environ, ENVIRONMENT_VARIABLE: config.to_json(), "MESOS_SANDBOX": str(sandbox)},
                stderr=errors,
            )
        self.processes.append(process)
        return process

    def client(self, config: KeeperConfig) -> KeeperClient:
        certificate = self.sandbox(config) / CERTIFICATE_FILE
        eventually(certificate.exists)
        return KeeperClient(
            address="127.0.0.1", port=config.keeper_port, pinned_pem=certificate.read_text(), identity=self.identity
        )

    def serving(self, config: KeeperConfig) -> tuple[KeeperClient, KeeperStatus]:
        client = self.client(config)
        status = client.status()
        while status.phase is not KeeperPhase.RUNNING:
            assert status.phase is not KeeperPhase.REFUSED, status.reason
            status = client.status(after=status.revision)
        return client, status

    def refusal(self, config: KeeperConfig) -> str:
        assert self.start(config).wait(timeout=30) == 64
        return (self.sandbox(config) / "stderr").read_text()

    def successor(self, **changes: object) -> KeeperConfig:
        number = len(self.processes) + 1
        changed = replace(
            self.config,
            incarnation=number,
            task_id=f"sdb.u.0.{number}",
            bootstrap="None",
            port=free_port(),
            keeper_port=free_port(),
        )
        return replace(changed, **changes)  # type: ignore[arg-type]

    def sql(self, config: KeeperConfig, statement: str) -> object:
        connection = pymysql.connect(
            host="127.0.0.1", port=config.port, user="app", password=PASSWORD, database="app", autocommit=True
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


def set_account(client: KeeperClient, epoch: int = 1) -> None:
    client.set_credentials(epoch=epoch, revision="7", username="app", password=PASSWORD, database="app")


@pytest.fixture
def member(tmp_path: Path) -> Iterator[Member]:
    # The server runs as another user and must be able to reach its directory.
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    one = Member(tmp_path, make_identity())
    yield one
    for process in one.processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_rows_survive_a_clean_stop_and_a_killed_engine(member: Member) -> None:
    process = member.start(member.config)
    client, status = member.serving(member.config)
    assert status.token == 1
    assert status.engine.settings["max_connections"] == "33"
    set_account(client)
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


def test_one_writer_the_engine_dies_with_its_keeper_and_the_lock_is_free_then(member: Member) -> None:
    process = member.start(member.config)
    _, status = member.serving(member.config)
    claim = Claim(member.directory / ".statefuldb/claim.lock")
    assert not claim.try_take()
    began = time.monotonic()
    process.kill()
    eventually(claim.try_take)
    sys.stderr.write(f"lock free {time.monotonic() - began:.3f} s after kill -9 of the keeper\n")
    assert (
        not Path(f"/proc/{status.engine.pid}").exists()
        or "Z" in Path(f"/proc/{status.engine.pid}/stat").read_text().rpartition(")")[2].split()[0]
    )
    claim.release()


def test_one_writer_a_second_keeper_waits_until_the_first_is_gone(member: Member) -> None:
    first = member.start(member.config)
    member.serving(member.config)
    second = member.successor()
    prefix = ("unshare", "--pid", "--fork", "--kill-child") if os.geteuid() == 0 else ()
    member.start(second, *prefix)
    client = member.client(second)
    status = client.status()
    while status.phase is not KeeperPhase.WAITING_FOR_CLAIM:
        status = client.status(after=status.revision)
    assert status.engine.pid == 0
    first.terminate()
    member.serving(second)


def test_a_directory_without_our_marker_is_never_initialised(member: Member) -> None:
    member.directory.mkdir(parents=True)
    (member.directory / "precious").write_text("rows")
    assert "not ours to initialise" in member.refusal(member.config)
    assert (member.directory / "precious").read_text() == "rows"
    (member.directory / "precious").unlink()
    assert "no bootstrap was asked for" in member.refusal(member.successor())


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


def test_erase_removes_the_data_but_not_under_a_running_server(member: Member) -> None:
    process = member.start(member.config)
    member.serving(member.config)
    assert "still held" in member.refusal(member.successor(mode="Erase"))
    process.terminate()
    process.wait()
    assert member.start(member.successor(mode="Erase")).wait(timeout=30) == 0
    assert not member.directory.exists()
