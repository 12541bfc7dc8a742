"""The Kubernetes port: caches fed by kopf, writes by the official client, own writes seen at once."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from logging import getLogger
from typing import Any, cast

from statefuldb.adapters.kubernetes.cache import Cache, number_of, version_of
from statefuldb.adapters.kubernetes.entries import Entries
from statefuldb.adapters.kubernetes.events import Events
from statefuldb.adapters.kubernetes.grouping import conditions_of, database_groups
from statefuldb.adapters.kubernetes.noticing import Noticing
from statefuldb.adapters.kubernetes.objects import (
    DATABASES,
    JSON_PATCH,
    PROFILES,
    VOLUMES,
    Objects,
    beside_others,
    database_of,
    profiles_of,
)
from statefuldb.adapters.kubernetes.periodic import Periodic
from statefuldb.adapters.kubernetes.reach import Reach
from statefuldb.adapters.kubernetes.secrets import ConnectionSecrets
from statefuldb.adapters.kubernetes.surroundings import KnownSurroundings
from statefuldb.adapters.kubernetes.watching import OnEvent, Watch
from statefuldb.model.actions import EnsureSecret
from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.duplicate import OtherEntry
from statefuldb.model.identity import FINALIZER, DatabaseKey, DataIdentity
from statefuldb.model.observed import DatabaseObject, SecretView
from statefuldb.model.plan import Announcement
from statefuldb.model.profile import StorageProfile
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.model.volume_object import to_object
from statefuldb.reconcile.machine import Machine
from statefuldb.reconcile.ports import EffectFailed, Enqueue

log = getLogger(__name__)
RELIST_SECONDS = 300.0
# A fleet is listed in some seconds, and told of meanwhile.
LISTED_SECONDS = 5.0


class KubernetesAdapter:
    """The API as the workers see it; with `namespaces` only what is in them.

    `on_restored` is called where the API was put back to an earlier state meanwhile: nothing known of it holds.
    """

    def __init__(
        self,
        client: Any,
        *,
        make_watch: Callable[[OnEvent], Watch],
        enqueue: Enqueue,
        on_surroundings: Callable[[str | None], None],
        on_restored: Callable[[], None],
        instance: str,
        machine: Machine,
        namespaces: tuple[str, ...] = (),
    ) -> None:
        self._databases = Objects(client, DATABASES, namespaces)
        self._volumes = Objects(client, VOLUMES, namespaces)
        self._around = KnownSurroundings(client, on_surroundings)
        self._caches = {PROFILES: Cache(), **self._around.caches}
        self._caches[DATABASES] = Cache(database_groups, tally_of=conditions_of, compact=True)
        self._entries = Entries(self._caches[DATABASES])
        self._caches[VOLUMES] = self._entries.cache
        self._reach = Reach(self._peek, machine)
        self._secrets = ConnectionSecrets(client, machine)
        self._events = Events(client, instance, machine)
        self._on_restored = on_restored
        self._noticing = Noticing(
            caches=self._caches,
            objects={
                DATABASES: self._databases,
                VOLUMES: self._volumes,
                PROFILES: Objects(client, PROFILES),
            },
            entries=self._entries,
            around=self._around,
            namespaces=namespaces,
            enqueue=enqueue,
            on_surroundings=on_surroundings,
            on_listed=lambda: self._lists.within(LISTED_SECONDS),
            on_restored=on_restored,
        )
        self._watch = make_watch(self._noticing.noticed)
        self._lists = Periodic(machine, RELIST_SECONDS, self._relist)

    def start(self) -> None:
        """List everything, watch, and list again: a watch tells nothing of what went before it. Raises EffectFailed."""
        self._relist()
        self._lists.within(LISTED_SECONDS)
        self._watch.start()

    def stop(self) -> None:
        """Watch no more."""
        self._lists.stop()
        self._watch.stop()

    def keys(self, namespace: str | None = None) -> tuple[DatabaseKey, ...]:
        """Return every key that has a database or a ledger entry, of one namespace or of all."""
        return self._noticing.keys(namespace)

    def conditions(self) -> Counter[tuple[str, str]]:
        """Return how many databases have each condition with each status, as last seen."""
        return cast("Counter[tuple[str, str]]", self._caches[DATABASES].tally())

    def lost(self) -> str:
        """Say why the API server cannot be read now, "" where it can. May ask it."""
        return self._reach.lost()

    def database(self, key: DatabaseKey) -> DatabaseObject | None:
        """Return the database. That one with data in use is gone, or another by now, is believed after a direct look.

        What another operator has adopted can be seen before the database that it was adopted for.
        """
        name = (key.namespace, key.name)
        stored = self._caches[DATABASES].get(name)
        uid = stored["metadata"]["uid"] if stored is not None else None
        if any(v.intent is Intent.USE and v.owner_uid != uid for v in self.volumes(key)):
            stored = self._databases.get(*name)
            if stored is not None:
                self._caches[DATABASES].put(stored)
        return database_of(key, stored) if stored is not None else None

    def volumes(self, key: DatabaseKey) -> tuple[VolumeRecord, ...]:
        """Return the ledger entries of this database name."""
        return self._entries.volumes(key)

    def damaged(self, key: DatabaseKey) -> tuple[DamagedEntry, ...]:
        """Return the entries that cannot be read and may be of this database name, or of data that began under it."""
        return self._entries.damaged(key)

    def owner_of(self, uid: str) -> DatabaseKey | None:
        """Return for which database the ledger has the data of this uid, or None."""
        return self._entries.owner_of(uid)

    def others_of(self, volume: VolumeRecord) -> tuple[OtherEntry, ...]:
        """Return the other entries of the same data, and a database elsewhere that owns it."""
        return self._entries.others_of(volume)

    def adopted_away(self, key: DatabaseKey) -> tuple[DataIdentity, ...]:
        """Return the data that began under this name and is in the ledger for another."""
        return self._entries.adopted_away(key)

    def profiles(self, namespace: str) -> tuple[StorageProfile, ...]:
        """Return the profiles that bound a namespace, whose labels are read directly where they are not yet known."""
        return profiles_of(self._caches[PROFILES].all(), namespace, lambda: self._around.namespace_now(namespace))

    def secret(self, key: DatabaseKey, name: str) -> SecretView | None:
        """Return the public part of a connection Secret."""
        return self._secrets.view(key, name)

    def password(self, key: DatabaseKey, name: str) -> str:
        """Return the password in a connection Secret."""
        return self._secrets.password(key, name)

    def look_around(self, namespace: str) -> None:
        """Read our definitions and a namespace directly: an object's deletion can be seen before theirs."""
        self._around.look_at_definitions()
        self._around.look_at(namespace)

    def crd_terminating(self) -> bool:
        """Say whether one of our definitions is absent or being deleted."""
        return self._around.definitions_going()

    def namespace_terminating(self, namespace: str) -> bool:
        """Say whether a namespace is being deleted."""
        stored = self._around.namespace(namespace)
        return stored is not None and "deletionTimestamp" in stored["metadata"]

    def namespace_exists(self, namespace: str) -> bool:
        """Say whether a namespace is there."""
        return self._around.namespace(namespace) is not None

    def confirm(self, seen: DatabaseObject) -> None:
        """Look directly whether a database is still asked for as it was seen: caches can be behind."""
        self._look_again(seen.key)
        now = self.database(seen.key)
        if now is None or _asks(now) != _asks(seen):
            raise EffectFailed(f"{seen.key} was edited meanwhile", conflict=True)

    def save_volume(self, volume: VolumeRecord) -> VolumeRecord:
        """Create or replace a ledger entry."""
        body = to_object(volume)
        if volume.resource_version:
            held = self._caches[VOLUMES].get((volume.key.namespace, volume.name))
            stored = self._volumes.replace(beside_others(body, held))
        else:
            stored = self._volumes.create(body)
        self._caches[VOLUMES].put(stored)
        self._noticing.enqueue_those_with(volume.identity.uid, volume.key)
        return replace(volume, resource_version=stored["metadata"]["resourceVersion"])

    def forget_volume(self, volume: VolumeRecord) -> None:
        """Remove a ledger entry."""
        name = (volume.key.namespace, volume.name)
        self._caches[VOLUMES].refresh(name, lambda: self._volumes.delete(*name, volume.resource_version))

    def add_finalizer(self, key: DatabaseKey) -> None:
        """Add our finalizer."""
        self._set_finalizers(key, lambda held: [*held, FINALIZER] if FINALIZER not in held else held)

    def remove_finalizer(self, key: DatabaseKey) -> None:
        """Remove our finalizer."""
        self._set_finalizers(key, lambda held: [f for f in held if f != FINALIZER])

    def ensure_secret(self, wanted: EnsureSecret) -> None:
        """Create the connection Secret, or bring it up to date."""
        self._secrets.ensure(wanted)

    def delete_secret(self, key: DatabaseKey, name: str) -> None:
        """Remove a connection Secret, unless a database of its name was made meanwhile: it is that one's by now."""
        self._look_again(key)
        stored = self._caches[DATABASES].get((key.namespace, key.name))
        if stored is not None and "deletionTimestamp" not in stored["metadata"]:
            raise EffectFailed(f"{key} was made anew meanwhile", conflict=True)
        self._secrets.delete(key, name)

    def write_status(self, key: DatabaseKey, uid: str, status: Mapping[str, object]) -> None:
        """Replace the status where it differs, unless the database was deleted or made anew meanwhile.

        That was not decided about. Of one that is deleted, the status stays what people could read when they did so.
        """
        stored = self._caches[DATABASES].get((key.namespace, key.name))
        if stored is not None and stored["metadata"]["uid"] != uid:
            raise EffectFailed(f"{key} was deleted and made anew", conflict=True)
        if stored is not None and "deletionTimestamp" in stored["metadata"]:
            raise EffectFailed(f"{key} is being deleted", conflict=True)
        if stored is None or stored.get("status") == status:
            return
        try:
            self._caches[DATABASES].put(self._databases.replace_status(stored, dict(status)))
        except EffectFailed as failure:
            self._look_again(key)
            raise EffectFailed(str(failure), conflict=failure.conflict) from failure

    def announce(self, key: DatabaseKey, announcement: Announcement) -> None:
        """Send an Event about the database, or log it where there is none and none is named."""
        stored = self._caches[DATABASES].get((key.namespace, key.name))
        log.info("%s: %s: %s", key, announcement.reason, announcement.message)
        uid = stored["metadata"]["uid"] if stored is not None else announcement.about_uid
        if uid:
            self._events.announce({"namespace": key.namespace, "name": key.name, "uid": uid}, announcement)

    def _set_finalizers(self, key: DatabaseKey, change: Any) -> None:
        stored = self._caches[DATABASES].get((key.namespace, key.name))
        if stored is None:
            return
        metadata = stored["metadata"]
        held = list(metadata.get("finalizers") or [])
        wanted = change(held)
        if wanted == held:
            return
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
            {"op": "add", "path": "/metadata/finalizers", "value": wanted},
        ]
        try:
            patched = self._databases.patch(key.namespace, key.name, patch, JSON_PATCH)
        except EffectFailed as failure:
            # The test failed because the object is newer than our picture of it.
            self._look_again(key)
            raise EffectFailed(str(failure), conflict=True) from failure
        if wanted or "deletionTimestamp" not in metadata:
            self._caches[DATABASES].put(patched)
        else:
            self._caches[DATABASES].drop((key.namespace, key.name), number_of(metadata["resourceVersion"]))
            self._noticing.enqueue_those_with(metadata["uid"], key)

    def _look_again(self, key: DatabaseKey) -> None:
        """Bring the cache up to date by a direct look."""
        name, before = (key.namespace, key.name), self._caches[DATABASES].get((key.namespace, key.name))

        def ask() -> dict[str, Any] | None:
            stored = self._databases.get(*name)
            if stored is not None and before is not None and version_of(stored) < version_of(before):
                self._on_restored()
            return stored

        self._caches[DATABASES].refresh(name, ask)

    def _peek(self) -> None:
        if not self._databases.peek():
            self._noticing.not_served(DATABASES)

    def _relist(self) -> None:
        self._noticing.relist()
        self._secrets.forget_views()


def _asks(database: DatabaseObject) -> tuple[object, ...]:
    return database.uid, database.generation, database.deleting, database.restarted_at
