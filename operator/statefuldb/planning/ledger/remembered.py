"""What a database's own status remembers of its ledger entries: the only memory of one that somebody has deleted.

A name stays published for as long as its entry is missed: that an entry is absent never says that there is no data.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from statefuldb.model.identity import volume_record_name
from statefuldb.model.observed import Observed
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.ledger import damage
from statefuldb.planning.published import published as listed

_ORDINAL = re.compile(r"-(\d{1,9})-[^-]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the data of an entry lay when that was last seen; what does not apply is empty."""

    host: str
    persistence_id: str
    directory: str

    def __str__(self) -> str:
        what = f"volume {self.persistence_id}" if self.persistence_id else f"directory {self.directory}"
        return f"{what}, last on {self.host}" if self.host else what


def published(observed: Observed) -> tuple[str, ...]:
    """Return the names of ledger entries that the stored status names."""
    storage = observed.database.status.get("storage") if observed.database is not None else None
    volumes = storage.get("volumes") if isinstance(storage, Mapping) else None
    return tuple(map(str, volumes)) if isinstance(volumes, list | tuple) else ()


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


def places(observed: Observed) -> dict[str, Place]:
    """Return where the stored status says that data lies, by the names of ledger entries. Older ones do not say it."""
    status = observed.database.status if observed.database is not None else {}
    return {
        str(entry.get("name", "")): Place(
            host=str(entry.get("agent", "")),
            persistence_id=str(entry.get("persistenceId", "")),
            directory=str(entry.get("directory", "")),
        )
        for entry in listed(status, "storage", "data")
    }


def data(observed: Observed) -> list[dict[str, str]]:
    """Return where data lies, to publish: by the entries in use, and for all other names as it was published before.

    A member leaves a volume for another only before there is data, so of data this never changes.
    """
    known = places(observed)
    for record in observed.volumes:
        if record.intent is Intent.USE and record.initialised:
            known[record.name] = _place(record)
    return [_published(name, known[name]) for name in names(observed) if name in known]


def of_another_volume(observed: Observed, name: str, persistence_id: str | None) -> Place | None:
    """Return where the data of the entry `name` lies, where that is known to be another volume; else None."""
    place = places(observed).get(name)
    known = place is not None and place.persistence_id and persistence_id
    return place if known and place is not None and place.persistence_id != persistence_id else None


def of_another_place(observed: Observed, record: VolumeRecord) -> bool:
    """Say whether what a task carries as its entry lies where the data of that entry is known not to lie.

    It is of an attempt before there was data, which was left for another agent.
    """
    place = places(observed).get(record.name)
    if place is not None and record.strategy is Strategy.HOST_PATH:
        return place.host not in ("", _place(record).host)
    return of_another_volume(observed, record.name, record.persistence_id) is not None


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


def _place(record: VolumeRecord) -> Place:
    return Place(
        host=record.agent.hostname if record.agent is not None else "",
        persistence_id=record.persistence_id or "",
        directory=record.directory or "",
    )


def _published(name: str, place: Place) -> dict[str, str]:
    fields = {"agent": place.host, "persistenceId": place.persistence_id, "directory": place.directory}
    return {"name": name, **{field: value for field, value in fields.items() if value}}
