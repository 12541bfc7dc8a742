"""The port to Apache Mesos: what the loop needs of it, as one framework."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from statefuldb.model.actions import AcceptOffers, KillTask
from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.observed import MesosView, Observed, Offers, OperationStatus, Sighting, TaskStatus
from statefuldb.model.resources import Unavailability
from statefuldb.model.volume import VolumeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Offers, one entry for each agent and role. `whole`: there are no others. `newest` numbers the last that came."""

    offers: Offers
    whole: bool
    newest: int


class MesosPort(Protocol):
    """Apache Mesos, as one framework."""

    def view(self) -> MesosView:
        """Return the state of the connection."""
        ...

    def offers(self, observed: Observed, best: int) -> Excerpt:
        """Return the outstanding offers that concern a database, and the `best` ones of all (most free cpu first)."""
        ...

    def newest_offer(self) -> int:
        """Return the number of the last offer that came."""
        ...

    def offers_up_to(self, newest: int, now: float, least_seconds: float) -> Offers:
        """Return, of the offers up to number `newest`, those that came at least so many seconds before `now`."""
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

    def unheard_since(self, task_id: TaskId) -> float | None:
        """Return since when Mesos owes an answer for an expected task of which it has said nothing; None for others."""
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

    def found_keys(self, namespace: str | None = None) -> set[DatabaseKey]:
        """Return every database name that has a task, of one namespace or of all."""
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

    def give_up(self, task_id: TaskId) -> None:
        """Find by a task only while it runs what it carries, since its data is to be removed: see `found`.

        Where its machine never comes back a person deletes the entry, and that is not to be undone.
        """
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
