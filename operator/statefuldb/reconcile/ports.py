"""The ports: what the loop needs of the world, as protocols. Adapters implement them; tests and the simulator too.

Reading methods answer from caches where they can. What must be asked for, and effects, block for a bounded time; these
raise `EffectFailed`.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from statefuldb.model.actions import EnsureSecret, FenceAgent
from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.duplicate import OtherEntry
from statefuldb.model.identity import DatabaseKey, DataIdentity, TaskId
from statefuldb.model.observed import DatabaseObject, KeeperView, SecretView
from statefuldb.model.plan import Announcement
from statefuldb.model.profile import StorageProfile
from statefuldb.model.volume import Launch, VolumeRecord

Enqueue = Callable[[DatabaseKey], None]


class EffectFailed(Exception):
    """An effect was refused, or it is unknown whether it took place. The next snapshot tells.

    `conflict` says that our picture of the object was stale; the key is looked at again at once.
    """

    def __init__(self, message: str, *, conflict: bool = False) -> None:
        super().__init__(message)
        self.conflict = conflict


class Superseded(EffectFailed):
    """Another operator has begun to work in this one's place, which must not go on."""


class NotAnswered(EffectFailed):
    """Nobody answers, or who answers cannot serve now. It passes by itself, or once somebody starts what is down."""


class KubernetesPort(Protocol):
    """The Kubernetes API: desired state, the ledger, Secrets, status and Events."""

    def keys(self, namespace: str | None = None) -> tuple[DatabaseKey, ...]:
        """Return every key that has a database or a ledger entry, of one namespace or of all."""
        ...

    def database(self, key: DatabaseKey) -> DatabaseObject | None:
        """Return the database as last seen, own writes included, or None where there is none."""
        ...

    def volumes(self, key: DatabaseKey) -> tuple[VolumeRecord, ...]:
        """Return the ledger entries of this namespace and database name, whatever their owner's uid, by ordinal."""
        ...

    def damaged(self, key: DatabaseKey) -> tuple[DamagedEntry, ...]:
        """Return the entries that cannot be read and may be of this database name, or of data that began under it."""
        ...

    def others_of(self, volume: VolumeRecord) -> tuple[OtherEntry, ...]:
        """Return the other entries, of any namespace, of the same data, and a database elsewhere that owns it."""
        ...

    def adopted_away(self, key: DatabaseKey) -> tuple[DataIdentity, ...]:
        """Return the data that began under this database name and is in the ledger for a database of another name."""
        ...

    def profiles(self, namespace: str) -> tuple[StorageProfile, ...]:
        """Return the StorageProfiles that bound a namespace, by name. Raises EffectFailed."""
        ...

    def secret(self, key: DatabaseKey, name: str) -> SecretView | None:
        """Return the public part of a connection Secret, or None where there is none."""
        ...

    def look_around(self, namespace: str) -> None:
        """Read the state of our definitions and of a namespace directly, past the cache. Raises EffectFailed."""
        ...

    def crd_terminating(self) -> bool:
        """Say whether our CustomResourceDefinitions are absent or being deleted."""
        ...

    def namespace_terminating(self, namespace: str) -> bool:
        """Say whether a namespace is being deleted."""
        ...

    def namespace_exists(self, namespace: str) -> bool:
        """Say whether a namespace is there."""
        ...

    def confirm(self, seen: DatabaseObject) -> None:
        """Look directly whether a database is still asked for as it was seen. Raises EffectFailed where it is not."""
        ...

    def save_volume(self, volume: VolumeRecord) -> VolumeRecord:
        """Create or replace a ledger entry durably; return it with its new resource version.

        Raises EffectFailed(conflict=True) where the stored one is newer than `volume.resource_version`.
        """
        ...

    def forget_volume(self, volume: VolumeRecord) -> None:
        """Remove a ledger entry.

        Raises EffectFailed(conflict=True) where the stored one is newer than `volume.resource_version`.
        """
        ...

    def add_finalizer(self, key: DatabaseKey) -> None:
        """Add our finalizer, unless it is there."""
        ...

    def remove_finalizer(self, key: DatabaseKey) -> None:
        """Remove our finalizer, if it is there."""
        ...

    def ensure_secret(self, wanted: EnsureSecret) -> None:
        """Create the connection Secret with a new random password, or bring its public keys up to date."""
        ...

    def delete_secret(self, key: DatabaseKey, name: str) -> None:
        """Remove a connection Secret, if it is there.

        Raises EffectFailed(conflict=True) where a database of its name is there, and is not being deleted.
        """
        ...

    def write_status(self, key: DatabaseKey, uid: str, status: Mapping[str, object]) -> None:
        """Replace the database's status where it differs from the stored one.

        Raises EffectFailed(conflict=True) where that is another life of the name than the one of `uid`.
        """
        ...

    def announce(self, key: DatabaseKey, announcement: Announcement) -> None:
        """Send a Kubernetes Event about the database. Never fails the pass."""
        ...


class KeeperPort(Protocol):
    """The keepers of running members."""

    def watch(self, key: DatabaseKey, task_id: TaskId, launch: Launch) -> None:
        """Follow a running member's keeper from now on; enqueue `key` whenever its status changes."""
        ...

    def unwatch(self, task_id: TaskId) -> None:
        """Stop following a keeper."""
        ...

    def view(self, task_id: TaskId) -> KeeperView | None:
        """Return the last answer of a watched keeper, or None before the first attempt."""
        ...

    def send_credentials(self, task_id: TaskId, *, revision: str, username: str, password: str, database: str) -> None:
        """Have the keeper set the application account. Raises EffectFailed."""
        ...


class FencePort(Protocol):
    """What cuts a lost agent off from a shared file system."""

    def fence(self, wanted: FenceAgent) -> None:
        """Return once the agent can write there no more. Raises EffectFailed where that is not certain."""
        ...


class SecretReader(Protocol):
    """Reads a password at the moment of its use; nothing keeps it."""

    def password(self, key: DatabaseKey, name: str) -> str:
        """Return the password in a connection Secret. Raises EffectFailed."""
        ...


class Measures(Protocol):
    """Counts what happens, for those who watch the operator."""

    def pass_began(self) -> None:
        """Note that this thread, a worker, took a key."""
        ...

    def pass_ended(self, outcome: str) -> None:
        """Note how that pass ended."""
        ...

    def effect(self, kind: str, outcome: str) -> None:
        """Count an action."""
        ...


class Journal(Protocol):
    """Append-only record of passes, for explanation and replay; never needed to recover."""

    def append(self, entry: Mapping[str, object]) -> None:
        """Write one line."""
        ...
