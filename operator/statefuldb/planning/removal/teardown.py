"""The end of a database: intent into the ledger, members stopped, the object let go; then what the ledger asks for.

Data is retained unless its owner asked for deletion with protection off, or a person released it by name (law
`data_outlives_everything`). The object never waits for Mesos or for the database (law `deletable`): once the intent is
in the ledger, the ledger drives the rest.
"""

from dataclasses import replace

from statefuldb.model.actions import RemoveFinalizer, SaveVolume
from statefuldb.model.conditions import EventReason
from statefuldb.model.identity import FINALIZER
from statefuldb.model.observed import DatabaseObject, Observed, TaskState
from statefuldb.model.plan import Announcement
from statefuldb.model.spec import DatabaseSpec, EngineSpec, HostPathSpec, Retention, StorageSpec
from statefuldb.model.volume import Intent, VolumePhase, VolumeRecord
from statefuldb.planning.context import Context, Step, status_of
from statefuldb.planning.desired import Desired
from statefuldb.planning.ledger import damage, ownership, remembered
from statefuldb.planning.members import failed_operations
from statefuldb.planning.members.lifecycle import stop
from statefuldb.planning.members.strays import strays
from statefuldb.planning.removal.erasing import ERASE_RESOURCES, under_way
from statefuldb.planning.removal.giving_back import give_back


def spec_of(record: VolumeRecord) -> DatabaseSpec:
    """Return the least that must be known to wind up an entry whose database is gone: what the entry itself says."""
    host_path = HostPathSpec(path=record.root or "/") if record.dfs is None else None
    return DatabaseSpec(
        engine=EngineSpec(type=record.engine, version=record.engine_version),
        resources=ERASE_RESOURCES,
        storage=StorageSpec(
            strategy=record.strategy,
            size_bytes=record.size_bytes,
            host_path=host_path,
            dfs=record.dfs,
        ),
    )


def let_go(database: DatabaseObject, desired: Desired, observed: Observed) -> Step:
    """Return the step that answers a deletion: store the intent of every member, then drop the finalizer.

    A refused edit may have been a change of mind about the data, so with one outstanding the data is retained. So is
    that of an earlier life which nobody was told yet that this database has taken up: it was not what was deleted.
    """
    if FINALIZER not in database.finalizers:
        return Step()
    spec = None if desired.errors else desired.spec
    protected = spec is None or spec.deletion_protection
    dying = observed.crd_terminating or observed.namespace_terminating
    wish = Retention.RETAIN if spec is None else spec.retention.when_deleted
    delete = wish is Retention.DELETE and not protected and not dying
    mine = [r for r in observed.volumes if r.owner_uid == database.uid and r.intent is Intent.USE]
    asked = {r.name for r in mine if r.identity.uid == database.uid} | set(remembered.published(observed))
    left = [replace(r, intent=Intent.DELETE if delete and r.name in asked else Intent.RETAIN) for r in mine]
    announcements = [
        Announcement(
            reason=EventReason.VOLUME_RELEASED if record.intent is Intent.DELETE else EventReason.VOLUME_RETAINED,
            message=f"{record.name}: data is {'deleted' if record.intent is Intent.DELETE else 'retained'}",
        )
        for record in left
    ]
    if protected and mine:
        announcements.append(
            Announcement(
                reason=EventReason.DELETION_BYPASSED_PROTECTION,
                message="deleted although spec.deletionProtection is not Disabled: stopped, all data retained",
                warning=True,
            )
        )
    announcements += damage.left_alone(observed)
    saved = tuple(SaveVolume(volume=record, why=f"{record.intent} on deletion") for record in left)
    return Step(actions=(*saved, RemoveFinalizer(key=database.key)), announcements=tuple(announcements))


def disown(observed: Observed) -> Step:
    """Return the step for entries in use whose database is gone without asking us: retain them."""
    if observed.crd_terminating:
        return Step()
    uid = observed.database.uid if observed.database else None
    lost = [r for r in observed.volumes if r.intent is Intent.USE and r.owner_uid != uid]
    return Step(
        actions=tuple(SaveVolume(volume=replace(r, intent=Intent.RETAIN), why="its database is gone") for r in lost),
        announcements=tuple(
            Announcement(reason=EventReason.VOLUME_RETAINED, message=f"{r.name}: its database is gone") for r in lost
        ),
    )


def wind_up(context: Context, record: VolumeRecord) -> Step:
    """Return the next step of an entry that no database uses; it says nothing of a database whose data it is not."""
    step = _next(context, record)
    explained = failed_operations.explained(context, record.identity.ordinal, record.identity.uid, step)
    if not ownership.is_of_this_database(context.observed, record):
        explained = replace(explained, waiting=tuple(replace(wait, winding_up=True) for wait in explained.waiting))
    return replace(explained, consented=record.intent is Intent.DELETE)


def _next(context: Context, record: VolumeRecord) -> Step:
    """Stop its task, then keep or release its data.

    While our definitions go or are gone, nothing: with them, everything may come back as it was.
    """
    if context.observed.crd_terminating:
        return Step()
    if ownership.marked_in_use(context, record):
        return Step(waiting=(ownership.contradiction(record),))
    stopped = _erasing(context, record) or stop(context, record, f"stop {record.member}: {record.intent}")
    if stopped.actions or stopped.waiting:
        return stopped
    if record.intent is Intent.RETAIN:
        if record.phase is VolumePhase.RETAINED:
            return Step()
        saved = replace(record, phase=VolumePhase.RETAINED)
        return Step(actions=(SaveVolume(volume=saved, why="stopped and retained"),))
    return give_back(context, record)


def _erasing(context: Context, record: VolumeRecord) -> Step | None:
    """Return the step while a task empties the directory: it ends by itself, and killed it would begin anew."""
    status = status_of(record, context.observed.tasks)
    runs = status is not None and status.state.alive and status.state is not TaskState.KILLING and not record.ended
    if record.intent is not Intent.DELETE or record.launch is None or not record.launch.erase or not runs:
        return None
    return strays(context, record) or under_way(context, record)
