"""The ledger: entries that nobody can act on, copies, data that is not removed, and databases whose entry is lost."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from statefuldb.model.conditions import Reason
from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.identity import DatabaseKey, DataIdentity
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.checkup.findings import Finding, judged
from statefuldb.planning.commands import delete_entry, edit_entry
from statefuldb.planning.published import published
from statefuldb.planning.removal import in_vain

WHERE = "the ledger"
Entry = VolumeRecord | DamagedEntry


def ledger_findings(entries: Iterable[Entry], databases: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield what is wrong with the ledger, or that nothing is.

    That is each damaged entry, each group of entries of the same data, each whose keeper refuses to remove its data,
    and each of `databases`, objects as they are stored, of which the operator says that an entry is lost, or stands for
    other data than there is.
    """
    read = list(entries)
    owners = {DatabaseKey.of(stored): stored for stored in databases}
    amiss = [*_damaged(read), *_copied(read, owners), *_kept(read), *_missed(owners)]
    yield from amiss or [judged(WHERE, f"its {len(read)} entries can be read", True, "")]


def _damaged(entries: Sequence[Entry]) -> Iterator[Finding]:
    for entry in entries:
        if isinstance(entry, DamagedEntry):
            name, namespace = entry.name, entry.key.namespace
            remedy = f"put that right: {edit_entry(namespace, name)}"
            yield judged(WHERE, f"entry {namespace}/{name} cannot be read: {entry.problem}", False, remedy)


def _copied(entries: Sequence[Entry], owners: Mapping[DatabaseKey, Mapping[str, Any]]) -> Iterator[Finding]:
    alike: dict[DataIdentity, list[Entry]] = {}
    for entry in entries:
        if entry.identity is not None:
            alike.setdefault(entry.identity, []).append(entry)
    for group in alike.values():
        if len(group) == 1:
            continue
        names = ", ".join(f"{entry.key.namespace}/{entry.name}" for entry in group)
        spare = [entry for entry in group if not _in_use(entry, owners)]
        deletions = [delete_entry(entry.key.namespace, entry.name) for entry in spare or group]
        known = len(spare) == len(group) - 1
        which = f"delete the copy: {'; '.join(deletions)}"
        remedy = which if known else f"delete the one that is the copy: {', or '.join(deletions)}"
        what = f"entries {names} are of the same data, and nothing is done about those that are not in use"
        yield judged(WHERE, what, False, f"{remedy}; that touches no data")


def _in_use(entry: Entry, owners: Mapping[DatabaseKey, Mapping[str, Any]]) -> bool:
    """Say whether a database that is there has the data in use through this entry."""
    owner = owners.get(entry.key)
    if owner is None or isinstance(entry, DamagedEntry) or entry.intent is not Intent.USE:
        return False
    return bool(owner["metadata"]["uid"] == entry.owner_uid)


def _kept(entries: Sequence[Entry]) -> Iterator[Finding]:
    for entry in entries:
        if isinstance(entry, VolumeRecord) and entry.intent is Intent.DELETE and (said := in_vain.failure(entry)):
            name, namespace = entry.name, entry.key.namespace
            yield judged(WHERE, f"entry {namespace}/{name} is not given back: {said}", False, in_vain.remedy(entry))


def _missed(owners: Mapping[DatabaseKey, Mapping[str, Any]]) -> Iterator[Finding]:
    for key, stored in owners.items():
        for wait in published(stored.get("status") or {}, "plan", "waiting"):
            if wait.get("reason") == Reason.VOLUME_MISSING:
                yield judged(WHERE, f"database {key}: {wait.get('message')}", False, str(wait.get("fix", "")))
