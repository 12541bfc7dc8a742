"""HostPath: a directory on one agent, pinned in the ledger, with that agent's compute reserved beside it."""

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.keeper import DataLocation
from statefuldb.model.observed import Offers, TaskStatus
from statefuldb.model.operations import Operation
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import DatabaseSpec
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.storage.bundle import Claim, Needs, Refusal, complete
from statefuldb.planning.storage.directory import member_directory, root_of
from statefuldb.planning.storage.holding import given_back
from statefuldb.planning.storage.strategy import Capabilities, Place

# The code of what another host than its own is refused with.
PINNED = "pinned"


class HostPath:
    """A local directory; nothing but the pin and the claim keeps a second writer away."""

    capabilities = Capabilities(movable=False, resizable=True, snapshotable=False, reattachable=False)

    def place(self, spec: DatabaseSpec, key: DatabaseKey, record: VolumeRecord) -> Place:
        """`<path>/<namespace>/<name>/<ordinal>`, or under a folder of the uid where that name is taken."""
        root = root_of(spec.storage)
        assert root is not None
        return Place(directory=member_directory(root, spec, key, record), root=root)

    def claim(self, spec: DatabaseSpec, record: VolumeRecord, needs: Needs, offer: AgentOffer) -> Claim | Refusal:
        """Only the pinned agent will do, once there is one. Host names outlive agent ids."""
        del spec
        if record.agent is not None and record.agent.hostname != offer.hostname:
            host = record.agent.hostname
            known = f"the data is on {host}, not {offer.hostname}"
            return Refusal(code=PINNED, message=known if record.initialised else f"{offer.hostname} is not {host}")
        return complete(needs, record.identity, offer)

    def reattaches_after(self, record: VolumeRecord, status: TaskStatus, offers: Offers) -> bool:
        """The same host under another agent id: what its former agent left running is kept out by the claim.

        The lock of the claim is the kernel's, and a successor on the same host waits for it, however long.
        """
        del status
        launched = record.launch
        return launched is not None and any(
            offer.hostname == launched.agent.hostname and offer.agent_id != launched.agent.id for offer in offers
        )

    def location(self, spec: DatabaseSpec, record: VolumeRecord) -> DataLocation:
        """The recorded directory, under the recorded root."""
        create = spec.storage.host_path is not None and spec.storage.host_path.create
        return DataLocation(strategy="HostPath", directory=record.directory or "", root=record.root, create=create)

    def release(self, record: VolumeRecord, offer: AgentOffer) -> tuple[Operation, ...]:
        """UNRESERVE the compute beside the directory; what somebody made of it is destroyed, or it could not be."""
        return given_back(record.identity, offer)

    def erases_directory(self) -> bool:
        """A task on the agent empties it."""
        return True
