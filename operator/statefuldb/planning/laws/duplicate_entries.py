"""What no plan may do to data that the ledger has several entries of: the second opinion on `duplicates`."""

from collections.abc import Iterator

from statefuldb.model.actions import AcceptOffers, Action, ForgetVolume, KillTask, SaveVolume
from statefuldb.model.observed import Observed
from statefuldb.model.operations import Destroy, LaunchTask, Operation, Unreserve
from statefuldb.model.resources import Resource
from statefuldb.model.volume import Intent
from statefuldb.planning.laws.violation import Violation
from statefuldb.planning.storage.holding import identity_of

Member = tuple[str, int]


def broken_by(action: Action, observed: Observed) -> Iterator[Violation]:
    """Yield the law that is broken by an action on such data, unless this key's database has it in use."""
    for member in sorted(_members(action) & _doubtful(observed)):
        what = f"{type(action).__name__} for {member[0]}, member {member[1]}, which another entry is of too"
        yield Violation(law="data_outlives_everything", message=what)


def _doubtful(observed: Observed) -> set[Member]:
    """Return the members of whose data there are several entries, and none that a living database has in use here.

    Nor one that seems to be in use elsewhere as well, unless the data began with this database.
    """
    uid = observed.database.uid if observed.database is not None else None
    used = {
        (record.identity.uid, record.identity.ordinal)
        for record in observed.volumes
        if record.intent is Intent.USE and record.owner_uid == uid
    }
    return {
        (entry.identity.uid, entry.identity.ordinal)
        for entry in observed.duplicates
        if (entry.identity.uid, entry.identity.ordinal) not in used
        or (entry.identity.uid != uid and any(o.in_use and o.key != observed.key for o in entry.others))
    }


def _members(action: Action) -> set[Member]:
    """Return the members that an action stops, launches, gives back or writes down."""
    match action:
        case KillTask(task_id=task_id):
            return {(task_id.uid, task_id.ordinal)}
        case SaveVolume(volume=volume) | ForgetVolume(volume=volume):
            return {(volume.identity.uid, volume.identity.ordinal)}
        case AcceptOffers(operations=operations):
            return {member for operation in operations for member in _of_operation(operation)}
        case _:
            return set()


def _of_operation(operation: Operation) -> Iterator[Member]:
    match operation:
        case LaunchTask(task_id=task_id):
            yield task_id.uid, task_id.ordinal
        case Destroy(volume=volume):
            yield from _owners((volume,))
        case Unreserve(resources=resources):
            yield from _owners(resources)
        case _:
            pass


def _owners(resources: tuple[Resource, ...]) -> Iterator[Member]:
    for owner in filter(None, map(identity_of, resources)):
        yield owner.uid, owner.ordinal
