"""Whether a database may be stored as somebody wants it, judged as the planner judges what is stored.

Everything is read directly: an operator that stands by has no caches, and edits by people are few.
"""

from typing import Any

from statefuldb.adapters.kubernetes.objects import PROFILES, VOLUMES, Objects, Surroundings, database_of, profiles_of
from statefuldb.model.damaged import DamagedEntry, read_entry
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.profile import StorageProfile
from statefuldb.model.spec import DatabaseSpec
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.desired import accepted_of, judge
from statefuldb.reconcile.ports import NotAnswered

Json = dict[str, Any]


class Admission:
    """The judge of one operator, by what it may and can do."""

    def __init__(self, client: Any, allowed_roots: tuple[str, ...], operator_role: str) -> None:
        self._client = client
        self._profiles = Objects(client, PROFILES)
        self._surroundings = Surroundings(client)
        self._allowed_roots = allowed_roots
        self._operator_role = operator_role

    def errors(self, new: Json, old: Json | None) -> list[str]:
        """Return everything that is wrong with a database that is to be stored. Raises EffectFailed.

        Nothing is wrong with a spec that stays as it is, nor with one of a database that goes.
        """
        metadata = new["metadata"]
        if "deletionTimestamp" in metadata or (old is not None and old.get("spec") == new.get("spec")):
            return []
        key = DatabaseKey(namespace=metadata.get("namespace", ""), name=metadata.get("name", ""))
        # Before it is stored an object need not have a uid, and whatever it says of its status is not kept.
        asked = {**new, "metadata": {"uid": "", **metadata}}
        judged = judge(
            database_of(key, asked),
            accepted_of((old or {}).get("status") or {}),
            self._entries(key) if old is not None else (),
            profiles=self._profiles_of(key.namespace),
            allowed_roots=self._allowed_roots,
            operator_role=self._operator_role,
        )
        return [] if isinstance(judged, DatabaseSpec) else [str(error) for error in judged]

    def _entries(self, key: DatabaseKey) -> list[VolumeRecord | DamagedEntry]:
        """Return what the ledger has of a database, and what it may have: entries that cannot be read.

        Raises EffectFailed.
        """
        listed, version = Objects(self._client, VOLUMES, (key.namespace,)).list()
        if version is None:
            raise NotAnswered(f"list {VOLUMES}: the kind is not served now")
        entries = [read_entry(stored) for stored in listed]
        return [e for e in entries if e.key == key or (isinstance(e, DamagedEntry) and e.born == key)]

    def _profiles_of(self, namespace: str) -> tuple[StorageProfile, ...]:
        listed, _ = self._profiles.list()
        return profiles_of(listed, namespace, lambda: self._surroundings.namespace(namespace))
