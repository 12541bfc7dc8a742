"""Following the keepers of running members: one long poll for each, so that a change is heard of at once.

A keeper that answers costs one request in half a minute; one that does not is tried again ever more rarely. Nothing
here blocks the worker.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path

from statefuldb.adapters.keeper.client import KeeperClient, KeeperError
from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.observed import KeeperView
from statefuldb.model.volume import Launch
from statefuldb.reconcile.ports import Clock, EffectFailed, Enqueue

log = getLogger(__name__)

RETRY_FIRST_SECONDS = 0.2
RETRY_LIMIT_SECONDS = 5.0

FetchCertificate = Callable[[TaskId, Launch], str]


@dataclass(slots=True)
class _Watched:
    """One keeper that is followed, and the thread's means to end."""

    key: DatabaseKey
    launch: Launch
    ended: threading.Event = field(default_factory=threading.Event)
    view: KeeperView | None = None
    client: KeeperClient | None = None


class KeeperPool:
    """The keeper port.

    `fetch_certificate` brings a keeper's certificate from its sandbox and raises EffectFailed; `identity` is the file
    with the operator's certificate and key; `epoch` fences an operator that has been succeeded.
    """

    def __init__(
        self,
        *,
        fetch_certificate: FetchCertificate,
        identity: Path,
        epoch: int,
        clock: Clock,
        enqueue: Enqueue,
    ) -> None:
        self._fetch_certificate = fetch_certificate
        self._identity = identity
        self._epoch = epoch
        self._clock = clock
        self._enqueue = enqueue
        self._lock = threading.Lock()
        self._watched: dict[TaskId, _Watched] = {}

    def watch(self, key: DatabaseKey, task_id: TaskId, launch: Launch) -> None:
        """Follow a keeper from now on. Cheap to repeat."""
        with self._lock:
            if task_id in self._watched:
                return
            watched = _Watched(key=key, launch=launch)
            self._watched[task_id] = watched
        name = f"keeper-{task_id.ordinal}-{task_id.incarnation}"
        threading.Thread(target=self._follow, args=(task_id, watched), name=name, daemon=True).start()

    def unwatch(self, task_id: TaskId) -> None:
        """Stop following a keeper."""
        with self._lock:
            watched = self._watched.pop(task_id, None)
        if watched is not None:
            watched.ended.set()

    def view(self, task_id: TaskId) -> KeeperView | None:
        """Return the last answer, or None before the first attempt."""
        with self._lock:
            watched = self._watched.get(task_id)
        return watched.view if watched is not None else None

    def send_credentials(self, task_id: TaskId, *, revision: str, username: str, password: str, database: str) -> None:
        """Have the keeper set the application account. Raises EffectFailed."""
        with self._lock:
            watched = self._watched.get(task_id)
        if watched is None or watched.client is None:
            raise EffectFailed(f"no connection to the keeper of {task_id}")
        try:
            watched.client.set_credentials(
                epoch=self._epoch,
                revision=revision,
                username=username,
                password=password,
                database=database,
            )
            self._note(watched, KeeperView(task_id=task_id, status=watched.client.status()))
        except KeeperError as error:
            raise EffectFailed(str(error)) from error

    def close(self) -> None:
        """Stop following all keepers."""
        with self._lock:
            watched = list(self._watched.values())
            self._watched.clear()
        for each in watched:
            each.ended.set()

    def _follow(self, task_id: TaskId, watched: _Watched) -> None:
        pause = RETRY_FIRST_SECONDS
        while not watched.ended.is_set():
            try:
                status = self._ask(task_id, watched)
            except (KeeperError, EffectFailed, OSError) as error:
                self._note(watched, KeeperView(task_id=task_id, status=None, error=str(error)))
                watched.client = None
                watched.ended.wait(pause)
                pause = min(RETRY_LIMIT_SECONDS, pause * 2)
                continue
            pause = RETRY_FIRST_SECONDS
            self._note(watched, status)

    def _ask(self, task_id: TaskId, watched: _Watched) -> KeeperView:
        known = watched.view.status if watched.view is not None else None
        if watched.client is None:
            known = None
            watched.client = KeeperClient(
                address=watched.launch.agent.address,
                port=watched.launch.keeper_port,
                pinned_pem=self._fetch_certificate(task_id, watched.launch),
                identity=self._identity,
            )
        status = watched.client.status(after=known.revision if known is not None else -1)
        if status.task_id != str(task_id):
            raise KeeperError(f"{watched.launch.agent.address} runs {status.task_id}, not {task_id}")
        return KeeperView(task_id=task_id, status=status, seen_at_seconds=self._clock.now())

    def _note(self, watched: _Watched, view: KeeperView) -> None:
        before = watched.view
        watched.view = view
        if before is None or (before.status, before.error) != (view.status, view.error):
            self._enqueue(watched.key)
