"""The laws, stated a second time and apart from the planner: what no plan may ever call for.

`violations` looks at a finished plan and at what was observed; a plan that breaks a law is not executed. Laws that are
about the world rather than about a plan (`one_primary`, `ready_is_true` ...) are checked where the world is: by the
keeper, by the simulator, by the tests named after them.
"""

from dataclasses import replace
from typing import assert_never

from statefuldb.model.actions import AcceptOffers, ForgetVolume, KillTask, RemoveFinalizer, SaveVolume
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import Observed, TaskState, TaskStatus
from statefuldb.model.operations import Create, Destroy, Grow, LaunchTask, Reserve, Unreserve
from statefuldb.model.plan import Plan
from statefuldb.model.resources import Resource
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import AgentRef, Intent, Launch, VolumeRecord
from statefuldb.planning.laws import duplicate_entries, ledger_entries, shared_files
from statefuldb.planning.laws.violation import Violation
from statefuldb.planning.ledger import damage
from statefuldb.planning.storage.holding import identity_of, made_for

__all__ = ["Violation", "violations"]


def violations(plan: Plan, observed: Observed, cluster: str) -> tuple[Violation, ...]:
    """Return every law that `plan` would break."""
    found: list[Violation] = []
    records = {record.name: record for record in observed.volumes}
    written: set[tuple[str, int]] = set()
    beside = plan.accepted is not None and plan.accepted.spec.bootstrap_empty
    for action in plan.actions:
        found += duplicate_entries.broken_by(action, observed)
        found += shared_files.broken_by(action, records.values())
        match action:
            case SaveVolume(volume=volume):
                found += ledger_entries.broken_by(volume, records.get(volume.name), observed, beside=beside)
                records[volume.name] = volume
                written.add((volume.identity.uid, volume.identity.ordinal))
            case ForgetVolume(volume=volume):
                found += _forgets(volume)
            case RemoveFinalizer():
                found += _unsaved_intents(observed, records)
            case AcceptOffers():
                found += _accepts(action, observed, records, cluster)
            case KillTask(task_id=task_id):
                found += _kills(task_id, observed, written)
            case _:
                pass
    return tuple(found)


def _forgets(volume: VolumeRecord) -> list[Violation]:
    if volume.intent is Intent.DELETE:
        return []
    return [Violation(law="no_leak", message=f"{volume.name} would be forgotten, not deleted")]


def _kills(task_id: TaskId, observed: Observed, written: set[tuple[str, int]]) -> list[Violation]:
    """Only what the ledger knows is ever stopped; what was launched later, once that was found to be all it knows."""
    known = _entries_of(task_id, observed)
    if not known:
        return [Violation(law="no_surprise_teardown", message=f"{task_id} is nobody's in the ledger")]
    if (task_id.uid, task_id.ordinal) not in written and all(r.incarnation < task_id.incarnation for r in known):
        return [Violation(law="no_surprise_teardown", message=f"{task_id} is later than an entry that may be behind")]
    return []


def _entries_of(task_id: TaskId, observed: Observed) -> list[VolumeRecord]:
    """Return the stored entries of the member that a task is of."""
    return [r for r in observed.volumes if (r.identity.uid, r.identity.ordinal) == (task_id.uid, task_id.ordinal)]


def _unsaved_intents(observed: Observed, records: dict[str, VolumeRecord]) -> list[Violation]:
    uid = observed.database.uid if observed.database else ""
    return [
        Violation(law="no_leak", message=f"{r.name} has no intent, the object would go")
        for r in records.values()
        if r.owner_uid == uid and r.intent is Intent.USE
    ]


def _accepts(
    action: AcceptOffers, observed: Observed, records: dict[str, VolumeRecord], cluster: str
) -> list[Violation]:
    found: list[Violation] = []
    deleting = {str(r.identity) for r in records.values() if r.intent is Intent.DELETE}
    destroyed: set[str] = set()
    for operation in action.operations:
        match operation:
            case Destroy(volume=volume):
                owner = identity_of(volume)
                if owner is None or owner.cluster != cluster:
                    found.append(Violation(law="ours_only", message=f"{volume.persistence} is not ours"))
                if str(owner) not in deleting:
                    found.append(
                        Violation(
                            law="data_outlives_everything",
                            message=f"DESTROY of {volume.persistence}",
                        )
                    )
                destroyed.add(volume.persistence.id if volume.persistence else "")
            case Unreserve(resources=resources):
                found += [v for r in resources for v in _owned(r, cluster)]
            case Reserve(resources=resources):
                found += [v for r in resources for v in (*_positive(r), *_owned(r, cluster))]
            case Create(volume=volume):
                found += [*_positive(volume), *_begins(volume, observed), *_beside(observed, records, cluster)]
            case Grow(volume=volume, addition=addition):
                found += _grows(volume, addition, cluster)
            case LaunchTask():
                found += _launches(operation, action.agent, observed, records)
    return found


