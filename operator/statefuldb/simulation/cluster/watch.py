"""kopf's delivery, as a model: what is there at first, then changes, late, one object's in one where they come close.

Checked against kopf: within its batching window kopf hands on only the last of one object's events; after a watch has
broken it lists anew, and then tells of what is there but not of what has gone (kopf 1.45, docs/architecture.md).
"""

from collections.abc import Callable
from typing import Any

from statefuldb.adapters.kubernetes.watching import OnEvent
from statefuldb.local.api_server.objects.store import Change
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.machine import Machine
from statefuldb.simulation.cluster.api import ApiServer

Json = dict[str, Any]
PLURALS = ("statefuldatabases", "databasevolumes", "storageprofiles", "namespaces", "customresourcedefinitions")
BATCH_SECONDS = 0.1
RELIST_SECONDS = 60.0
TURNED_AWAY_SECONDS = 1.0


class Watch:
    """The watches of one life of an operator. What `unseen` picks is not told until all is listed anew."""

    def __init__(
        self, api: ApiServer, machine: Machine, dice: Dice, on_event: OnEvent, unseen: Callable[[str], bool]
    ) -> None:
        self._api = api
        self._machine = machine
        self._dice = dice
        self._on_event = on_event
        self._unseen = unseen
        self._keys = {api.kind(plural).key: plural for plural in PLURALS}
        self._pending: dict[tuple[str, str, str], Change] = {}
        self._end: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to watch."""
        self._list()
        self._end = self._api.listen(self._changed)

    def stop(self) -> None:
        """End watching."""
        self._end()

    def break_off(self, seconds: float) -> None:
        """Lose the connection for a while, with the events of that time."""
        self._end()
        self._pending.clear()

        def again() -> None:
            self._list()
            self._end = self._api.listen(self._changed)

        self._machine.after(seconds, again)

    def _list(self) -> None:
        for plural in PLURALS:
            self._list_kind(plural)

    def _list_kind(self, plural: str) -> None:
        if self._api.turns_away(plural):
            self._machine.after(TURNED_AWAY_SECONDS, lambda: self._list_kind(plural))
            return
        for stored in self._api.objects(plural):
            self._later(plural, None, stored, self._dice.between(0.01, BATCH_SECONDS))

    def _changed(self, change: Change) -> None:
        plural = self._keys.get(change.address[0])
        if plural is None:
            return
        if change.address not in self._pending:
            self._machine.after(self._dice.between(0.005, BATCH_SECONDS), lambda: self._deliver(plural, change.address))
        self._pending[change.address] = change

    def _deliver(self, plural: str, address: tuple[str, str, str]) -> None:
        change = self._pending.pop(address, None)
        if change is not None:
            self._tell(plural, change.type, change.object)

    def _later(self, plural: str, kind: str | None, stored: Json, seconds: float) -> None:
        self._machine.after(seconds, lambda: self._tell(plural, kind, stored))

    def _tell(self, plural: str, kind: str | None, stored: Json) -> None:
        if self._unseen(f"{kind or 'listed'} {plural} {stored['metadata']['name']}"):
            self._machine.after(RELIST_SECONDS, self._list)
            return
        self._on_event(plural, kind, stored)
