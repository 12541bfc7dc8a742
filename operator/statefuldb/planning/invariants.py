"""The laws, stated a second time and apart from the planner: what no plan may ever call for.

`violations` looks at a finished plan and at what was observed; a plan that breaks a law is not executed. Laws that are
about the world rather than about a plan (`one_primary`, `ready_is_true` ...) are checked where the world is: by the
keeper, by the simulator, by the tests named after them.
"""

from dataclasses import dataclass, replace

from statefuldb.model.actions import AcceptOffers, ForgetVolume, RemoveFinalizer, SaveVolume
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import Observed
from statefuldb.model.operations import Create, Destroy, Grow, LaunchTask, Reserve, Unreserve
from statefuldb.model.plan import Plan
from statefuldb.model.resources import Resource
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.storage.holding import identity_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken law, with what breaks it."""

    law: str
    message: str


def violations(plan: Plan, observed: Observed, cluster: str) -> tuple[Violation, ...]:
    """Return every law that `plan` would break."""
    found: list[Violation] = []
    records = {record.name: record for record in observed.volumes}
    for action in plan.actions:
        match action:
            case SaveVolume(volume=volume):
                records[volume.name] = volume
            case ForgetVolume(volume=volume):
                found += _forgets(volume)
            case RemoveFinalizer():
                found += _unsaved_intents(observed, records)
            case AcceptOffers():
                found += _accepts(action, observed, records, cluster)
            case _:
                pass
    return tuple(found)


def _forgets(volume: VolumeRecord) -> list[Violation]:
    if volume.intent is Intent.DELETE:
        return []
    return [Violation(law="no_leak", message=f"{volume.name} would be forgotten, not deleted")]


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
                found += [v for r in resources for v in _positive(r)]
            case Create(volume=volume):
                found += _positive(volume)
            case Grow(volume=volume, addition=addition):
                found += _grows(volume, addition, cluster)
            case LaunchTask():
                found += _launches(operation, observed, records)
    return found


def _owned(resource: Resource, cluster: str) -> list[Violation]:
    labels = resource.labels
    if labels is not None and labels.identity.cluster == cluster:
        return []
    return [Violation(law="ours_only", message=f"{resource.name} does not carry our label")]


def _grows(volume: Resource, addition: Resource, cluster: str) -> list[Violation]:
    """A volume grows by disk that is reserved exactly as it is: Mesos takes no other."""
    owner = identity_of(volume)
    if owner is None or owner.cluster != cluster:
        return [Violation(law="ours_only", message=f"{volume.persistence} is not ours")]
    like = replace(volume, persistence=None, amount_milli=addition.amount_milli) == addition
    unlike = [] if like else [Violation(law="bundle", message=f"{volume.persistence} would grow by what is unlike it")]
    return [*unlike, *_positive(addition)]


def _positive(resource: Resource) -> list[Violation]:
    """A scalar of zero kills the master (transcript 36)."""
    if resource.amount_milli > 0 or resource.ranges:
        return []
    return [Violation(law="bundle", message=f"{resource.name} with nothing in it")]


def _launches(task: LaunchTask, observed: Observed, records: dict[str, VolumeRecord]) -> list[Violation]:
    found: list[Violation] = []
    recorded = [r for r in records.values() if r.task_id == task.task_id]
    if not recorded:
        return [Violation(law="no_leak", message=f"{task.task_id} is launched but not recorded")]
    record = recorded[0]
    if task.task_id in observed.tasks:
        found.append(Violation(law="one_writer", message=f"{task.task_id} was used before"))
    found += _predecessors(task.task_id, record, observed)
    if record.persistence_id is not None and not any(
        r.persistence is not None and r.persistence.id == record.persistence_id for r in task.resources
    ):
        found.append(Violation(law="bundle", message=f"{task.task_id} without {record.persistence_id}"))
    missing = {"cpus", "mem", "ports"} - {r.name for r in task.resources}
    if missing:
        found.append(Violation(law="bundle", message=f"{task.task_id} without {sorted(missing)}"))
    return found


def _predecessors(task_id: TaskId, record: VolumeRecord, observed: Observed) -> list[Violation]:
    """No successor while an earlier incarnation is known to be alive."""
    return [
        Violation(law="one_writer", message=f"{earlier} is {status.state}, {task_id} would follow it")
        for earlier, status in observed.tasks.items()
        if (earlier.uid, earlier.ordinal) == (task_id.uid, task_id.ordinal) and status.state.alive
    ]
