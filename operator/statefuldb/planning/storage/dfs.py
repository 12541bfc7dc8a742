"""DFS: a directory on a file system that many agents mount. Any of them will do, one at a time."""

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.keeper import DataLocation
from statefuldb.model.observed import Offers, TaskStatus
from statefuldb.model.operations import Operation
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import DatabaseSpec
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.storage.bundle import Claim, Needs, Refusal, complete
from statefuldb.planning.storage.directory import file_system, member_directory, root_of
from statefuldb.planning.storage.strategy import Capabilities, Place


class Dfs:
    """A shared file system; the claim with its token, and proof of fencing, keep a second writer away."""

    capabilities = Capabilities(movable=True, resizable=True, snapshotable=False, reattachable=True)

    def place(self, spec: DatabaseSpec, key: DatabaseKey, record: VolumeRecord) -> Place:
        """`<mountPoint>/<subPath>/<namespace>/<name>/<ordinal>`."""
        root = root_of(spec.storage)
        assert root is not None
        return Place(directory=member_directory(root, spec, key, record), root=root)

    def claim(self, spec: DatabaseSpec, record: VolumeRecord, needs: Needs, offer: AgentOffer) -> Claim | Refusal:
        """Any agent that says it has the mount; the keeper checks that it is true."""
        assert spec.storage.dfs is not None
        wanted = spec.storage.dfs.agent_attribute
        if offer.attributes.get(wanted.name) != wanted.value:
            return Refusal(
                code="mount",
                message=f"{offer.hostname} does not advertise {wanted.name}:{wanted.value}",
            )
        return complete(needs, record.identity, offer)

    def reattaches_after(self, record: VolumeRecord, status: TaskStatus, offers: Offers) -> bool:
        """Only recorded proof that the lost incarnation was cut off permits a successor (docs/design.md section 8).

        It is about one loss of the agent: whoever was fenced before may have been let in again since.
        """
        del offers
        return record.fenced is not None and record.fenced.lost_at_seconds in (None, status.lost_at_seconds)

    def location(self, spec: DatabaseSpec, record: VolumeRecord) -> DataLocation:
        """The recorded directory, and the mount it must lie on."""
        dfs = file_system(spec, record)
        assert dfs is not None
        return DataLocation(
            strategy="DFS",
            directory=record.directory or "",
            root=record.root,
            create=True,
            mount_point=dfs.mount_point,
            filesystem=dfs.type,
            source=dfs.source,
            unheard_after=record.unheard.after if record.unheard is not None else None,
            unheard_until=record.unheard.until if record.unheard is not None else None,
        )

    def release(self, record: VolumeRecord, offer: AgentOffer) -> tuple[Operation, ...]:
        """Nothing is reserved, so nothing is given back."""
        del record, offer
        return ()

    def erases_directory(self) -> bool:
        """A task on any agent with the mount empties it."""
        return True
