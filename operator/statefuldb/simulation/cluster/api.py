"""The embedded API server's state machine without sockets and files: requests in JSON, watches as calls."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from statefuldb.local.api_server.copying import copied
from statefuldb.local.api_server.errors import ApiError, forbidden
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
OPERATOR = "operator"
# The answer where a path leads nowhere, which is no Status: as long as a kind is not served, nothing is known of it.
NOT_SERVED = 404
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
        self._turned_away_with: int | None = None
        self._turned_away_from = ""
        self._let_in_at = 0.0
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
        turned_away = who == OPERATOR and target is not None and self.turns_away(target.kind.plural)
        if target is None or (turned_away and self._turned_away_with == NOT_SERVED):
            return NOT_SERVED, "404 page not found\n"
        try:
            if turned_away:
                raise forbidden(target.kind.plural, target.kind.group, target.name, "the operator has no such right")
            return self._answer(method, target, query, body, content_type, who)
        except ApiError as error:
            return error.code, error.status()

    def turn_away(self, code: int, plural: str, seconds: float) -> bool:
        """Let the operator have no rights (403), or a kind not be served to it (404), for a while; say whether it can.

        It is about one kind, or about all where `plural` is empty.
        """
        if self._turned_away_with is not None:
            return False
        self._turned_away_with, self._turned_away_from = code, plural
        self._schedule.after(seconds, self._let_in)
        return True

    def turns_away(self, plural: str) -> bool:
        """Say whether the operator is turned away from a kind now."""
        return self._turned_away_with is not None and self._turned_away_from in ("", plural)

    @property
    def lets_in_since(self) -> float:
        """Since when the operator has not been turned away from anything: now where it is."""
        return self._let_in_at if self._turned_away_with is None else self._schedule.now

    def _let_in(self) -> None:
        self._turned_away_with, self._let_in_at = None, self._schedule.now

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
