"""The keeper port on simulated hosts: what `adapters/keeper/pool.py` does with threads and TLS, with calls."""

from collections.abc import Callable
from dataclasses import dataclass, field

from statefuldb.adapters.keeper.client import epoch_seen
from statefuldb.adapters.keeper.pool import RETRY_FIRST_SECONDS, RETRY_LIMIT_SECONDS
from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.keeper import KeeperStatus
from statefuldb.model.observed import KeeperView
from statefuldb.model.volume import Launch
from statefuldb.operator import KeeperNeeds
from statefuldb.reconcile.machine import Call
from statefuldb.reconcile.ports import EffectFailed
from statefuldb.simulation.clockwork.machine import Machine
from statefuldb.simulation.cluster.host import Host
from statefuldb.simulation.cluster.keeper import Keeper

LATENCY_SECONDS = 0.005


@dataclass(slots=True, eq=False)
class _Watched:
    key: DatabaseKey
    launch: Launch
    view: KeeperView | None = None
    pause_seconds: float = RETRY_FIRST_SECONDS
    ended: bool = False
    forget: Callable[[], None] = field(default=lambda: None)


class Keepers:
    """Follows keepers by where they should listen."""

    def __init__(self, needs: KeeperNeeds, hosts: list[Host], machine: Machine, wait_for_answer: Call) -> None:
        self._needs = needs
        self._hosts = {host.address: host for host in hosts}
        self._machine = machine
        self._wait_for_answer = wait_for_answer
        self._watched: dict[TaskId, _Watched] = {}

    def watch(self, key: DatabaseKey, task_id: TaskId, launch: Launch) -> None:
        """Follow a keeper from now on."""
        if task_id not in self._watched:
            watched = self._watched[task_id] = _Watched(key=key, launch=launch)
            self._machine.after(LATENCY_SECONDS, lambda: self._ask(task_id, watched))

    def unwatch(self, task_id: TaskId) -> None:
        """Stop following a keeper."""
        watched = self._watched.pop(task_id, None)
        if watched is not None:
            watched.ended = True
            watched.forget()

    def view(self, task_id: TaskId) -> KeeperView | None:
        """Return the last answer."""
        watched = self._watched.get(task_id)
        return watched.view if watched is not None else None

    def send_credentials(self, task_id: TaskId, *, revision: str, username: str, password: str, database: str) -> None:
        """Have the keeper set the application account. Raises EffectFailed."""
        self._wait_for_answer()
        watched = self._watched.get(task_id)
        keeper = self._reach(task_id, watched) if watched is not None else None
        if watched is None or keeper is None:
            raise EffectFailed(f"no connection to the keeper of {task_id}")
        body = {"revision": revision, "username": username, "password": password, "database": database}
        refusal = keeper.set_credentials({**body, "epoch": self._needs.epoch(0)})
        seen = epoch_seen(refusal) if refusal is not None else None
        if seen is not None:
            refusal = keeper.set_credentials({**body, "epoch": self._needs.epoch(seen)})
        if refusal is not None:
            raise EffectFailed(refusal)
        self._note(watched, self._seen(task_id, keeper))

    def close(self) -> None:
        """Stop following all."""
        for task_id in list(self._watched):
            self.unwatch(task_id)

    def _ask(self, task_id: TaskId, watched: _Watched) -> None:
        """Ask once; a keeper that answers tells of each change, one that does not is asked again later."""
        watched.forget()
        if watched.ended:
            return
        keeper = self._reach(task_id, watched)
        if keeper is None:
            self._note(watched, KeeperView.silent(task_id, "no answer", watched.view))
            self._machine.after(watched.pause_seconds, lambda: self._ask(task_id, watched))
            watched.pause_seconds = min(RETRY_LIMIT_SECONDS, watched.pause_seconds * 2)
            return
        watched.pause_seconds = RETRY_FIRST_SECONDS
        self._note(watched, self._seen(task_id, keeper))
        watched.forget = keeper.on_change(lambda: self._later(task_id, watched))

    def _later(self, task_id: TaskId, watched: _Watched) -> None:
        watched.forget()
        self._machine.after(LATENCY_SECONDS, lambda: self._ask(task_id, watched))

    def _reach(self, task_id: TaskId, watched: _Watched) -> Keeper | None:
        host = self._hosts.get(watched.launch.agent.address)
        keeper = host.keeper_at(watched.launch.keeper_port) if host is not None and host.network else None
        return keeper if keeper is not None and not keeper.hung and keeper.name == str(task_id) else None

    def _seen(self, task_id: TaskId, keeper: Keeper) -> KeeperView:
        # Through its JSON form, as over the wire.
        status = KeeperStatus.from_json(keeper.status.to_json())
        keeper.told = status.revision
        return KeeperView(task_id=task_id, status=status, seen_at_seconds=self._machine.now())

    def _note(self, watched: _Watched, view: KeeperView) -> None:
        before = watched.view
        watched.view = view
        if before is None or (before.status, before.error) != (view.status, view.error):
            self._needs.enqueue(watched.key)
