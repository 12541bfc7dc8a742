"""The ports: what the loop needs of the world, as protocols. Adapters implement them; tests and the simulator too.

Reading methods answer from caches where they can. What must be asked for, and effects, block for a bounded time; these
raise `EffectFailed`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from statefuldb.model.actions import AcceptOffers, EnsureSecret, FenceAgent, KillTask
from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.duplicate import OtherEntry
from statefuldb.model.identity import DatabaseKey, DataIdentity, TaskId
from statefuldb.model.observed import (
    DatabaseObject,
    KeeperView,
    MesosView,
    Observed,
    Offers,
    OperationStatus,
    SecretView,
    Sighting,
    TaskStatus,
)
from statefuldb.model.plan import Announcement
from statefuldb.model.profile import StorageProfile
from statefuldb.model.resources import Unavailability
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Offers, one entry for each agent and role. `whole`: there are no others. `newest` numbers the last that came."""

    offers: Offers
    whole: bool
    newest: int


class KubernetesPort(Protocol):
    """The Kubernetes API: desired state, the ledger, Secrets, status and Events."""

    def keys(self) -> tuple[DatabaseKey, ...]:
        """Return every key that has a database or a ledger entry."""
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

        Raises EffectFailed(conflict=True) where a database of its name is there.
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


class MesosPort(Protocol):
    """Apache Mesos, as one framework."""

    def view(self) -> MesosView:
        """Return the state of the connection."""
        ...

    def offers(self, observed: Observed, best: int) -> Excerpt:
        """Return the outstanding offers that concern a database, and the `best` ones of all (most free cpu first)."""
        ...

    def offers_up_to(self, newest: float, received_before: float) -> Offers:
        """Return, of the offers up to number `newest`, those that came before a moment (Unix seconds)."""
        ...

    def hold(self, offer_ids: Sequence[str]) -> None:
        """Show offers to nobody until they are accepted or released."""
        ...

    def release(self, offer_ids: Sequence[str]) -> None:
        """Show those of held offers again that were neither accepted nor rescinded."""
        ...

    def tasks(self, uid: str) -> Mapping[TaskId, TaskStatus]:
        """Return the latest status of every task whose id carries this data identity's uid."""
        ...

    def operations(self, uid: str) -> tuple[OperationStatus, ...]:
        """Return what is known of the last operations of each member of one data identity."""
        ...

    def maintenance(self) -> Mapping[str, Unavailability]:
        """Return when agents, by id, are announced to be away."""
        ...

    def found(self, key: DatabaseKey) -> tuple[VolumeRecord, ...]:
        """Return the ledger entries that tasks of this database name carry as a label."""
        ...

    def found_keys(self) -> set[DatabaseKey]:
        """Return every database name that has a task."""
        ...

    def reserved(self, observed: Observed) -> Offers | None:
        """Return what agents hold of a database's, offered or not, as of now; None where it cannot be known."""
        ...

    def sighting(self, volume: VolumeRecord) -> Sighting | None:
        """Return what the master says of a member's resources, offered or not; None where it does not say.

        Asks the master, at most twice a minute.
        """
        ...

    def outlived(self, task_id: TaskId, agent_id: str) -> bool | None:
        """Say whether an agent has provably ended a task that an earlier framework of ours launched on it.

        None where that agent is not registered, or cannot be asked about. Asks the master, at most each few seconds.
        """
        ...

    def expect(self, key: DatabaseKey, task_id: TaskId, agent_id: str) -> None:
        """Ask Mesos about a recorded task, with its agent id, until it is answered (explicit reconciliation).

        Cheap to repeat. From now on `key` is enqueued whenever a status of the task arrives.
        """
        ...

    def forget(self, task_id: TaskId) -> None:
        """Ask no longer about a task whose end is recorded."""
        ...

    def accept(self, wanted: AcceptOffers) -> None:
        """Send one ACCEPT and drop its offers from the cache. Raises EffectFailed; if one is gone, none is dropped."""
        ...

    def kill(self, wanted: KillTask) -> None:
        """Send one KILL. Raises EffectFailed.

        For half a minute after it was sent, `tasks` shows the task as KILLING, so that it is not sent with each pass.
        """
        ...

    def acknowledge(self, status: TaskStatus) -> None:
        """Acknowledge one status, after what it says is recorded."""
        ...

    def acknowledge_operation(self, status: OperationStatus) -> None:
        """Acknowledge one operation's status, after what it says is recorded."""
        ...

    def decline(self, offer_ids: Sequence[str], refuse_seconds: float) -> None:
        """Decline those of `offer_ids` that are still outstanding, unless somebody holds them by now."""
        ...

    def revive(self) -> None:
        """Ask for offers again, all filters cleared."""
        ...

    def suppress(self) -> None:
        """Ask for no more offers."""
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
