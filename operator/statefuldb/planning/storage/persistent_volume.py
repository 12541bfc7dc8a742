"""PersistentVolume: cpu, memory, disk and ports of one agent, reserved as one bundle with one label."""

from statefuldb.model.identity import CONTAINER_PATH, DatabaseKey, PersistenceId
from statefuldb.model.keeper import DataLocation
from statefuldb.model.observed import Offers, TaskStatus
from statefuldb.model.operations import Operation
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import DatabaseSpec
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.storage.bundle import Claim, Needs, Refusal, complete
from statefuldb.planning.storage.holding import given_back, holds_volume
from statefuldb.planning.storage.strategy import Capabilities, Place


class PersistentVolume:
    """A Mesos persistent volume (Mesos docs, persistent-volume)."""

    capabilities = Capabilities(movable=False, resizable=True, snapshotable=False, reattachable=False)

    def place(self, spec: DatabaseSpec, key: DatabaseKey, record: VolumeRecord) -> Place:
        """Name a volume. Each life of a directory gets a new sequence number; ids are never reused."""
        del spec, key
        sequence = record.incarnation + 1
        return Place(persistence_id=str(PersistenceId(identity=record.identity, sequence=sequence)))

    def claim(self, spec: DatabaseSpec, record: VolumeRecord, needs: Needs, offer: AgentOffer) -> Claim | Refusal:
        """Complete the bundle: on the agent of the volume once it holds data, on any agent before."""
        del spec
        return complete(needs, record.identity, offer)

    def reattaches_after(self, record: VolumeRecord, status: TaskStatus, offers: Offers) -> bool:
        """Relaunch after an undecided state only where Mesos offers the volume, which it never does while it is used.

        It is told by its persistence id, so it does not matter under which id its agent has come back.
        """
        del status
        return any(holds_volume(record, offer) for offer in offers)

    def location(self, spec: DatabaseSpec, record: VolumeRecord) -> DataLocation:
        """The volume appears in the sandbox at a path without a slash (docs/design.md, section 8)."""
        del spec, record
        return DataLocation(strategy="PersistentVolume", directory=CONTAINER_PATH)

    def release(self, record: VolumeRecord, offer: AgentOffer) -> tuple[Operation, ...]:
        """DESTROY the volume, then UNRESERVE all that carries this member's labels (a static reservation has none)."""
        return given_back(record.identity, offer)

    def erases_directory(self) -> bool:
        """DESTROY removes the directory."""
        return False
