"""Following keepers: at once, over one lasting connection each, on one thread, and only the keeper that is pinned."""

import asyncio
import gc
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from integration.keeper.member import eventually
from statefuldb.adapters.keeper.connection import open_connection, operator_context
from statefuldb.adapters.keeper.operator_identity import make_identity
from statefuldb.adapters.keeper.pool import KeeperPool
from statefuldb.adapters.machine import RealMachine
from statefuldb.keeper.certificate import server_context
from statefuldb.keeper.endpoint import Endpoint
from statefuldb.keeper.state import State
from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.keeper import KeeperPhase, KeeperStatus
from statefuldb.model.volume import AgentRef, Launch
from statefuldb.reconcile.ports import EffectFailed

KEY = DatabaseKey(namespace="shop", name="orders")
IDENTITY = make_identity()


def task(number: int) -> TaskId:
    return TaskId(uid="11111111-2222-3333-4444-555555555555", ordinal=0, incarnation=number)


class Asked(State):
    """A status that notes that somebody waits for the next."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id)
        self.waited_for = threading.Event()

    def wait_after(self, revision: int, timeout_seconds: float) -> KeeperStatus:
        self.waited_for.set()
        return super().wait_after(revision, timeout_seconds)


class Served(Endpoint):
    """A keeper's endpoint without a keeper, which counts its connections."""

    state: Asked

    def __init__(self, task_id: TaskId, port: int = 0) -> None:
        context, self.certificate = server_context(str(task_id), IDENTITY.ca_pem)
        self.connections = 0
        self.told: list[Mapping[str, Any]] = []
        super().__init__(
            ("127.0.0.1", port),
            context=context,
            state=Asked(str(task_id)),
            commands={"/v1/credentials": self._set},
        )
        self.start()

    def _set(self, body: Mapping[str, Any]) -> None:
        self.told.append(body)
        self.state.update(credentials_revision=body["revision"])

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()

    @property
    def launch(self) -> Launch:
        return Launch(
            incarnation=1,
            agent=AgentRef(id="a", hostname="agent-1", address="127.0.0.1"),
            template="t",
            cpus_milli=500,
            memory_bytes=1,
            port=1,
            keeper_port=self.server_address[1],
            at_seconds=0.0,
        )


class Following:
    """A pool, the keepers it may ask certificates of, and what it enqueued."""

    def __init__(self, folder: Path) -> None:
        identity = folder / "identity.pem"
        identity.write_text(IDENTITY.client_pem)
        self.certificates: dict[TaskId, str] = {}
        self.enqueued: list[DatabaseKey] = []
        self.keepers: list[Served] = []
        self.mistakes: list[Exception] = []
        self.pool = KeeperPool(
            fetch_certificate=self._fetch,
            identity=identity,
            epoch=3,
            clock=RealMachine(),
            enqueue=self.enqueued.append,
        )

    def _fetch(self, task_id: TaskId, launch: Launch) -> str:
        if self.mistakes:
            raise self.mistakes.pop()
        try:
            return self.certificates[task_id]
        except KeyError:
            raise EffectFailed("no certificate yet") from None

    def serve(self, number: int, port: int = 0) -> Served:
        keeper = Served(task(number), port)
        self.keepers.append(keeper)
        self.certificates[task(number)] = keeper.certificate
        return keeper

    def watch(self, number: int, keeper: Served) -> None:
        self.pool.watch(KEY, task(number), keeper.launch)

    def sees(self, number: int, wanted: Callable[[Any], bool]) -> None:
        eventually(lambda: (view := self.pool.view(task(number))) is not None and wanted(view))


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    made = Following(tmp_path)
    yield made
    made.pool.close()
    with ThreadPoolExecutor(len(made.keepers)) as ending:
        list(ending.map(Served.shutdown, made.keepers))
    for keeper in made.keepers:
        keeper.server_close()


def test_a_change_is_heard_of_on_the_same_connection(following: Following) -> None:
    keeper = following.serve(1)
    following.watch(1, keeper)
    following.sees(1, lambda view: view.status is not None and view.status.phase is KeeperPhase.CHECKING)
    eventually(lambda: len(following.enqueued) == 1)
    keeper.state.update(phase=KeeperPhase.STARTING)
    following.sees(1, lambda view: view.status.phase is KeeperPhase.STARTING)
    eventually(lambda: len(following.enqueued) == 2)
    keeper.state.update(phase=KeeperPhase.RUNNING)
    following.sees(1, lambda view: view.status.phase is KeeperPhase.RUNNING)
    eventually(lambda: len(following.enqueued) == 3)
    assert keeper.connections == 1


