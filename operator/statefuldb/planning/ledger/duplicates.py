"""Entries of the ledger that are not the only ones of their data: all but the one in use are left alone.

A living database's entry goes on as ever. Of any other nobody but a person can tell whether it is the copy, so nothing
is stopped, adopted, begun in its place, released or written until one of them is deleted, which touches no data.
"""

from collections.abc import Callable, Iterable

from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.duplicate import DuplicateEntry, OtherEntry
from statefuldb.model.identity import DataIdentity, volume_record_name
from statefuldb.model.observed import DatabaseObject, Observed
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.commands import delete_entry

Entry = VolumeRecord | DamagedEntry
OthersOf = Callable[[VolumeRecord], tuple[OtherEntry, ...]]


def told_apart(
    volumes: tuple[VolumeRecord, ...], database: DatabaseObject | None, others_of: OthersOf
) -> tuple[tuple[VolumeRecord, ...], tuple[DuplicateEntry, ...]]:
    """Return the entries of one key to act on, and all that are not the only ones of their data, by `others_of`.

    No two databases have one uid, so that one entry at most is in use. Where somebody has written another database into
    the copy, the one goes on whose data began with it; of two under one database, the one with the name that we gave.
    """
    duplicates = tuple(
        DuplicateEntry(
            name=record.name,
            key=record.key,
            identity=record.identity,
            others=others,
            left_alone=not (in_use(record, database) and _is_first(record, others)),
        )
        for record in volumes
        if (others := others_of(record))
    )
    alone = {entry.name for entry in duplicates if entry.left_alone}
    return tuple(record for record in volumes if record.name not in alone), duplicates


def others_among(
    entries: Iterable[Entry], record: VolumeRecord, is_in_use: Callable[[Entry], bool] = lambda _: False
) -> tuple[OtherEntry, ...]:
    """Return those of `entries` that are of the same data as `record`; where nobody can say, none `is_in_use`."""
    here = (record.key.namespace, record.name)
    return tuple(
        OtherEntry(key=entry.key, name=entry.name, in_use=is_in_use(entry))
        for entry in entries
        if entry.identity == record.identity and (entry.key.namespace, entry.name) != here
    )


def in_use(record: VolumeRecord, database: DatabaseObject | None) -> bool:
    """Say whether `database`, the one of the entry's own key, has the data in use."""
    return database is not None and record.intent is Intent.USE and record.owner_uid == database.uid


def left_alone(observed: Observed) -> tuple[DuplicateEntry, ...]:
    """Return the entries of this database that nothing is done about."""
    return tuple(entry for entry in observed.duplicates if entry.left_alone)


def stands_for(observed: Observed, ordinal: int) -> bool:
    """Say whether an entry of this database that is left alone is that of `ordinal`."""
    return any(entry.identity.ordinal == ordinal for entry in left_alone(observed))


def holds(observed: Observed, identity: DataIdentity) -> bool:
    """Say whether an entry that is left alone is that of some data."""
    return any(entry.identity == identity for entry in left_alone(observed))


def waits(observed: Observed) -> tuple[Waiting, ...]:
    """Return the waits for a person to delete one of the entries."""
    return tuple(map(_wait, left_alone(observed)))


def warnings(observed: Observed) -> tuple[Announcement, ...]:
    """Return what to tell when a database is deleted: from then on none of its entries here is in use."""
    return tuple(
        Announcement(reason=EventReason.VOLUME_RETAINED, message=_wait(entry).message, warning=True)
        for entry in observed.duplicates
    )


def _is_first(record: VolumeRecord, others: tuple[OtherEntry, ...]) -> bool:
    """Say whether an entry that is in use comes before any other that seems to be."""
    identity = record.identity
    named = record.name == volume_record_name(record.key.name, identity.ordinal, identity.uid)
    began = record.owner_uid == identity.uid
    return all(named if other.key == record.key else began or not other.in_use for other in others)


def _wait(entry: DuplicateEntry) -> Waiting:
    others = ", ".join(map(str, entry.others))
    here = delete_entry(entry.key.namespace, entry.name)
    if any(other.in_use for other in entry.others):
        fix = f"this entry is the copy: {here}"
    else:
        fix = f"delete the one that is the copy; where it is this one: {here}"
    return Waiting(
        ordinal=entry.identity.ordinal,
        reason=Reason.LEDGER_ENTRY_DUPLICATE,
        message=f"ledger entry {entry.name} is of the same data as {others}, and nothing is done about it",
        fix=f"{fix}. To delete an entry touches no data; what is left then goes on by itself",
    )