def _owned(resource: Resource, cluster: str) -> list[Violation]:
    labels = resource.labels
    if labels is not None and labels.identity.cluster == cluster:
        return []
    return [Violation(law="ours_only", message=f"{resource.name} does not carry our label")]


def _beside(observed: Observed, records: dict[str, VolumeRecord], cluster: str) -> list[Violation]:
    """No new data while agents hold a volume of this name that the ledger does not know: it would show an empty one."""
    known = {record.identity for record in records.values()} | set(observed.adopted_away)
    found = []
    for held in (r for offer in observed.reserved or () for r in offer.resources):
        labels = held.labels
        if made_for(held) is None or labels is None or labels.identity.cluster != cluster:
            continue
        of_this_name = (labels.namespace, labels.name) == (observed.key.namespace, observed.key.name)
        if of_this_name and labels.identity not in known and not damage.holds(observed, labels.identity):
            found.append(
                Violation(law="no_empty_resurrection", message=f"{held.persistence} is of this name and in no entry")
            )
    return found


def _grows(volume: Resource, addition: Resource, cluster: str) -> list[Violation]:
    """A volume grows by disk that is reserved exactly as it is: Mesos takes no other."""
    owner = identity_of(volume)
    if owner is None or owner.cluster != cluster:
        return [Violation(law="ours_only", message=f"{volume.persistence} is not ours")]
    like = replace(volume, persistence=None, amount_milli=addition.amount_milli) == addition
    unlike = [] if like else [Violation(law="bundle", message=f"{volume.persistence} would grow by what is unlike it")]
    return [*unlike, *_positive(addition)]


def _positive(resource: Resource) -> list[Violation]:
    """A scalar of zero kills the master (tests/conformance/mesos/test_fatal.py)."""
    if resource.amount_milli > 0 or resource.ranges:
        return []
    return [Violation(law="bundle", message=f"{resource.name} with nothing in it")]


def _begins(volume: Resource, observed: Observed) -> list[Violation]:
    """Where there is data, no empty volume is made in its place."""
    owner = identity_of(volume)
    unread = owner is not None and damage.holds(observed, owner)
    if not unread and not any(r.identity == owner and r.initialised for r in observed.volumes):
        return []
    return [Violation(law="no_empty_resurrection", message=f"{volume.persistence} for {owner}, which has data")]


def _launches(
    task: LaunchTask, agent: AgentRef, observed: Observed, records: dict[str, VolumeRecord]
) -> list[Violation]:
    found: list[Violation] = []
    recorded = [r for r in records.values() if r.task_id == task.task_id]
    if not recorded:
        return [Violation(law="no_leak", message=f"{task.task_id} is launched but not recorded")]
    record = recorded[0]
    if task.task_id in observed.tasks:
        found.append(Violation(law="one_writer", message=f"{task.task_id} was used before"))
    found += _predecessors(task, agent, record, observed)
    found += _beside_a_later_attempt(task, agent, observed)
    if task.keeper.mode == "Erase" and record.intent is not Intent.DELETE:
        found.append(Violation(law="data_outlives_everything", message=f"{task.task_id} would empty {record.name}"))
    if task.keeper.mode != "Erase" and record.initialised and task.keeper.bootstrap != "None":
        found.append(Violation(law="no_empty_resurrection", message=f"{task.task_id} may begin {record.name} anew"))
    if record.persistence_id is not None and not any(
        r.persistence is not None and r.persistence.id == record.persistence_id for r in task.resources
    ):
        found.append(Violation(law="bundle", message=f"{task.task_id} without {record.persistence_id}"))
    missing = {"cpus", "mem", "ports"} - {r.name for r in task.resources}
    if missing:
        found.append(Violation(law="bundle", message=f"{task.task_id} without {sorted(missing)}"))
    return found


