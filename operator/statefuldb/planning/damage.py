"""Entries of the ledger that cannot be read: nothing is done about the data that they stand for, and it is said why.

Whoever repairs such an entry is the only one who knows what it said. Until then its member is neither launched nor
stopped, and nothing is begun in its place, or of its ordinal: it might have been there first.
"""

from dataclasses import replace

from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.identity import DataIdentity
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Announcement, Plan, Waiting


def stands_for(observed: Observed, ordinal: int) -> bool:
    """Say whether a damaged entry of this database is, or may be, that of `ordinal`."""
    return any(entry.ordinal in (None, ordinal) for entry in _own(observed))


def holds(observed: Observed, identity: DataIdentity) -> bool:
    """Say whether a damaged entry is, or may be, that of some data."""
    return any(entry.is_of(identity) for entry in observed.damaged)


def told(plan: Plan, observed: Observed) -> Plan:
    """Return `plan` with the waits for a person to repair the damaged entries of this database, after all others."""
    waits = tuple(_wait(entry) for entry in _own(observed))
    return replace(plan, waiting=plan.waiting + waits) if waits else plan


def left_alone(observed: Observed) -> tuple[Announcement, ...]:
    """Return what to tell of each damaged entry of a database that is deleted."""
    return tuple(
        Announcement(
            reason=EventReason.VOLUME_RETAINED,
            message=f"{entry.name}: its ledger entry is damaged; its data is retained, and what runs is not stopped",
            warning=True,
        )
        for entry in _own(observed)
    )


def _wait(entry: DamagedEntry) -> Waiting:
    name, namespace = entry.name, entry.key.namespace
    return Waiting(
        ordinal=entry.ordinal,
        reason=Reason.LEDGER_ENTRY_DAMAGED,
        message=f"ledger entry {name} is damaged, and nothing is done about its data: {entry.problem}",
        fix=f"put right what is named: kubectl edit databasevolume {name} -n {namespace}; it then goes on by itself",
    )


def _own(observed: Observed) -> list[DamagedEntry]:
    return [entry for entry in observed.damaged if entry.key == observed.key]
