"""The end of a database: intent into the ledger, members stopped, the object let go; then what the ledger asks for.

Data is retained unless its owner asked for deletion with protection off, or a person released it by name (law
`data_outlives_everything`). The object never waits for Mesos or for the database (law `deletable`): once the intent is
in the ledger, the ledger drives the rest.
"""

from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, Action, DeleteSecret, ForgetVolume, RemoveFinalizer, SaveVolume
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.identity import FINALIZER, connection_secret_name
from statefuldb.model.observed import DatabaseObject, Observed, TaskState
from statefuldb.model.operations import LaunchTask
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.resources import BYTES_PER_MIB
from statefuldb.model.spec import (
    DatabaseSpec,
    EngineSpec,
    HostPathSpec,
    ResourcesSpec,
    Retention,
    RiskClass,
    StorageSpec,
)
from statefuldb.model.volume import AgentRef, Intent, Launch, VolumePhase, VolumeRecord
from statefuldb.model.volume_object import to_label
from statefuldb.planning import damage, ownership
from statefuldb.planning.context import Context, Step, status_of
from statefuldb.planning.desired import Desired
from statefuldb.planning.launch import back_off_seconds, keeper_config
from statefuldb.planning.member import stop
from statefuldb.planning.placing import needs_of
from statefuldb.planning.storage import strategy_of
from statefuldb.planning.storage.bundle import Claim
from statefuldb.planning.storage.holding import is_ours
from statefuldb.planning.strays import strays

ERASE_RESOURCES = ResourcesSpec(cpus_milli=100, memory_bytes=64 * BYTES_PER_MIB)


def spec_of(record: VolumeRecord) -> DatabaseSpec:
    """Return the least that must be known to wind up an entry whose database is gone: what the entry itself says."""
    host_path = HostPathSpec(path=record.root or "/") if record.dfs is None else None
    return DatabaseSpec(
        engine=EngineSpec(type=record.engine, version=record.engine_version),
        resources=ERASE_RESOURCES,
        storage=StorageSpec(
            strategy=record.strategy,
            size_bytes=record.size_bytes,
            host_path=host_path,
            dfs=record.dfs,
        ),
    )


def let_go(database: DatabaseObject, desired: Desired, observed: Observed) -> Step:
    """Return the step that answers a deletion: store the intent of every member, then drop the finalizer.

    A refused edit may have been a change of mind about the data, so with one outstanding the data is retained.
    """
    if FINALIZER not in database.finalizers:
        return Step()
    spec = None if desired.errors else desired.spec
    protected = spec is None or spec.deletion_protection
    dying = observed.crd_terminating or observed.namespace_terminating
    wish = Retention.RETAIN if spec is None else spec.retention.when_deleted
    delete = wish is Retention.DELETE and not protected and not dying
    intent = Intent.DELETE if delete else Intent.RETAIN
    mine = [r for r in observed.volumes if r.owner_uid == database.uid and r.intent is Intent.USE]
    announcements = [
        Announcement(
            reason=EventReason.VOLUME_RELEASED if delete else EventReason.VOLUME_RETAINED,
            message=f"{record.name}: data is {'deleted' if delete else 'retained'}",
        )
        for record in mine
    ]
    if protected and mine:
        announcements.append(
            Announcement(
                reason=EventReason.DELETION_BYPASSED_PROTECTION,
                message="deleted although spec.deletionProtection is not Disabled: stopped, all data retained",
                warning=True,
            )
        )
    announcements += damage.left_alone(observed)
    saved = tuple(SaveVolume(volume=replace(record, intent=intent), why=f"{intent} on deletion") for record in mine)
    return Step(actions=(*saved, RemoveFinalizer(key=database.key)), announcements=tuple(announcements))


def disown(observed: Observed) -> Step:
    """Return the step for entries in use whose database is gone without asking us: retain them."""
    if observed.crd_terminating:
        return Step()
    uid = observed.database.uid if observed.database else None
    lost = [r for r in observed.volumes if r.intent is Intent.USE and r.owner_uid != uid]
    return Step(
        actions=tuple(SaveVolume(volume=replace(r, intent=Intent.RETAIN), why="its database is gone") for r in lost),
        announcements=tuple(
            Announcement(reason=EventReason.VOLUME_RETAINED, message=f"{r.name}: its database is gone") for r in lost
        ),
    )


