"""The ledger: entries that nobody can act on, and those that are not the only ones of their data."""

from collections.abc import Iterable, Iterator

from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.identity import DataIdentity
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.checkup.findings import Finding, judged
from statefuldb.planning.commands import edit_entry

WHERE = "the ledger"


def ledger_findings(entries: Iterable[VolumeRecord | DamagedEntry]) -> Iterator[Finding]:
    """Yield what is wrong with each damaged entry and each group of entries of the same data, or that there is none."""
    read = list(entries)
    damaged = [entry for entry in read if isinstance(entry, DamagedEntry)]
    for unread in damaged:
        name, namespace = unread.name, unread.key.namespace
        remedy = f"put that right: {edit_entry(namespace, name)}"
        yield judged(WHERE, f"entry {namespace}/{name} cannot be read: {unread.problem}", False, remedy)
    alike: dict[DataIdentity, list[str]] = {}
    for entry in read:
        if entry.identity is not None:
            alike.setdefault(entry.identity, []).append(f"{entry.key.namespace}/{entry.name}")
    copied = [names for names in alike.values() if len(names) > 1]
    for names in copied:
        what = f"entries {', '.join(names)} are of the same data, and nothing is done about those that are not in use"
        yield judged(WHERE, what, False, "delete the copy: kubectl delete databasevolume; that touches no data")
    if not (damaged or copied):
        yield judged(WHERE, f"its {len(read)} entries can be read", True, "")
