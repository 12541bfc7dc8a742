"""Whose data is it: finding, adopting, or beginning the ledger entry of each wanted member.

A database's own data comes first, whatever `bootstrap` says: an entry that was lost is waited for, one that was found
again is taken up. Otherwise, with `bootstrap` unset and exactly one retained entry that fits, the data of that is taken
up. Anything ambiguous waits: guessing wrong here would show a user an empty database (docs/design.md section 8,
"Re-adoption").
"""

from dataclasses import replace

from statefuldb.model.actions import SaveVolume
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.identity import FRAMEWORK_CONFIG_MAP, DatabaseKey, DataIdentity, volume_record_name
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning import mesos_error
from statefuldb.planning.commands import CHECK_MASTER, command, delete_entry
from statefuldb.planning.context import Context, Step
from statefuldb.planning.engines import made_otherwise
from statefuldb.planning.ledger import damage, never_served, rebuilding, remembered
from statefuldb.planning.storage.directory import root_of

LOOK_AGAIN_SECONDS = 5.0
MISSING_AGAIN_SECONDS = 60.0


def of_others(observed: Observed, cluster: str) -> Announcement | None:
    """Return the warning that a database is looked after by an installation of ours other than `cluster`.

    Nothing is done about it then, and no status written: of a task of the other's framework Mesos would tell us that it
    does not exist, and two operators would undo each other's work.
    """
    names = sorted({r.identity.cluster for r in observed.volumes} - {cluster})
    if not names:
        return None
    text = (
        f"left alone: its data belongs to cluster {', '.join(names)}, this operator works for {cluster}. Have one "
        f"operator look after each namespace, or put the right UUID back into ConfigMap {FRAMEWORK_CONFIG_MAP}"
    )
    return Announcement(reason=EventReason.PLAN_REFUSED, message=text, warning=True)


def owned(context: Context, ordinal: int) -> VolumeRecord | None:
    """Return the entry that this database uses for `ordinal`, or None."""
    for record in context.observed.volumes:
        if record.owner_uid == context.uid and record.identity.ordinal == ordinal and record.intent is Intent.USE:
            return record
    return None


def ordinals(context: Context) -> list[int]:
    """Return every ordinal that is wanted, or that exists or is known to have existed, lowest first."""
    known = {
        r.identity.ordinal for r in context.observed.volumes if r.owner_uid == context.uid and r.intent is Intent.USE
    }
    return sorted({*range(context.spec.replicas), *known, *remembered.lost_ordinals(context.observed)})


def retained(context: Context, ordinal: int) -> tuple[VolumeRecord, ...]:
    """Return the retained entries that `ordinal` is to take up again: its own, else those of earlier lives.

    `bootstrap: Empty` passes over the others.
    """
    kept = [r for r in context.observed.volumes if r.identity.ordinal == ordinal and r.intent is Intent.RETAIN]
    own = [record for record in kept if _is_own(context, record)]
    if own or context.spec.bootstrap_empty:
        return tuple(own)
    return tuple(record for record in kept if record.initialised)


def _is_own(context: Context, record: VolumeRecord) -> bool:
    """Say whether an entry's data began as this database's, or is known to have been used by it."""
    return record.identity.uid == context.uid or record.name in remembered.published(context.observed)


def is_of_this_database(observed: Observed, record: VolumeRecord) -> bool:
    """Say whether an entry is of the database that there is now: by its owner, its data, or that database's status."""
    uid = observed.database.uid if observed.database is not None else None
    return uid in (record.owner_uid, record.identity.uid) or record.name in remembered.published(observed)


def marked_in_use(context: Context, record: VolumeRecord) -> bool:
    """Say whether an entry is marked for removal though its database is there and is not being deleted.

    Nothing of ours writes that, and whoever did has not asked for the database's protection.
    """
    database = context.observed.database
    live = database is not None and not database.deleting and database.uid == record.owner_uid
    return live and record.intent is Intent.DELETE


def contradiction(record: VolumeRecord) -> Waiting:
    """Return the wait of an entry that is marked for removal under its database."""
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.DELETION_PROTECTED,
        message=f"{record.name} is marked for removal, but its database {record.key.name} is there: nothing is done",
        fix=f"delete the database, or set spec.intent of DatabaseVolume {record.name} back to Use",
    )


