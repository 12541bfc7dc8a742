"""The volumes that Mesos holds of one member: which of them counts as the data, and what is said of the others.

A first start that was cut off leaves its volume behind, and only a release ever destroys it.
"""

from statefuldb.model.identity import DataIdentity, PersistenceId
from statefuldb.model.observed import Offers
from statefuldb.model.resources import AgentOffer, Resource
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.commands import delete_entry
from statefuldb.planning.storage.holding import made_for, with_data

Volume = tuple[AgentOffer, Resource]


def counted(held: Offers, identity: DataIdentity) -> Volume | None:
    """Return the volume of a member that counts as its data, with its agent, or None where we made none."""
    return with_data((offer, r) for offer in held for r in offer.resources).get(identity)


def beside_an_orphan(held: Offers, identity: DataIdentity) -> str:
    """Return what is said of several volumes of what is in no entry; empty where there is one, of ours, or none."""
    data = counted(held, identity)
    rest = [(offer, r) for offer, r in _volumes(held) if data is None or r is not data[1]]
    if not rest:
        return ""
    said = f"{_named(data)} was made last and counts as the data; " if data is not None else ""
    return f"{said}{_goes_too(rest)}"


def beside_an_entry(record: VolumeRecord, held: Offers) -> str:
    """Return what is said of the volumes of an entry's member other than the entry's own; empty where there is none."""
    later = later_than(record, held)
    rest = [v for v in _volumes(held) if v not in later and not _is_of(record, v[1])]
    said = [_goes_too(rest)] if rest else []
    if later:
        known = ", ".join(map(_named, later))
        said.insert(0, f"{known} was made later than the entry's and counts as the data: {_remedy(record)}")
    return "; ".join(said)


def later_than(record: VolumeRecord, held: Offers) -> tuple[Volume, ...]:
    """Return the volumes that were made after that of an entry with data, where the entry does not know of them.

    Such an entry was written while only an earlier volume was seen. What it knows of, the member has left itself.
    """
    own = PersistenceId.parse(record.persistence_id or "")
    if own is None or not record.initialised or record.intent is Intent.DELETE:
        return ()
    left = {*record.elsewhere, *record.superseded}
    made = [(v, made_for(v[1])) for v in _volumes(held) if v[0].hostname not in left]
    return tuple(v for v, its in made if its is not None and its.sequence > own.sequence)


def _remedy(record: VolumeRecord) -> str:
    delete = delete_entry(record.key.namespace, record.name)
    if record.intent is Intent.RETAIN:
        return f"delete this entry, which touches no data, and it is found again with that one ({delete})"
    return "release nothing, and see docs/operations.md, A ledger entry is lost"


def _volumes(held: Offers) -> list[Volume]:
    return [(offer, r) for offer in held for r in offer.resources if r.persistence is not None]


def _is_of(record: VolumeRecord, volume: Resource) -> bool:
    return volume.persistence is not None and volume.persistence.id == record.persistence_id


def _goes_too(volumes: list[Volume]) -> str:
    """Say what a release destroys beside the data: all that is held for the member, whoever made it."""
    named = [_named(v) if made_for(v[1]) is not None else f"{_named(v)} (somebody else made it)" for v in volumes]
    return f"with it would be released {' and '.join(named)}"


def _named(volume: Volume) -> str:
    offer, resource = volume
    assert resource.persistence is not None
    return f"volume {resource.persistence.id} on {offer.hostname}"