def wind_up(context: Context, record: VolumeRecord) -> Step:
    """Return the next step of an entry that no database uses: stop its task, then keep or release its data.

    While our definitions go or are gone, nothing: with them, everything may come back as it was.
    """
    if context.observed.crd_terminating:
        return Step()
    if ownership.marked_in_use(context, record):
        return Step(waiting=(ownership.contradiction(record),))
    stopped = _erasing(context, record) or stop(context, record, f"stop {record.member}: {record.intent}")
    if stopped.actions or stopped.waiting:
        return stopped
    if record.intent is Intent.RETAIN:
        if record.phase is VolumePhase.RETAINED:
            return Step()
        saved = replace(record, phase=VolumePhase.RETAINED)
        return Step(actions=(SaveVolume(volume=saved, why="stopped and retained"),))
    return _release(context, record)


def _erasing(context: Context, record: VolumeRecord) -> Step | None:
    """Return the wait for the task that empties the directory: it ends by itself, and killed it would begin anew."""
    status = status_of(record, context.observed.tasks)
    runs = status is not None and status.state.alive and status.state is not TaskState.KILLING and not record.ended
    if record.intent is not Intent.DELETE or record.launch is None or not record.launch.erase or not runs:
        return None
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.RELEASING,
        message=f"{record.directory} is being emptied on {record.launch.agent.hostname}",
    )
    return strays(context, record) or Step(waiting=(wait,))


def _release(context: Context, record: VolumeRecord) -> Step:
    """Give everything back: the directory first, then volume and reservations, then the entry itself."""
    strategy = strategy_of(record.strategy)
    erased = record.launch is not None and record.launch.erase and _finished(record)
    written = record.launch is not None or record.initialised
    if written and strategy.erases_directory() and record.directory and not erased:
        return _erase(context, record)
    held = [offer for offer in context.offers if strategy.release(record, offer)]
    if held:
        offer = held[0]
        return Step(
            actions=(
                SaveVolume(
                    volume=replace(record, phase=VolumePhase.RELEASING, released_at_seconds=context.now),
                    why="release",
                ),
                AcceptOffers(
                    agent=AgentRef(id=offer.agent_id, hostname=offer.hostname, address=offer.address),
                    offer_ids=offer.offer_ids,
                    operations=strategy.release(record, offer),
                    what=f"destroy and unreserve {record.name}",
                    ordinal=record.identity.ordinal,
                    risk=RiskClass.DESTRUCTIVE,
                ),
            )
        )
    # On a static reservation a volume is all that a member owns.
    holds = record.reservations or (written and record.persistence_id is not None)
    without = _seen_without(context, record)
    if not holds or set(_hosts(record)) <= without:
        return Step(actions=_forget(context, record))
    if without & {*record.elsewhere, *record.superseded}:
        # Agents need not offer at the same time: which of them have shown that nothing is left is kept.
        elsewhere = tuple(host for host in record.elsewhere if host not in without)
        superseded = tuple(host for host in record.superseded if host not in without)
        looked = replace(record, elsewhere=elsewhere, superseded=superseded)
        why = f"nothing of {record.name} is left on {', '.join(sorted(without))}"
        return Step(actions=(SaveVolume(volume=looked, why=why),))
    if _never_made(context, record):
        looked = replace(record, phase=VolumePhase.RELEASING, released_at_seconds=context.now)
        return Step(actions=(SaveVolume(volume=looked, why=f"nothing is left of {record.name}: look once more"),))
    if record.phase is VolumePhase.RELEASING and record.released_at_seconds > context.now:
        # The clock was set back since: no offer would count as newer until that time has come again.
        looked = replace(record, released_at_seconds=context.now)
        return Step(actions=(SaveVolume(volume=looked, why="the clock was set back: look once more"),))
    return Step(
        waiting=(
            Waiting(
                ordinal=record.identity.ordinal,
                reason=Reason.RELEASING,
                message=f"waiting for an offer of {', '.join(_hosts(record))} that shows {record.name}",
                fix="bring that agent back, or look for its resources with `statefuldb volumes list`",
                wants_offers=True,
                hosts=_hosts(record),
            ),
        )
    )


def _finished(record: VolumeRecord) -> bool:
    return record.ending is not None and record.ending.state == TaskState.FINISHED


