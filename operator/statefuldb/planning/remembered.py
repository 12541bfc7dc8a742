"""What a database's own status remembers of its ledger entries: the only memory of one that somebody has deleted.

A name stays published for as long as its entry is missed: that an entry is absent never says that there is no data.
"""

import re
from collections.abc import Mapping

from statefuldb.model.identity import volume_record_name
from statefuldb.model.observed import Observed
from statefuldb.model.volume import Intent
from statefuldb.planning import damage

_ORDINAL = re.compile(r"-(\d{1,9})-[^-]+\Z")


def published(observed: Observed) -> tuple[str, ...]:
    """Return the names of ledger entries that the stored status names."""
    storage = observed.database.status.get("storage") if observed.database is not None else None
    names = storage.get("volumes") if isinstance(storage, Mapping) else None
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()


def names(observed: Observed) -> list[str]:
    """Return the names to publish: of the database's entries, and of those that were its own and are not seen.

    One that was found again is retained until it is taken up. One that another database uses, or that a person has
    released by name or adopted for another database, is this one's no more.
    """
    assert observed.database is not None
    uid = observed.database.uid
    own = {record.name for record in observed.volumes if record.owner_uid == uid}
    others = {r.name for r in observed.volumes if r.owner_uid != uid and r.intent is not Intent.RETAIN}
    return sorted(
        own | {name for name in published(observed) if name not in others and not _given_away(name, observed)}
    )


def lost(observed: Observed, ordinal: int) -> tuple[str, ...]:
    """Return the published names that are, or may be, of entries of `ordinal`, and that the ledger lacks."""
    return tuple(name for name in _lost(observed) if _ordinal(name) in (None, ordinal))


def lost_ordinals(observed: Observed) -> frozenset[int]:
    """Return the ordinals whose entries the ledger lacks, as far as their names tell."""
    ordinals = (_ordinal(name) for name in _lost(observed))
    return frozenset(ordinal for ordinal in ordinals if ordinal is not None)


def _lost(observed: Observed) -> tuple[str, ...]:
    known = {record.name for record in observed.volumes} | {entry.name for entry in damage.unsure(observed)}
    return tuple(n for n in published(observed) if n not in known and not _given_away(n, observed))


def _given_away(name: str, observed: Observed) -> bool:
    return any(name.endswith(volume_record_name("", i.ordinal, i.uid)) for i in observed.adopted_away)


def _ordinal(name: str) -> int | None:
    """Return the ordinal in an entry's name, or None where somebody has made one up that has none."""
    found = _ORDINAL.search(name)
    return int(found[1]) if found is not None else None
