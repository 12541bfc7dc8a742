"""The ledger: entries that nobody can act on."""

from collections.abc import Iterable, Iterator

from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.checkup.findings import Finding, judged

WHERE = "the ledger"


def ledger_findings(entries: Iterable[VolumeRecord | DamagedEntry]) -> Iterator[Finding]:
    """Yield what is wrong with each damaged entry, or that there is none."""
    read = list(entries)
    damaged = [entry for entry in read if isinstance(entry, DamagedEntry)]
    for entry in damaged:
        name, namespace = entry.name, entry.key.namespace
        remedy = f"put that right: kubectl edit databasevolume {name} -n {namespace}"
        yield judged(WHERE, f"entry {namespace}/{name} cannot be read: {entry.problem}", False, remedy)
    if not damaged:
        yield judged(WHERE, f"its {len(read)} entries can be read", True, "")
