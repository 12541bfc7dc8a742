"""The entries of the ledger as the watch tells of them, found by what they are of, across all namespaces."""

from typing import Any

from statefuldb.adapters.kubernetes.cache import Cache, remembering
from statefuldb.adapters.kubernetes.grouping import entries_among, volume_groups
from statefuldb.model.damaged import DamagedEntry, read_entry
from statefuldb.model.duplicate import OtherEntry
from statefuldb.model.identity import DatabaseKey, DataIdentity
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.ledger.duplicates import others_among

Json = dict[str, Any]


class Entries:
    """Reads the cache of entries; `databases` is the cache of their databases."""

    def __init__(self, databases: Cache) -> None:
        self._databases = databases
        self.read = remembering(read_entry)
        self.cache = Cache(lambda stored: volume_groups(self.read(stored)), compact=True)

    def volumes(self, key: DatabaseKey) -> tuple[VolumeRecord, ...]:
        """Return the entries of a database name, by ordinal."""
        records = [entry for entry in self._of(("of", key)) if isinstance(entry, VolumeRecord)]
        return tuple(sorted(records, key=lambda v: (v.identity.ordinal, v.name)))

    def damaged(self, key: DatabaseKey) -> tuple[DamagedEntry, ...]:
        """Return the entries that cannot be read and may be of a database name, or of data that began under it."""
        return tuple(entry for entry in self._of(("damaged", key)) if isinstance(entry, DamagedEntry))

    def owner_of(self, uid: str) -> DatabaseKey | None:
        """Return for which database the ledger has the data of a uid, or None: of several, the one that uses it."""
        found = [e for e in self._of(("data", uid)) if e.identity is not None and e.identity.uid == uid]
        return next((entry.key for entry in (*filter(self._in_use, found), *found)), None)

    def others_of(self, volume: VolumeRecord) -> tuple[OtherEntry, ...]:
        """Return the other entries of the same data; and where its owner is a database elsewhere, that one.

        Usually there are none, which is known without reading anything.
        """
        here, data = (volume.key.namespace, volume.name), ("data", volume.identity.uid)
        alike = self._of(data) if self.cache.names(data) - {here} else []
        found = others_among(alike, volume, self._in_use)
        if any(other.in_use for other in found):
            return found
        own = (volume.key.namespace, volume.key.name)
        owners = sorted(self._databases.names(("uid", volume.owner_uid)) - {own})
        keys = (DatabaseKey(namespace=namespace, name=name) for namespace, name in owners)
        return (*found, *(OtherEntry(key=key, name="", in_use=True) for key in keys))

    def adopted_away(self, key: DatabaseKey) -> tuple[DataIdentity, ...]:
        """Return the data that began under a name and is in the ledger for another: an entry keeps its name."""
        born = self._of(("born", key))
        away = (entry.identity for entry in born if isinstance(entry, VolumeRecord) and entry.key != key)
        return tuple(sorted(away, key=str))

    def databases_with(self, uid: str) -> set[DatabaseKey]:
        """Return the databases that have entries of the data of a uid, without reading them."""
        return entries_among(self.cache.groups_beside(("data", uid)))

    def _of(self, group: tuple[str, DatabaseKey | str]) -> list[VolumeRecord | DamagedEntry]:
        return [self.read(stored) for stored in self.cache.of(group)]

    def _in_use(self, entry: VolumeRecord | DamagedEntry) -> bool:
        """Say whether the database of an entry's own key is there and uses the data."""
        if not isinstance(entry, VolumeRecord) or entry.intent is not Intent.USE:
            return False
        return (entry.key.namespace, entry.key.name) in self._databases.names(("uid", entry.owner_uid))
