"""Following the keepers of running members: one lasting connection for each, all of them on one thread.

A long poll tells of a change at once. A keeper at rest costs one request in five minutes, and signs of life in between;
one that does not answer is tried again ever more rarely. Nothing here blocks a worker.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from pathlib import Path

from statefuldb.adapters.keeper.certificates import Certificates, FetchCertificate, longest_pause_seconds
from statefuldb.adapters.keeper.client import EpochOver, KeeperClient, KeeperError
from statefuldb.adapters.keeper.connection import (
    AnotherCertificate,
    ConnectionFailed,
    KeeperConnection,
    open_connection,
    operator_context,
)
from statefuldb.adapters.keeper.listening import Listening
from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.keeper import KeeperStatus
from statefuldb.model.observed import KeeperView
from statefuldb.model.volume import Launch
from statefuldb.reconcile.machine import Clock
from statefuldb.reconcile.ports import EffectFailed, Enqueue

log = getLogger(__name__)

RETRY_FIRST_SECONDS = 0.2
RETRY_LIMIT_SECONDS = 5.0
# A keeper that was just launched is about to answer.
STARTING_SECONDS = 10.0
LONG_POLL_SECONDS = 300.0
# Of a keeper that was not yet heard to give signs of life, or is too old to: only its answers say that it lives.
UNHEARD_POLL_SECONDS = 10.0
ANSWER_SECONDS = 5.0
STOP_PATIENCE_SECONDS = 5.0


@dataclass(slots=True)
class _Watched:
    """One keeper that is followed, with its certificate (PEM) once it was fetched, and its latest revision."""

    key: DatabaseKey
    launch: Launch
    following: asyncio.Task[None] | None = None
    view: KeeperView | None = None
    certificate: str | None = None
    revision: int = -1


class KeeperPool:
    """The keeper port.

    `fetch_certificate` brings a keeper's certificate from its sandbox and raises EffectFailed; `identity` is the file
    with the operator's certificate and key; `epoch` fences an operator that has been succeeded: it is asked for one
    above what a keeper has seen, and raises EffectFailed.
    """

    def __init__(
        self,
        *,
        fetch_certificate: FetchCertificate,
        identity: Path,
        epoch: Callable[[int], int],
        clock: Clock,
        enqueue: Enqueue,
        listening: Listening | None = None,
    ) -> None:
        self._identity = identity
        self._context: ssl.SSLContext = operator_context(identity)
        self._epoch = epoch
        self._clock = clock
        self._enqueue = enqueue
        self._lock = threading.Lock()
        self._watched: dict[TaskId, _Watched] = {}
        self._certificates = Certificates(fetch_certificate)
        self._listening = listening or Listening()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="keepers", daemon=True)
        self._thread.start()

    def watch(self, key: DatabaseKey, task_id: TaskId, launch: Launch) -> None:
        """Follow a keeper from now on. Cheap to repeat."""
        with self._lock:
            if task_id in self._watched:
                return
            watched = self._watched[task_id] = _Watched(key=key, launch=launch)
            # Under the lock, so that what begins and what ends comes to the loop in this order.
            self._loop.call_soon_threadsafe(self._begin, task_id, watched)

    def unwatch(self, task_id: TaskId) -> None:
        """Stop following a keeper."""
        with self._lock:
            watched = self._watched.pop(task_id, None)
            if watched is not None:
                self._loop.call_soon_threadsafe(_end, watched)

    def view(self, task_id: TaskId) -> KeeperView | None:
        """Return the last answer, or None before the first attempt."""
        with self._lock:
            watched = self._watched.get(task_id)
        return watched.view if watched is not None else None

    def send_credentials(self, task_id: TaskId, *, revision: str, username: str, password: str, database: str) -> None:
        """Have the keeper set the application account. Raises EffectFailed."""
        with self._lock:
            watched = self._watched.get(task_id)
        if watched is None or watched.certificate is None:
            raise EffectFailed(f"no connection to the keeper of {task_id}")
        client = KeeperClient(
            address=watched.launch.agent.address,
            port=watched.launch.keeper_port,
            pinned_pem=watched.certificate,
            identity=self._identity,
        )
        send = partial(
            client.set_credentials, revision=revision, username=username, password=password, database=database
        )
        try:
            try:
                send(epoch=self._epoch(0))
            except EpochOver as over:
                send(epoch=self._epoch(over.seen))
            status = client.status()
            self._note(watched, KeeperView(task_id=task_id, status=status, seen_at_seconds=self._clock.now()))
        except KeeperError as error:
            raise EffectFailed(str(error)) from error

    def close(self) -> None:
        """Stop following all keepers, and end the connections."""
        with self._lock:
            self._watched.clear()
        self._certificates.close()
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end_all(), self._loop)
            self._thread.join(STOP_PATIENCE_SECONDS)

    def _begin(self, task_id: TaskId, watched: _Watched) -> None:
        watched.following = self._loop.create_task(self._follow(task_id, watched))

    async def _end_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self._loop.stop()

    async def _follow(self, task_id: TaskId, watched: _Watched) -> None:
        pause = RETRY_FIRST_SECONDS
        while True:
            try:
                connection = await self._connect(task_id, watched)
                try:
                    status = await self._ask(task_id, watched, connection, after=None)
                    pause = RETRY_FIRST_SECONDS
                    while True:
                        status = await self._ask(task_id, watched, connection, after=status.revision)
                finally:
                    connection.close()
            except (ConnectionFailed, EffectFailed, OSError, ValueError) as error:
                if isinstance(error, AnotherCertificate):
                    watched.certificate = None
                where = f"{watched.launch.agent.address}:{watched.launch.keeper_port}"
                text = f"{where}: {_in_words(error)}"
                self._note(watched, KeeperView.silent(task_id, text, watched.view))
            except Exception as mistake:  # a keeper that is followed no more would look for ever as it did last
                log.exception("%s could not be followed", task_id)
                text = f"a defect in statefuldb: {type(mistake).__name__}"
                self._note(watched, KeeperView.silent(task_id, text, watched.view))
            await asyncio.sleep(pause)
            age = self._clock.now() - watched.launch.at_seconds
            # A launch of the future: the clock was set back since.
            if not 0 <= age <= STARTING_SECONDS:
                limit = RETRY_LIMIT_SECONDS if watched.certificate is not None else longest_pause_seconds(age)
                pause = min(limit, pause * 2)

    async def _connect(self, task_id: TaskId, watched: _Watched) -> KeeperConnection:
        if watched.certificate is None:
            watched.certificate = await self._certificates.of(task_id, watched.launch)
        return await open_connection(
            watched.launch.agent.address,
            watched.launch.keeper_port,
            context=self._context,
            pinned_pem=watched.certificate,
            listening=self._listening,
        )

    async def _ask(
        self, task_id: TaskId, watched: _Watched, connection: KeeperConnection, *, after: int | None
    ) -> KeeperStatus:
        """Return the keeper's status, with `after` as soon as its revision is above that."""
        wait, query = 0.0, ""
        if after is not None:
            wait = LONG_POLL_SECONDS if connection.beats else UNHEARD_POLL_SECONDS
            query = f"?after={after}&timeout_seconds={wait:g}&beat_seconds={self._listening.beat_seconds:g}"
        text = await connection.get(f"/v1/status{query}", timeout_seconds=wait + ANSWER_SECONDS)
        status = KeeperStatus.from_json(text)
        if status.task_id != str(task_id):
            raise ConnectionFailed(f"there runs {status.task_id}, not {task_id}")
        self._note(watched, KeeperView(task_id=task_id, status=status, seen_at_seconds=self._clock.now()))
        return status

    def _note(self, watched: _Watched, view: KeeperView) -> None:
        """Take an answer up, unless a later one is known: commands are answered on connections of their own."""
        with self._lock:
            before = watched.view
            if view.status is not None:
                if view.status.revision < watched.revision:
                    return
                watched.revision = view.status.revision
            watched.view = view
        if before is None or (before.status, before.error) != (view.status, view.error):
            self._enqueue(watched.key)


def _end(watched: _Watched) -> None:
    if watched.following is not None:
        watched.following.cancel()


def _in_words(error: Exception) -> str:
    """Return why a keeper did not answer. A time that is over has no words of its own."""
    return str(error) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
