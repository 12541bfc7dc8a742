"""Keepers' endpoints without keepers, and a pool that follows them."""

import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from integration.keeper.member import eventually
from statefuldb.adapters.keeper.listening import Listening
from statefuldb.adapters.keeper.operator_identity import make_identity
from statefuldb.adapters.keeper.pool import KeeperPool
from statefuldb.adapters.machine import RealMachine
from statefuldb.keeper.certificate import server_context
from statefuldb.keeper.endpoint import Endpoint, StaleEpoch
from statefuldb.keeper.state import State
from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.keeper import KeeperStatus
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
        self.seen = 0
        super().__init__(
            ("127.0.0.1", port),
            context=context,
            state=Asked(str(task_id)),
            commands={"/v1/credentials": self._set},
        )
        self.start()

    def _set(self, body: Mapping[str, Any]) -> None:
        self.told.append(body)
        if body["epoch"] < self.seen:
            raise StaleEpoch(f"epoch {body['epoch']} is over: {self.seen} was seen")
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

    def __init__(self, folder: Path, listening: Listening | None = None) -> None:
        identity = folder / "identity.pem"
        identity.write_text(IDENTITY.client_pem)
        self.certificates: dict[TaskId, str] = {}
        self.enqueued: list[DatabaseKey] = []
        self.keepers: list[Served] = []
        self.mistakes: list[Exception] = []
        self.pool = KeeperPool(
            fetch_certificate=self._fetch,
            identity=identity,
            epoch=lambda seen: max(3, seen + 1),
            clock=RealMachine(),
            enqueue=self.enqueued.append,
            listening=listening,
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

    def close(self) -> None:
        self.pool.close()
        with ThreadPoolExecutor(max(1, len(self.keepers))) as ending:
            list(ending.map(Served.shutdown, self.keepers))
        for keeper in self.keepers:
            keeper.server_close()