def take_up(context: Context, ordinal: int) -> Step | VolumeRecord:
    """Return the entry to use for `ordinal`: a new one, not yet stored, or a step that adopts or waits."""
    if damage.stands_for(context.observed, ordinal):
        return Step()
    if any(marked_in_use(context, r) for r in context.observed.volumes if r.identity.ordinal == ordinal):
        return Step()
    if (lost := _lost_entries(context, ordinal)) is not None:
        return Step(waiting=(lost,))
    candidates = retained(context, ordinal)
    if len(candidates) > 1:
        return Step(waiting=(_ambiguous(ordinal, candidates),))
    if candidates:
        # Out of a backup, the ledger may know an earlier life of a name alone: of a later one Mesos tells.
        beside = None if _is_own(context, candidates[0]) else _unheard_of(context, ordinal)
        if beside is not None:
            return Step(waiting=(beside,))
        return _misplaced(context, candidates[0]) or _adopt(context, candidates[0])
    if (unseen := _unseen(context, ordinal) or never_served.unwritten(context, ordinal)) is not None:
        return Step(waiting=(unseen,))
    identity = DataIdentity(cluster=context.operator.cluster, uid=context.uid, ordinal=ordinal)
    spec = context.spec
    return VolumeRecord(
        name=volume_record_name(context.observed.key.name, ordinal, context.uid),
        key=context.observed.key,
        owner_uid=context.uid,
        identity=identity,
        engine=spec.engine.type,
        engine_version=spec.engine.version,
        strategy=spec.storage.strategy,
        size_bytes=spec.storage.size_bytes,
        dfs=spec.storage.dfs,
        mesos_role=spec.placement.mesos_role or context.operator.mesos_role,
    )


def missed(context: Context, ordinal: int) -> Step:
    """Return the step of a member that is not wanted now and has no entry: it is said where one is lost."""
    lost = _lost_entries(context, ordinal)
    return Step(waiting=(lost,)) if lost is not None else Step()


def _lost_entries(context: Context, ordinal: int) -> Waiting | None:
    """Return the wait for entries of `ordinal` that the database's own status names and the ledger lacks, if any.

    Of volumes they come back by their labels in Mesos, of directories by their markers. Building a new member meanwhile
    would show an empty database, and taking up other data would show what is not this database's.
    """
    lost = remembered.lost(context.observed, ordinal)
    if not lost:
        return None
    observed, key, root = context.observed, context.observed.key, root_of(context.spec.storage)
    places = remembered.places(observed)
    names = ", ".join(f"{name} ({places[name]})" if name in places else name for name in lost)
    held = (*(observed.reserved or ()), *context.offers)
    others = {i: host for name in lost for i, host in rebuilding.passed_over(observed, held, name).items()}
    seen = "".join(f"; {i} on {host} was made before there was data" for i, host in sorted(others.items()))
    back = (
        "bring its agent back, and the entry comes back by itself"
        if root is None
        else f"bring its agent back, then `{_adopt_by_scan(key, root, lost[0])}`"
    )
    return Waiting(
        ordinal=ordinal,
        reason=Reason.VOLUME_MISSING,
        message=f"the ledger has lost {names}; nothing is begun in its place, it is looked for in Mesos by its labels"
        f"{seen}",
        fix=f"{back}; or, to give that data up, delete {key.name} and create it again, or create another database",
        wants_offers=True,
    )


def _unheard_of(context: Context, ordinal: int) -> Waiting | None:
    """Return the wait before data of an earlier life is taken up: without a subscription it tells of no later one."""
    mesos = context.observed.mesos
    return _unseen(context, ordinal) or (None if mesos.connected else mesos_error.disconnected(mesos, ordinal))


def _unseen(context: Context, ordinal: int) -> Waiting | None:
    """Return the wait for a master that tells what runs and what is reserved for us: data may be among it."""
    observed = context.observed
    tasks = [r for r in observed.found if r.identity.ordinal == ordinal and _concerns(context, r.identity)]
    if (wait := never_served.unanswered(observed, ordinal, tasks)) is not None:
        return wait
    if tasks and not observed.mesos.connected:
        # What runs comes into the ledger, and is no stray, once there is a subscription.
        return mesos_error.disconnected(observed.mesos, ordinal)
    if observed.reserved is not None:
        # Before it is subscribed nothing is begun either, and what there is comes into the ledger as soon as it is.
        held = rebuilding.unwritten(observed, context.operator.cluster) if observed.mesos.connected else {}
        ours = [each for each in sorted(held, key=str) if each.ordinal == ordinal and _concerns(context, each)]
        return _held_for(context, ours[0], held[ours[0]].hostname) if ours else None
    return Waiting(
        ordinal=ordinal,
        reason=Reason.MESOS_DISCONNECTED,
        message="the master does not say what is reserved for us; new data is begun only once that is known",
        fix=CHECK_MASTER,
        look_again_seconds=LOOK_AGAIN_SECONDS,
    )


