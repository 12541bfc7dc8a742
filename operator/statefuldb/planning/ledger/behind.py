"""A ledger entry that is behind what was launched: the API was restored from a backup, or an old entry put back.

What Mesos tells of later incarnations counts. No number of theirs is used again, and the last of them is the one to be
followed: it was launched because those before it were over, and it is not over for being unknown to the entry. Where it
runs, and carries what it was launched by, it runs on; else it is stopped as a stray.
"""

from dataclasses import replace

from statefuldb.model.actions import SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import Observed, TaskStatus
from statefuldb.model.plan import Waiting
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import AgentRef, Launch, Unheard, VolumeRecord
from statefuldb.model.volume_object import from_label
from statefuldb.planning.context import Context, Step
from statefuldb.planning.ledger import never_served

LOOK_AGAIN_SECONDS = 5.0
# The largest whole number that every reader of JSON takes for the same.
_LARGEST = 2**53 - 1


def with_highest_incarnation(context: Context, record: VolumeRecord) -> VolumeRecord:
    """Return the entry with the highest number of its member's that is told of: the next attempt follows that.

    What was launched between a backup of the API and its restore, and Mesos has forgotten, had a lower number than the
    seconds that had passed since 1970.
    """
    told = (task_id.incarnation for task_id in _told(context.observed, record))
    known = (
        record.incarnation,
        context.operator.restored_at,
        never_served.last_number(context.observed, record),
        *told,
    )
    return replace(record, incarnation=max(known), unheard=_unheard(context, record))


def opened_by(record: VolumeRecord, number: int, told: str) -> VolumeRecord:
    """Return the entry with what follows from a launch of this number that opened the data last, unknown to the ledger.

    `told` is the entry at that launch, in JSON. It is not over for being unknown: it is followed in place of ours, and
    what Mesos says of it decides, or a proof of fencing. Where it says nothing of itself, or has the number of one of
    ours, nothing that Mesos says of that number proves anything: it is kept in doubt, whatever is launched since.
    """
    if number > _LARGEST:
        # No launch of ours comes after it, and none of them opens the data.
        return record
    carried, ours, doubt = from_label(told), record.launch, record.unheard
    after = min(number - 1, doubt.after) if doubt is not None else number - 1
    until = max(number, ours.incarnation if ours is not None else 0, doubt.until if doubt is not None else 0)
    unknown = replace(record, unheard=Unheard(after=after, until=until, by_hand=True))
    if carried is None or carried.launch is None or ours is None or carried.identity != record.identity:
        return unknown
    of_another = carried.launch.incarnation != number or carried.launch.erase or carried.strategy is not record.strategy
    in_doubt = doubt is not None and doubt.by_hand and doubt.after < number <= doubt.until
    if of_another or in_doubt or number == ours.incarnation:
        return unknown
    return replace(
        record,
        # Of the rest the ledger knows better, or the directory tells: whether there is data, too.
        agent=carried.launch.agent,
        launch=carried.launch,
        incarnation=max(record.incarnation, number),
        ending=None,
        fencing=None,
        # It was launched because those before it were over.
        unheard=replace(doubt, after=max(doubt.after, number)) if doubt is not None else None,
    )


def taken_up(context: Context, record: VolumeRecord) -> Step | None:
    """Write down the one server of the member that runs where it is later than the entry's, which it carries itself.

    A restored ledger is no reason to stop it. What runs on other data than the entry says, or removes it, is a stray.
    """
    told = _told(context.observed, record)
    running = [t for t, status in told.items() if status is not None and status.state.alive]
    last = max(told, key=lambda task_id: task_id.incarnation, default=None)
    if running != [last] or last is None or last.incarnation <= record.incarnation or not _stored(context, record):
        return None
    carried = _carried(context, record, last)
    if carried is None or carried.launch is None or carried.launch.erase:
        return None
    if record.initialised and _place(carried) != _place(record):
        return None
    what = f"{last} runs, launched after what the ledger says"
    return Step(actions=(SaveVolume(volume=_brought_forward(record, carried), why=what),))


