"""The embedded API server's state machine without sockets and files: requests in JSON, watches as calls."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from statefuldb.local.api_server.copying import copied
from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.objects.store import Change, Store
from statefuldb.local.api_server.objects.stored import Address
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.service import Service
from statefuldb.local.api_server.serving.listing import page
from statefuldb.local.api_server.serving.representation import PLAIN, many, one
from statefuldb.local.api_server.serving.requests import Target, parse_path
from statefuldb.local.api_server.storing.writes import Write
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.schedule import Schedule

Json = dict[str, Any]
NAMESPACES = ("default", "statefuldb-system")
OnChange = Callable[[Change], None]
Backup = Mapping[Address, Json]
# A change that nobody made: what an object says of itself was said before.
RESTORED = "RESTORED"


class ApiServer:
    """One API server. `kubectl` is the name under which people write."""

    def __init__(self, schedule: Schedule, dice: Dice) -> None:
        self._schedule = schedule
        self._dice = dice
        self._listeners: list[OnChange] = []
        self.store = Store(dice.uuid, self._changed)
        self._service = Service(self.store)
        for name in NAMESPACES:
            self.exchange("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        self.store.forget()

    def exchange(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", who: str = "kubectl"
    ) -> tuple[int, Any]:
        """Answer one request with status and body, which must not be changed."""
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        target = parse_path(parts.path, self.store.kinds)
        if target is None:
            return 404, {"kind": "Status", "message": "404 page not found"}
        try:
            return self._answer(method, target, query, body, content_type, who)
        except ApiError as error:
            return error.code, error.status()

    def listen(self, on_change: OnChange) -> Callable[[], None]:
        """Have every change told from now on, until what is returned is called."""
        self._listeners.append(on_change)
        return lambda: self._listeners.remove(on_change) if on_change in self._listeners else None

    def objects(self, plural: str) -> list[Json]:
        """Return the objects of a kind as they are, for oracles."""
        return list(self.store.list(self.kind(plural), ""))

    def find(self, plural: str, namespace: str, name: str) -> Json | None:
        """Return one object as it is, or None, for oracles."""
        return self.store.objects.get((self.kind(plural).key, namespace, name))

    def backup(self) -> Backup:
        """Return all objects as they are."""
        return dict(self.store.objects)

    def put_back(self, backup: Backup) -> None:
        """Have the objects of a backup again and no others, with the versions of then; who watches must list anew."""
        gone = {address: stored for address, stored in self.store.objects.items() if address not in backup}
        self.store.restore(self.store.version + 1, backup)
        self.store.forget()
        for address, stored in gone.items():
            self._changed(Change(self.store.version, "DELETED", address, stored, stored))
        for address, stored in backup.items():
            self._changed(Change(self.store.version, RESTORED, address, stored, None))

    def kind(self, plural: str) -> Kind:
        """Return a served kind by its plural."""
        return next(kind for kind in self.store.kinds.values() if kind.plural == plural and not kind.storage)

    def _answer(
        self, method: str, target: Target, query: dict[str, str], body: Any, content_type: str, who: str
    ) -> tuple[int, Any]:
        kind, namespace, name = target.kind, target.namespace, target.name
        if method == "GET" and name:
            return 200, self.store.get(kind, namespace, name)
        now, at = self._schedule.instant(), datetime.fromtimestamp(self._schedule.now, UTC)
        if method == "GET":
            objects, metadata = page(self.store, kind, namespace, query)
            return 200, many(kind, objects, metadata, PLAIN, at, "Metadata")
        write = Write(now=now, manager=who, subresource=target.subresource, suffix=f"{self._dice.below(16**5):05x}")
        if method == "DELETE":
            kept = self._service.delete(kind, namespace, name, body or {}, write)
            self._service.settle(now)
            return 200, kept if kept is not None else {"kind": "Status", "status": "Success"}
        if method == "POST":
            stored, _ = self._service.create(kind, namespace, body, write)
        elif method == "PUT":
            stored, _ = self._service.replace(kind, namespace, name, body, write)
        else:
            stored, _ = self._service.patch(kind, namespace, name, copied(body), content_type, write)
        self._service.settle(now)
        return 201 if method == "POST" else 200, one(kind, stored, PLAIN, at)

    def _changed(self, change: Change) -> None:
        for listener in list(self._listeners):
            listener(change)
