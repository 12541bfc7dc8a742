"""Entries of the ledger that cannot be read: nothing is done about the data that they stand for, and it is said why.

So it is with those that cannot be told from a copy (`duplicates`). Whoever repairs such an entry is the only one who
knows what it said. Until then its member is neither launched nor stopped, and nothing is begun in its place, or of its
ordinal: it might have been there first.
"""

from dataclasses import replace

from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.duplicate import DuplicateEntry
from statefuldb.model.identity import DataIdentity
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Announcement, Plan, Waiting
from statefuldb.planning.commands import edit_entry
from statefuldb.planning.ledger import duplicates


def stands_for(observed: Observed, ordinal: int) -> bool:
    """Say whether an entry of this database that nothing is done about is, or may be, that of `ordinal`."""
    damaged = any(entry.ordinal in (None, ordinal) for entry in _own(observed))
    return damaged or duplicates.stands_for(observed, ordinal)


def holds(observed: Observed, identity: DataIdentity) -> bool:
    """Say whether an entry that nothing is done about is, or may be, that of some data."""
    return any(entry.is_of(identity) for entry in observed.damaged) or duplicates.holds(observed, identity)


def unsure(observed: Observed) -> tuple[DamagedEntry | DuplicateEntry, ...]:
    """Return all entries that nothing is done about, of this database or of data that began under its name."""
    return (*observed.damaged, *duplicates.left_alone(observed))


def with_waits(plan: Plan, observed: Observed) -> Plan:
    """Return `plan` with the waits for a person to repair or delete entries of this database, after all others."""
    waits = (*map(_wait, _own(observed)), *duplicates.waits(observed))
    return replace(plan, waiting=plan.waiting + waits) if waits else plan


def left_alone(observed: Observed) -> tuple[Announcement, ...]:
    """Return what to tell of each entry that nothing is done about, of a database that is deleted."""
    damaged = tuple(
        Announcement(
            reason=EventReason.VOLUME_RETAINED,
            message=f"{entry.name}: its ledger entry is damaged; its data is retained, and what runs is not stopped",
            warning=True,
        )
        for entry in _own(observed)
    )
    return (*damaged, *duplicates.warnings(observed))


def _wait(entry: DamagedEntry) -> Waiting:
    edit = edit_entry(entry.key.namespace, entry.name)
    return Waiting(
        ordinal=entry.ordinal,
        reason=Reason.LEDGER_ENTRY_DAMAGED,
        message=f"ledger entry {entry.name} is damaged, and nothing is done about its data: {entry.problem}",
        fix=f"put right what is named: {edit}; it then goes on by itself",
    )


def _own(observed: Observed) -> list[DamagedEntry]:
    return [entry for entry in observed.damaged if entry.key == observed.key]