def _misplaced(context: Context, record: VolumeRecord) -> Step | None:
    """Return the wait of a database whose entry was found again with another volume than that with its data, if so."""
    place = remembered.of_another_volume(context.observed, record.name, record.persistence_id)
    if place is None:
        return None
    host = record.agent.hostname if record.agent is not None else "its agent"
    delete = delete_entry(record.key.namespace, record.name)
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.VOLUME_MISSING,
        message=f"{record.name} was found again with volume {record.persistence_id} on {host}, but its data is in "
        f"{place}",
        fix=f"bring that agent back and delete the entry (`{delete}`), which is then found again with its data; or, to "
        f"give that data up, delete {record.key.name} and create it again",
        look_again_seconds=MISSING_AGAIN_SECONDS,
    )
    return Step(waiting=(wait,))


def _held_for(context: Context, identity: DataIdentity, hostname: str) -> Waiting:
    """Return the wait for a person to say what becomes of reservations that no entry tells of, on `hostname`."""
    key = context.observed.key
    name = volume_record_name(key.name, identity.ordinal, identity.uid)
    scan = _adopt_by_scan(key, root_of(context.spec.storage) or "ROOT", name)
    release = f"where there is none, give it back with `{command(key.namespace, 'volumes', 'release', name)}`"
    if identity.uid == context.uid:
        otherwise = f"where there is none, delete {key.name} and create it again"
    else:
        otherwise = f"{release}; or set spec.bootstrap.type to Empty for a new database beside it"
    return Waiting(
        ordinal=identity.ordinal,
        reason=Reason.VOLUME_MISSING,
        message=f"{hostname} holds what was reserved for {name}, which is in no ledger entry: its data may lie there",
        fix=f"look for its directory and adopt it with `{scan}`; {otherwise}",
        look_again_seconds=MISSING_AGAIN_SECONDS,
    )


def _adopt_by_scan(key: DatabaseKey, root: str, name: str) -> str:
    return command(key.namespace, "volumes", "scan", root, "--on-agents", "--adopt", name)


def _concerns(context: Context, identity: DataIdentity) -> bool:
    """Say whether data of this name keeps new data from being begun: `bootstrap: Empty` passes over earlier lives."""
    return identity.uid == context.uid or not context.spec.bootstrap_empty


def _adopt(context: Context, record: VolumeRecord) -> Step:
    spec = context.spec
    ordinal = record.identity.ordinal
    unfit = []
    if record.engine is not spec.engine.type:
        unfit.append(f"it holds {record.engine}, the manifest asks for {spec.engine.type}")
    if record.engine_version != spec.engine.version:
        unfit.append(f"it holds version {record.engine_version}, the manifest asks for {spec.engine.version}")
    if record.strategy is not spec.storage.strategy:
        unfit.append(f"it lies on {record.strategy}, the manifest asks for {spec.storage.strategy}")
    elif record.root != root_of(spec.storage):
        unfit.append(f"it lies below {record.root}, the manifest asks for {root_of(spec.storage)}")
    if record.made_with is not None:
        unfit += made_otherwise(record.engine, record.made_with, spec.engine.config)
    if unfit:
        return Step(waiting=(_unfit(context, record, unfit),))
    what = f"re-adopt {record.name} for {record.key.name}-{ordinal}"
    return Step(
        actions=(SaveVolume(volume=replace(record, owner_uid=context.uid, intent=Intent.USE), why=what),),
        announcements=(Announcement(reason=EventReason.VOLUME_READOPTED, message=what),),
    )


def _unfit(context: Context, record: VolumeRecord, why: list[str]) -> Waiting:
    release = command(record.key.namespace, "volumes", "release", record.name)
    otherwise = (
        f": it is the data of {context.observed.key.name} itself"
        if _is_own(context, record)
        else f"; or set spec.bootstrap.type to Empty for a new database beside it, or release it with `{release}`"
    )
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.AMBIGUOUS_RETAINED_VOLUMES,
        message=f"retained volume {record.name} does not fit: {'; '.join(why)}",
        fix=f"have the manifest ask for what it holds{otherwise}",
    )


def _ambiguous(ordinal: int, candidates: tuple[VolumeRecord, ...]) -> Waiting:
    names = ", ".join(record.name for record in candidates)
    return Waiting(
        ordinal=ordinal,
        reason=Reason.AMBIGUOUS_RETAINED_VOLUMES,
        message=f"{len(candidates)} retained volumes fit: {names}",
        fix=f"release all but one with `{command(candidates[0].key.namespace, 'volumes', 'release', 'NAME')}`, or set "
        "spec.bootstrap.type to Empty",
    )
