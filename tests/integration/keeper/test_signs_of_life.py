"""A keeper that lives gives signs of life while it is waited for; one that gives none is noticed."""

import asyncio
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from integration.keeper.following import IDENTITY, KEY, Following, Served
from integration.keeper.member import Member, eventually
from statefuldb.adapters.keeper import pool
from statefuldb.adapters.keeper.connection import operator_context
from statefuldb.adapters.keeper.listening import WAKE_BYTES, Listening
from statefuldb.adapters.keeper.pool import KeeperPool
from statefuldb.adapters.machine import RealMachine
from statefuldb.keeper import state
from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.keeper import (
    CERTIFICATE_FILE,
    SIGN_OF_LIFE,
    EngineStatus,
    KeeperConfig,
    KeeperPhase,
    KeeperStatus,
)
from statefuldb.model.volume import AgentRef, Launch

# As short as a keeper allows.
BEAT_SECONDS = 1.0
SERVING = EngineStatus(ready=True, answers_sql=True)
ASKED_AS_EVER = b"GET /v1/status?after=1&timeout_seconds=1.5 HTTP/1.1\r\nHost: keeper\r\n\r\n"
ASKED_FOR_SIGNS = ASKED_AS_EVER.replace(b" HTTP", b"&beat_seconds=1 HTTP")


@contextmanager
def spoken_to(keeper: Served, folder: Path) -> Iterator[ssl.SSLSocket]:
    identity = folder / "operator.pem"
    identity.write_text(IDENTITY.client_pem)
    address = ("127.0.0.1", keeper.server_address[1])
    with socket.create_connection(address, 20) as plain, operator_context(identity).wrap_socket(plain) as tls:
        yield tls


def test_a_keeper_that_is_asked_to_gives_a_sign_of_life_at_once_and_then_its_answer(
    following: Following, tmp_path: Path
) -> None:
    keeper = following.serve(1)
    with spoken_to(keeper, tmp_path) as tls:
        tls.sendall(ASKED_FOR_SIGNS.replace(b"seconds=1.5", b"seconds=60"))
        assert tls.recv(4096) == SIGN_OF_LIFE
        keeper.state.update(phase=KeeperPhase.RUNNING)
        head, body = tls.recv(4096), tls.recv(4096)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert KeeperStatus.from_json(body.decode()).phase is KeeperPhase.RUNNING
    assert len(head + body) > WAKE_BYTES, "an answer of so few bytes would be heard of late"


def test_an_operator_that_does_not_ask_for_signs_of_life_gets_none(following: Following, tmp_path: Path) -> None:
    with spoken_to(following.serve(1), tmp_path) as tls:
        tls.sendall(ASKED_AS_EVER)
        assert tls.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_keeper_that_has_not_looked_at_its_server_for_long_does_not_repeat_that_it_answers(
    following: Following, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = following.serve(1)
    monkeypatch.setattr(state, "STANDS_SECONDS", 0.0)
    with spoken_to(keeper, tmp_path) as tls:
        # It says of no server that it answers: that may be repeated.
        tls.sendall(ASKED_FOR_SIGNS)
        assert tls.recv(4096) == SIGN_OF_LIFE
        keeper.state.update(engine=SERVING)
        assert tls.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        tls.recv(4096)
        tls.sendall(ASKED_FOR_SIGNS.replace(b"after=1", b"after=2"))
        assert tls.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_keeper_that_knows_no_signs_of_life_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that an answer comes before the first sign would.
    monkeypatch.setattr(pool, "UNHEARD_POLL_SECONDS", BEAT_SECONDS)
    impatient = Following(tmp_path, Listening(beat_seconds=BEAT_SECONDS, look_seconds=0.01, silent_seconds=0.1))
    try:
        keeper = impatient.serve(1)
        impatient.watch(1, keeper)
        for _ in range(3):
            assert keeper.state.waited_for.wait(20)
            keeper.state.waited_for.clear()
        assert keeper.connections == 1
        assert impatient.enqueued == [KEY], "it was called silent"
    finally:
        impatient.close()


class Slept:
    """A connection on which something has come between any two looks, though nobody was woken for it."""

    def __init__(self, looks: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._other = socket.create_connection(listener.getsockname())
            self._here, _ = listener.accept()
        self._other.send(b"x")
        self._answers = [answer for _ in range(looks) for answer in (SIGN_OF_LIFE, None)]

    def fileno(self) -> int:
        return self._here.fileno()

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self._here.setsockopt(level, option, value)

    def recv(self, size: int) -> bytes:
        if not self._answers:
            return b"HTTP/1.1 200 OK\r\n"
        if (answer := self._answers.pop(0)) is None:
            raise ssl.SSLWantReadError
        return answer

    def close(self) -> None:
        self._here.close()
        self._other.close()


def test_an_operator_that_was_held_up_reads_before_it_calls_a_keeper_silent() -> None:
    connection = Slept(looks=2)
    listening = Listening(look_seconds=1.1, silent_seconds=1.0)
    try:
        assert asyncio.run(listening.hear(connection)) == b"HTTP/1.1 200 OK\r\n"  # type: ignore[arg-type]
    finally:
        connection.close()


class Watching:
    """A pool that follows one real keeper."""

    def __init__(self, member: Member, config: KeeperConfig) -> None:
        self.task_id = TaskId(uid=config.uid, ordinal=config.ordinal, incarnation=config.incarnation)
        certificate = member.sandbox(config) / CERTIFICATE_FILE
        eventually(certificate.exists)
        self.pool = KeeperPool(
            fetch_certificate=lambda task_id, launch: certificate.read_text(),
            identity=member.identity,
            epoch=lambda seen: 1,
            clock=RealMachine(),
            enqueue=lambda key: None,
            listening=Listening(beat_seconds=BEAT_SECONDS, look_seconds=0.5, silent_seconds=5.0),
        )
        launch = Launch(
            incarnation=1,
            agent=AgentRef(id="a", hostname="agent-1", address="127.0.0.1"),
            template="t",
            cpus_milli=500,
            memory_bytes=1,
            port=config.port,
            keeper_port=config.keeper_port,
            at_seconds=time.time(),
        )
        self.pool.watch(DatabaseKey(namespace="shop", name="orders"), self.task_id, launch)

    def serves(self) -> bool:
        view = self.pool.view(self.task_id)
        return view is not None and view.status is not None and view.status.engine.answers_sql


def test_a_keeper_that_is_stopped_is_silent_until_it_goes_on(member: Member) -> None:
    process = member.start(member.config)
    member.serving(member.config)
    watching = Watching(member, member.config)
    try:
        eventually(watching.serves)
        server = member.client(member.config).status().engine.pid
        stopped_at = time.monotonic()
        os.kill(process.pid, signal.SIGSTOP)
        try:
            eventually(lambda: not watching.serves(), seconds=60)
            # Without signs of life it is noticed when the answer is overdue.
            assert time.monotonic() - stopped_at < pool.LONG_POLL_SECONDS / 4
        finally:
            os.kill(process.pid, signal.SIGCONT)
        eventually(watching.serves)
        assert member.client(member.config).status().engine.pid == server
    finally:
        watching.pool.close()