def test_fifty_keepers_take_no_thread_each(following: Following) -> None:
    keepers = [following.serve(number) for number in range(1, 51)]
    before = {thread.name for thread in threading.enumerate() if not thread.name.startswith("Thread-")}
    for number, keeper in enumerate(keepers, 1):
        following.watch(number, keeper)
    for number in range(1, 51):
        following.sees(number, lambda view: view.status is not None)
    after = {thread.name for thread in threading.enumerate() if not thread.name.startswith("Thread-")}
    assert len(after - before) <= 8, after - before


def test_a_connection_that_waits_keeps_no_error_behind(following: Following, tmp_path: Path) -> None:
    keeper = following.serve(1)
    context = operator_context(tmp_path / "identity.pem")

    async def wait() -> list[object]:
        port = keeper.server_address[1]
        connection = await open_connection("127.0.0.1", port, context=context, pinned_pem=keeper.certificate)
        waiting = asyncio.create_task(connection.get("/v1/status?after=1&timeout_seconds=60", timeout_seconds=60))
        assert await asyncio.to_thread(keeper.state.waited_for.wait, 20)
        kept: list[object] = [each for each in gc.get_objects() if isinstance(each, ssl.SSLWantReadError)]
        keeper.state.update(phase=KeeperPhase.RUNNING)
        assert KeeperStatus.from_json(await waiting).phase is KeeperPhase.RUNNING
        connection.close()
        return kept

    assert asyncio.run(wait()) == []


def test_a_keeper_gives_no_ticket_to_come_back_with(following: Following, tmp_path: Path) -> None:
    keeper = following.serve(1)
    context = operator_context(tmp_path / "identity.pem")
    address = ("127.0.0.1", keeper.server_address[1])
    with socket.create_connection(address) as plain, context.wrap_socket(plain) as tls:
        tls.sendall(b"GET /v1/status HTTP/1.0\r\n\r\n")
        while tls.recv(4096):
            pass
        assert tls.session is not None
        assert not tls.session.has_ticket


def test_an_impostor_is_sent_nothing_and_the_keeper_is_found_again(following: Following) -> None:
    impostor = following.serve(2)
    following.certificates[task(1)] = server_context(str(task(1)), IDENTITY.ca_pem)[1]
    following.watch(1, impostor)
    following.sees(1, lambda view: "another certificate" in view.error)
    with pytest.raises(EffectFailed):
        following.pool.send_credentials(task(1), revision="r", username="u", password="p", database="d")
    assert impostor.told == []
    port = impostor.server_address[1]
    impostor.shutdown()
    impostor.server_close()
    following.serve(1, port)
    following.sees(1, lambda view: view.status is not None and view.status.task_id == str(task(1)))


def test_credentials_are_sent_with_the_epoch_and_the_answer_is_seen(following: Following) -> None:
    keeper = following.serve(1)
    following.watch(1, keeper)
    following.sees(1, lambda view: view.status is not None)
    following.pool.send_credentials(task(1), revision="r7", username="u", password="p", database="d")
    assert keeper.told[0]["epoch"] == 3
    following.sees(1, lambda view: view.status.credentials_revision == "r7")


def test_who_is_not_followed_any_more_is_not_spoken_to(following: Following) -> None:
    keeper = following.serve(1)
    following.watch(1, keeper)
    following.sees(1, lambda view: view.status is not None)
    following.pool.unwatch(task(1))
    assert following.pool.view(task(1)) is None
    eventually(lambda: len(following.enqueued) == 1)
    keeper.state.update(phase=KeeperPhase.RUNNING)
    other = following.serve(2)
    following.watch(2, other)
    following.sees(2, lambda view: view.status is not None)
    eventually(lambda: len(following.enqueued) == 2)


def test_a_pool_that_is_closed_leaves_nothing_unfinished(following: Following) -> None:
    keepers = [following.serve(number) for number in (1, 2)]
    for number, keeper in enumerate(keepers, 1):
        following.watch(number, keeper)
        following.sees(number, lambda view: view.status is not None)
    following.pool.watch(KEY, task(3), keepers[0].launch)  # has no certificate, and is tried again
    following.sees(3, lambda view: "no certificate yet" in view.error)
    following.pool.close()
    tasks = [each for each in gc.get_objects() if isinstance(each, asyncio.Task) and not each.done()]
    assert not [each for each in tasks if "KeeperPool._follow" in repr(each)]


def test_a_keeper_is_followed_on_whatever_goes_wrong(following: Following) -> None:
    keeper = following.serve(1)
    following.mistakes.append(RuntimeError("nobody thought of that"))
    following.watch(1, keeper)
    following.sees(1, lambda view: "RuntimeError" in view.error)
    following.sees(1, lambda view: view.status is not None)


def test_a_keeper_that_does_not_answer_in_time_is_said_to(following: Following) -> None:
    following.mistakes = [TimeoutError() for _ in range(100)]
    following.watch(1, following.serve(1))
    following.sees(1, lambda view: view.error.endswith(": no answer in time"))