def _beside_a_later_attempt(task: LaunchTask, agent: AgentRef, observed: Observed) -> list[Violation]:
    """What an agent holds of an attempt that the ledger never knew may be data: an empty database would hide it.

    That is the last one's: a member leaves a volume for another only before there is data.
    """
    stored = _entries_of(task.task_id, observed)
    if task.keeper.mode == "Erase" or not stored or stored[0].initialised:
        return []
    attempts = [
        (offer, made)
        for offer in observed.reserved or ()
        for held in offer.resources
        if identity_of(held) == stored[0].identity and (made := made_for(held)) is not None
    ]
    used = {resource.persistence.id for resource in task.resources if resource.persistence is not None}
    known = max(
        [stored[0].incarnation, *(m.sequence for o, m in attempts if o.agent_id == agent.id and str(m) in used)]
    )
    later = {offer.hostname for offer, made in attempts if made.sequence > known}
    message = f"{task.task_id} would begin while {', '.join(sorted(later))} holds a later volume of its member"
    return [Violation(law="no_empty_resurrection", message=message)] if later else []


def _predecessors(task: LaunchTask, agent: AgentRef, record: VolumeRecord, observed: Observed) -> list[Violation]:
    """No successor while an earlier incarnation is known to be alive, or not proved to write no more."""
    stored = next((r for r in observed.volumes if r.name == record.name), None)
    found = [
        Violation(law="one_writer", message=f"{earlier} is {status.state}, {task.task_id} would follow it")
        for earlier, status in observed.tasks.items()
        if (earlier.uid, earlier.ordinal) == (task.task_id.uid, task.task_id.ordinal)
        and (status.state.alive or (_is_later(earlier, stored) and not status.state.over))
    ]
    if stored is not None and not _has_ended(stored, observed) and not _is_cut_off(stored, task, agent, observed):
        found.append(Violation(law="one_writer", message=f"nothing proves that {stored.task_id} writes no more"))
    return found


def _is_later(task_id: TaskId, stored: VolumeRecord | None) -> bool:
    """Say whether an incarnation was launched after what the ledger says, which has fallen back (a backup)."""
    return stored is not None and task_id.incarnation > stored.incarnation


def _has_ended(stored: VolumeRecord, observed: Observed) -> bool:
    """Say whether the last launch is recorded as over: by its agent's word, or else while Mesos tells of nothing new.

    What was fenced and counts as ended for that runs on where its agent is let in again.
    """
    told = observed.tasks.get(stored.task_id) if stored.task_id is not None else None
    by_agent = stored.ending is not None and stored.ending.state in {s for s in TaskState if s.over}
    fenced = stored.strategy is Strategy.DFS and told is not None and not told.state.over
    return stored.ended and (by_agent or not fenced)


def _is_gone(status: TaskStatus, launched: Launch, observed: Observed) -> bool:
    """Say whether an agent never returns: by a person's word, or its host is another agent that lacks the volume."""
    if status.state.agent_away and not status.settling:
        return any(
            (sighting.identity.uid, sighting.identity.ordinal) == (status.id.uid, status.id.ordinal)
            and launched.agent.hostname in sighting.hosts
            and launched.agent.id not in sighting.agent_ids
            and not sighting.volume_on
            for sighting in observed.sightings
        )
    return status.state is TaskState.GONE_BY_OPERATOR


def _is_cut_off(stored: VolumeRecord, task: LaunchTask, agent: AgentRef, observed: Observed) -> bool:
    """Say whether the launch before, of which no end was told, can write no more (docs/design.md section 8)."""
    launched = stored.launch
    if launched is None:
        return True
    declared = observed.tasks.get(stored.task_id) if stored.task_id is not None else None
    gone = declared is not None and _is_gone(declared, launched, observed) and launched.agent.id != agent.id
    if gone and not stored.initialised and stored.strategy is Strategy.PERSISTENT_VOLUME:
        # Nobody was told of a server there, and another agent gets another volume.
        return True
    match stored.strategy:
        case Strategy.PERSISTENT_VOLUME:
            volumes = [r.persistence.id for r in task.resources if r.persistence is not None]
            # A framework that has ended keeps nothing from being offered, whatever its agent still runs.
            elsewhere = launched.agent.id != agent.id
            offered_idle = elsewhere or not launched.by_another(observed.mesos.framework_id)
            return stored.persistence_id in volumes and offered_idle
        case Strategy.HOST_PATH:
            return launched.agent.hostname == agent.hostname and launched.agent.id != agent.id
        case Strategy.DFS:
            fencing = stored.fencing
            if fencing is None or fencing.incarnation != launched.incarnation:
                return False
            # It is about one loss of the agent: since then that may have been let in again.
            about = fencing.lost_at_seconds
            return about is None or (declared is not None and declared.lost_at_seconds == about)
        case _:
            assert_never(stored.strategy)