def caught_up(context: Context, record: VolumeRecord) -> Step | None:
    """Write down the last incarnation that is told of where it is later than the entry's, and not proved over.

    One that is alive still was killed as a stray, and its end is waited for. An entry that is not stored yet, after its
    member's last one was given up, is behind nothing.
    """
    observed = context.observed
    told = _told(observed, record)
    later = [
        t for t, status in told.items() if t.incarnation > record.incarnation and not (status and status.state.over)
    ]
    if not later or not _stored(context, record):
        return None
    last = max(later, key=lambda task_id: task_id.incarnation)
    status = told[last]
    what = f"{last} was launched after what the ledger says"
    if status is None:
        return _waits(record, Reason.AWAITING_RECONCILIATION, f"{what}; Mesos has not answered for it yet")
    if status.state.alive:
        return _waits(record, Reason.STOPPING, f"{what}; it is stopping")
    carried = _carried(context, record, last)
    if carried is None and not record.initialised:
        fix = f"bring its agent back, or put a later DatabaseVolume {record.name} back"
        return _waits(record, Reason.VOLUME_MISSING, f"{what}, which knows of no data; it is {status.state}", fix)
    known = _brought_forward(record, carried) if carried is not None else _followed(record, last, status)
    return Step(actions=(SaveVolume(volume=known, why=what),))


def _unheard(context: Context, record: VolumeRecord) -> Unheard | None:
    """Return which launches the entry may not know of: where it was restored, all between its last one and that.

    It stands until a server of a later launch answers: that one has opened the data since.
    """
    restored_at, before = context.operator.restored_at, record.unheard
    # What begins after the restore has no earlier launches.
    begins = not record.incarnation and not never_served.is_older(context)
    if record.strategy is not Strategy.DFS or record.incarnation >= restored_at or begins:
        return before
    if before is None:
        return Unheard(after=record.incarnation, until=restored_at)
    return replace(before, until=max(before.until, restored_at))


def _told(observed: Observed, record: VolumeRecord) -> dict[TaskId, TaskStatus | None]:
    """Return the member's tasks that Mesos tells of, with what it said of each."""
    carried = {r.task_id: None for r in observed.found if r.identity == record.identity and r.task_id is not None}
    mine = (record.identity.uid, record.identity.ordinal)
    return {**carried, **{t: status for t, status in observed.tasks.items() if (t.uid, t.ordinal) == mine}}


def _stored(context: Context, record: VolumeRecord) -> bool:
    return any(stored.name == record.name for stored in context.observed.volumes)


def _carried(context: Context, record: VolumeRecord, task_id: TaskId) -> VolumeRecord | None:
    """Return the entry that a task carries in its label, if it does."""
    return next((r for r in context.observed.found if r.task_id == task_id and r.identity == record.identity), None)


def _place(record: VolumeRecord) -> tuple[str | None, ...]:
    return record.persistence_id, record.root, record.directory


def _brought_forward(record: VolumeRecord, carried: VolumeRecord) -> VolumeRecord:
    """Return the entry that a task carries with what only the ledger decides, and where its data is if it knows."""
    place = record if record.initialised else carried
    return replace(
        carried,
        name=record.name,
        key=record.key,
        owner_uid=record.owner_uid,
        intent=record.intent,
        persistence_id=place.persistence_id,
        directory=place.directory,
        root=place.root,
        made_with=carried.made_with if place.made_with is None else place.made_with,
        ending=None,
        fencing=None,
        # It may have served: nothing is begun in its place.
        initialised=True,
        token=max(record.token, carried.token),
        phase=record.phase,
        resource_version=record.resource_version,
        released_at_seconds=record.released_at_seconds,
        released_by_framework=record.released_by_framework,
    )


def _followed(record: VolumeRecord, last: TaskId, status: TaskStatus) -> VolumeRecord:
    """Return the entry with a launch of which nothing but its agent is known."""
    agent = AgentRef(id=status.agent_id or "", hostname=status.agent_id or "")
    for known in (record.launch.agent if record.launch is not None else None, record.agent):
        if known is not None and (known.id == status.agent_id or record.bound):
            agent = replace(known, id=status.agent_id or known.id)
    launch = Launch(
        incarnation=last.incarnation, agent=agent, template="", cpus_milli=0, memory_bytes=0, port=0, keeper_port=0
    )
    return replace(record, incarnation=last.incarnation, agent=agent, launch=launch, ending=None, fencing=None)


def _waits(record: VolumeRecord, reason: Reason, message: str, fix: str = "") -> Step:
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=reason,
        message=message,
        fix=fix,
        look_again_seconds=LOOK_AGAIN_SECONDS,
    )
    return Step(waiting=(wait,))
