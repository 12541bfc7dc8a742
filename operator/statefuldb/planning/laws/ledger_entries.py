"""What no plan may ever write into the ledger: the second opinion on entries, beside that on effects (`invariants`).

An entry is what decides, days later, whether data is destroyed, opened elsewhere or begun anew; so a wrong one is as
bad as the effect itself.
"""

from collections.abc import Iterator, Mapping

from statefuldb.model.observed import Observed
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.laws.violation import Violation
from statefuldb.planning.ledger import damage, rebuilding, remembered


def broken_by(
    saved: VolumeRecord, stored: VolumeRecord | None, observed: Observed, *, beside: bool = False
) -> Iterator[Violation]:
    """Yield every law that is broken by writing `saved` over `stored` (None: there is no such entry yet).

    `beside` says that the manifest asks for a new database beside data of earlier lives.
    """
    deleted = saved.intent is Intent.DELETE and (stored is None or stored.intent is not Intent.DELETE)
    if deleted and not _was_asked_for(saved, observed):
        yield Violation(law="data_outlives_everything", message=f"{saved.name} would be deleted, nobody asked for it")
    if stored is None:
        if not saved.initialised:
            yield from _begun(saved, observed, beside=beside)
        return
    if saved.identity != stored.identity:
        yield Violation(law="ours_only", message=f"{saved.name} would be of {saved.identity}, not {stored.identity}")
    if saved.owner_uid != stored.owner_uid and stored.intent is not Intent.RETAIN:
        yield Violation(law="data_outlives_everything", message=f"{saved.name} would be taken from who uses it")
    taken_up = stored.intent is Intent.RETAIN and saved.intent is Intent.USE
    if taken_up and (lost := remembered.lost(observed, saved.identity.ordinal)):
        message = f"{saved.name} would be served in the place of {', '.join(lost)}"
        yield Violation(law="no_empty_resurrection", message=message)
    if taken_up and (place := remembered.of_another_volume(observed, saved.name, saved.persistence_id)) is not None:
        message = f"{saved.name} would be served from {saved.persistence_id}, its data is in {place}"
        yield Violation(law="no_empty_resurrection", message=message)
    if saved.incarnation < stored.incarnation or saved.token < stored.token:
        yield Violation(law="one_writer", message=f"{saved.name} would fall back behind what was launched")
    if stored.initialised and (_place(saved) != _place(stored) or not saved.initialised):
        yield Violation(law="no_empty_resurrection", message=f"{saved.name} would forget where its data is")
    if stored.initialised and stored.made_with not in (None, saved.made_with):
        yield Violation(law="no_empty_resurrection", message=f"{saved.name} would forget what its data was made with")


def _begun(saved: VolumeRecord, observed: Observed, *, beside: bool) -> Iterator[Violation]:
    ordinal = saved.identity.ordinal
    if damage.stands_for(observed, ordinal):
        yield Violation(law="no_empty_resurrection", message=f"{saved.name} would begin beside a damaged entry")
    if lost := remembered.lost(observed, ordinal):
        message = f"{saved.name} would begin in the place of {', '.join(lost)}"
        yield Violation(law="no_empty_resurrection", message=message)
    for held, agent in rebuilding.unwritten(observed, saved.identity.cluster).items():
        if held.ordinal == ordinal and (held.uid == saved.identity.uid or not beside):
            message = f"{saved.name} would begin while {agent.hostname} holds what is {held.uid}'s, in no entry"
            yield Violation(law="no_empty_resurrection", message=message)


def _was_asked_for(saved: VolumeRecord, observed: Observed) -> bool:
    """Say whether the entry's database is being deleted, by itself, and its manifest as it is now wants the data gone.

    A release by name is not of any plan: it is read, not made.
    """
    database, dying = observed.database, observed.crd_terminating or observed.namespace_terminating
    if database is None or not database.deleting or database.uid != saved.owner_uid or dying:
        return False
    retention = database.spec.get("retention")
    wish = retention.get("whenDeleted") if isinstance(retention, Mapping) else None
    return database.spec.get("deletionProtection") == "Disabled" and wish == "Delete"


def _place(record: VolumeRecord) -> tuple[object, ...]:
    return record.strategy, record.persistence_id, record.directory, record.root