def _seen_without(context: Context, record: VolumeRecord) -> frozenset[str]:
    """Return the hosts whose agents have offered, since the release was sent, nothing of this member's.

    The master offers what will be there once its agent has obeyed. One that is cut off at that moment never does, and
    comes back with all that it had: its own word is waited for. Nor is everything offered to us: another framework of
    the role may run on a part of it. The master's list says what there is.
    """
    if record.phase is not VolumePhase.RELEASING:
        return frozenset()
    offers = [o for o in context.offers if o.received_at_seconds > record.released_at_seconds]
    listed = context.observed.reserved
    if listed is None or any(is_ours(r, record.identity) for o in (*listed, *offers) for r in o.resources):
        return frozenset()
    obeying = {
        operation.agent_id
        for operation in context.observed.operations
        if (operation.id.uid, operation.id.ordinal) == (record.identity.uid, record.identity.ordinal)
        and operation.state.open
    }
    return frozenset(offer.hostname for offer in offers if offer.agent_id not in obeying)


def _never_made(context: Context, record: VolumeRecord) -> bool:
    """Whether what was recorded for an attempt seems to have come to nothing: its hosts offer, and none of it.

    What is offered now may be older than the attempt; offers that are newer than this look decide.
    """
    shown = {offer.hostname for offer in context.offers}
    return not record.initialised and record.phase is not VolumePhase.RELEASING and set(_hosts(record)) <= shown


def _hosts(record: VolumeRecord) -> tuple[str, ...]:
    """Return every host where something may be reserved for this member."""
    agent = record.launch.agent if record.launch is not None else record.agent
    own = (agent.hostname,) if agent is not None else ()
    return tuple(dict.fromkeys((*own, *record.elsewhere, *record.superseded)))


def _forget(context: Context, record: VolumeRecord) -> tuple[Action, ...]:
    observed = context.observed
    others = [*observed.damaged, *(r for r in observed.volumes if r.name != record.name)]
    forget = ForgetVolume(volume=record)
    if others or observed.database is not None:
        return (forget,)
    key = record.key
    return (DeleteSecret(name=connection_secret_name(key.name), key=key), forget)


def _erase(context: Context, record: VolumeRecord) -> Step:
    """Launch the task that empties the member's directory, on the agent that can reach it."""
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.RELEASING,
        message=f"waiting for an agent on which {record.directory} can be removed",
        wants_offers=True,
    )
    if record.ending is not None and record.launch is not None and record.launch.erase:
        ready_at = record.ending.at_seconds + max(1.0, back_off_seconds(record))
        # An end in the future is of a clock that has been set back since: it is not waited for.
        if record.ending.at_seconds <= context.now < ready_at:
            message = f"removing {record.directory} failed: {record.ending.message}"
            return Step(waiting=(replace(wait, message=message, look_again_seconds=ready_at - context.now),))
    needs = needs_of(context, record)
    for offer in context.offers:
        claim = strategy_of(record.strategy).claim(context.spec, record, needs, offer)
        if not isinstance(claim, Claim):
            continue
        agent = AgentRef(id=offer.agent_id, hostname=offer.hostname, address=offer.address)
        incarnation = record.incarnation + 1
        recorded = replace(
            record,
            incarnation=incarnation,
            ending=None,
            reservations=(*record.reservations, needs.labels.reservation)
            if needs.labels is not None and claim.reserves
            else record.reservations,
            launch=Launch(
                incarnation=incarnation,
                agent=agent,
                template="erase",
                cpus_milli=ERASE_RESOURCES.cpus_milli,
                memory_bytes=ERASE_RESOURCES.memory_bytes,
                port=claim.ports[0],
                keeper_port=claim.ports[1],
                erase=True,
                framework_id=context.observed.mesos.framework_id or "",
                at_seconds=context.now,
            ),
        )
        task_id = recorded.task_id
        assert task_id is not None
        what = f"remove {record.directory} on {offer.hostname}"
        task = LaunchTask(
            task_id=task_id,
            name=f"{record.member}-erase",
            agent_id=offer.agent_id,
            resources=claim.resources,
            keeper=keeper_config(context, recorded, mode="Erase"),
            grace_seconds=5,
            ledger=to_label(recorded),
        )
        return Step(
            actions=(
                SaveVolume(volume=recorded, why=what),
                AcceptOffers(
                    agent=agent,
                    offer_ids=offer.offer_ids,
                    operations=(*claim.operations, task),
                    what=what,
                    ordinal=record.identity.ordinal,
                    risk=RiskClass.DESTRUCTIVE,
                ),
            )
        )
    return Step(waiting=(wait,))
