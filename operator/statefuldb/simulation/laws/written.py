"""The ledger as it is written, by which the laws judge: each member's entry, and no copy that a person makes of one."""

from collections.abc import Collection, Hashable

from statefuldb.local.api_server.objects.store import Change
from statefuldb.model.grouped import Grouped
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import from_object


class Written:
    """Entries by their addresses, and by task, owner and data."""

    def __init__(self) -> None:
        self._entries: Grouped[tuple[str, ...], VolumeRecord] = Grouped(
            lambda _, entry: (entry.task_id, entry.owner_uid, entry.identity)
        )

    def note(self, change: Change) -> VolumeRecord:
        """Take in what became of an entry; return it. A copy counts once the entry that it is of is gone."""
        entry = from_object(change.object)
        if change.type == "DELETED":
            self._entries.pop(change.address, None)
        elif change.address in self._entries or not self._entries.of(entry.identity):
            self._entries[change.address] = entry
        return entry

    def all(self) -> Collection[VolumeRecord]:
        """Return all entries."""
        return self._entries.values()

    def of(self, what: Hashable) -> Collection[VolumeRecord]:
        """Return the entries of a task, an owner's uid or some data."""
        return self._entries.of(what).values()
