"""Rebuilding the ledger from Mesos: whatever carries our labels and is not written down gets an entry again.

The entry is born retained, so nothing is used or removed by guesswork; a database that fits takes it up again by
re-adoption (law `no_leak`).
"""

from dataclasses import replace

from statefuldb.model.actions import SaveVolume
from statefuldb.model.conditions import EventReason
from statefuldb.model.identity import DatabaseKey, DataIdentity, volume_record_name
from statefuldb.model.observed import Observed, Offers
from statefuldb.model.plan import Announcement
from statefuldb.model.resources import AgentOffer, Resource, bytes_of_milli
from statefuldb.model.settings import OperatorIdentity
from statefuldb.model.spec import EngineType, Strategy
from statefuldb.model.volume import Intent, VolumePhase, VolumeRecord
from statefuldb.planning.context import Step, status_of
from statefuldb.planning.ledger import damage, remembered
from statefuldb.planning.storage.disks import disk_of
from statefuldb.planning.storage.holding import identity_of, made_for, with_data


def unknown(observed: Observed, offers: Offers, cluster: str) -> dict[DataIdentity, tuple[AgentOffer, Resource]]:
    """Return the volumes of this database name that are offered with our labels and have no entry.

    Nor one whose name would be that of another entry: names hold a part of the uid only. Nor one that was made before
    there was data, where the database's status knows in which volume that is.
    """
    names = {record.name for record in observed.volumes} | {entry.name for entry in damage.unsure(observed)}
    known = {record.identity for record in observed.volumes} | set(observed.adopted_away)

    def missed(resource: Resource) -> bool:
        parsed = made_for(resource)
        if parsed is None or parsed.identity.cluster != cluster or parsed.identity in known:
            return False
        name = _name(observed.key, resource, parsed.identity)
        if damage.holds(observed, parsed.identity) or name in names:
            return False
        if remembered.of_another_volume(observed, name, str(parsed)) is not None:
            return False
        return _of_this_database(observed, resource)

    return with_data((offer, r) for offer in offers for r in offer.resources if missed(r))


def passed_over(observed: Observed, offers: Offers, name: str) -> dict[str, str]:
    """Return the volumes that are offered of the entry `name`, other than that with its data, with their hosts."""
    return {
        str(made): offer.hostname
        for offer in offers
        for resource in offer.resources
        if (made := made_for(resource)) is not None
        and _name(observed.key, resource, made.identity) == name
        and remembered.of_another_volume(observed, name, str(made)) is not None
    }


def _of_this_database(observed: Observed, volume: Resource) -> bool:
    """Say whether a volume of ours is this database's: by its labels, or by the uid where it can have none."""
    labels, owner = volume.labels, identity_of(volume)
    if labels is not None:
        return (labels.namespace, labels.name) == (observed.key.namespace, observed.key.name)
    database = observed.database
    return database is not None and owner is not None and owner.uid == database.uid


def unwritten(observed: Observed, cluster: str) -> dict[DataIdentity, AgentOffer]:
    """Return whose reservations agents hold under this database's name and no entry tells of, each with an agent.

    Labels say nothing of the strategy: the agent of what is reserved without a volume may have the member's directory.
    Volumes are looked at by themselves (`unknown`); those that somebody made by hand say nothing of a directory.
    """
    known = {record.identity for record in observed.volumes} | set(observed.adopted_away)
    found: dict[DataIdentity, AgentOffer] = {}
    for held in observed.reserved or ():
        for labels in (r.labels for r in held.resources if r.labels is not None and r.persistence is None):
            of_this_name = (labels.namespace, labels.name) == (observed.key.namespace, observed.key.name)
            if not of_this_name or labels.identity.cluster != cluster or labels.identity in known:
                continue
            if not damage.holds(observed, labels.identity):
                found.setdefault(labels.identity, held)
    return found


def rebuild(observed: Observed, offers: Offers, operator: OperatorIdentity) -> Step:
    """Return the entries to write for what Mesos runs or offers and the ledger lacks.

    Only while Mesos tells: an operator that was deposed still holds what has long been given back by its successor.
    """
    if not observed.mesos.connected:
        return Step()
    if observed.crd_terminating or observed.namespace_terminating or not observed.namespace_exists:
        return Step()
    running = _running(observed)
    # A task that Mesos lists and has not answered for yet may run: its volume is not idle.
    unanswered = {r.identity for r in observed.found if status_of(r, observed.tasks) is None}
    known = {record.identity for record in running} | unanswered
    offered = unknown(observed, (*(observed.reserved or ()), *offers), operator.cluster)
    idle = [
        entry_of(observed.key, observed.at_seconds, *offered[i]) for i in sorted(offered, key=str) if i not in known
    ]
    records = (*running, *idle)
    return Step(
        actions=tuple(SaveVolume(volume=r, why="found in Mesos by its labels") for r in records),
        announcements=tuple(
            Announcement(
                reason=EventReason.VOLUME_RETAINED,
                message=f"{record.name}: found on {record.agent.hostname if record.agent else '?'} by its labels",
            )
            for record in records
        ),
    )


def _running(observed: Observed) -> list[VolumeRecord]:
    """Return the entries of tasks that may be running and have none: in use where their database is still there."""
    known = {record.identity for record in observed.volumes} | set(observed.adopted_away)
    database = observed.database
    rebuilt = []
    for record in observed.found:
        status = status_of(record, observed.tasks)
        if record.identity in known or status is None or status.state.over:
            continue
        if damage.holds(observed, record.identity) or remembered.of_another_place(observed, record):
            continue
        known.add(record.identity)
        owned = database is not None and database.uid == record.owner_uid and not database.deleting
        rebuilt.append(replace(record, intent=Intent.USE if owned else Intent.RETAIN, initialised=True))
    return rebuilt


def entry_of(key: DatabaseKey, at_seconds: float, offer: AgentOffer, volume: Resource) -> VolumeRecord:
    """Return the retained entry of a volume of ours that `offer`'s agent holds, for the database `key`.

    Its name is that of the database it was made for, as far as its labels tell. `at_seconds` is now.
    """
    owner = identity_of(volume)
    assert owner is not None
    assert volume.persistence is not None
    reservations = {
        r.labels.reservation for r in offer.resources if r.labels is not None and r.labels.identity == owner
    }
    return VolumeRecord(
        name=_name(key, volume, owner),
        key=key,
        owner_uid=owner.uid,
        identity=owner,
        # Labels do not carry the engine; the keeper compares the marker in the directory before it opens anything.
        engine=EngineType.MARIADB,
        engine_version="10.11",
        strategy=Strategy.PERSISTENT_VOLUME,
        size_bytes=bytes_of_milli(volume.amount_milli),
        disk=disk_of(volume),
        mesos_role=offer.role,
        intent=Intent.RETAIN,
        agent=offer.agent,
        persistence_id=volume.persistence.id,
        reservations=tuple(sorted(reservations)),
        # The incarnations used before are forgotten; seconds since 1970 lie above any of them.
        incarnation=int(at_seconds),
        initialised=True,
        phase=VolumePhase.RETAINED,
    )


def _name(key: DatabaseKey, volume: Resource, owner: DataIdentity) -> str:
    return volume_record_name(volume.labels.name if volume.labels else key.name, owner.ordinal, owner.uid)
