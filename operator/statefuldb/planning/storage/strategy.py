"""The interface of a storage strategy, and the values that it exchanges with the planner."""

from dataclasses import dataclass
from typing import Protocol

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.keeper import DataLocation
from statefuldb.model.observed import Offers, TaskStatus
from statefuldb.model.operations import Operation
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import DatabaseSpec
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.storage.bundle import Claim, Needs, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a database's data can do, published as `status.storage.capabilities`."""

    movable: bool
    resizable: bool
    snapshotable: bool
    reattachable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where new data of a member goes: a directory under a root, or a volume named by its persistence id."""

    directory: str | None = None
    root: str | None = None
    persistence_id: str | None = None


class StorageStrategy(Protocol):
    """Where a member's data lives and what outlives its task."""

    capabilities: Capabilities

    def place(self, spec: DatabaseSpec, key: DatabaseKey, record: VolumeRecord) -> Place:
        """Say where the data of a new member goes."""
        ...

    def claim(self, spec: DatabaseSpec, record: VolumeRecord, needs: Needs, offer: AgentOffer) -> Claim | Refusal:
        """Return what makes `offer` hold this member's bundle, or why this agent will not do."""
        ...

    def reattaches_after(self, record: VolumeRecord, status: TaskStatus, offers: Offers) -> bool:
        """Say whether there is proof that a task in an undecided state cannot write any more (law `one_writer`).

        `status` is what was said of it last, `offers` are the outstanding ones. The claim on the directory still stands
        between the two in any case.
        """
        ...

    def location(self, spec: DatabaseSpec, record: VolumeRecord) -> DataLocation:
        """Return where the keeper finds the data and what it must check before opening it."""
        ...

    def release(self, record: VolumeRecord, offer: AgentOffer) -> tuple[Operation, ...]:
        """Return the operations that give back everything of this member on `offer`, DESTROY before UNRESERVE."""
        ...

    def erases_directory(self) -> bool:
        """Say whether deletion needs a task that empties a directory, as opposed to DESTROY."""
        ...
