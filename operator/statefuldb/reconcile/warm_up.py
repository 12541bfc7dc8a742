"""An operator that has just begun says nothing new before it has heard anything new.

After a restart, and after a change of leaders, Mesos and the keepers have not answered yet. What was published last is
then better than "nothing is known", which would turn every database from Ready to not Ready and back: a write and an
alarm for each of thousands. This lasts a few seconds at most; whatever is heard ends it.
"""

from collections.abc import Mapping

from statefuldb.model.conditions import Reason
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import NOT_SUBSCRIBED_YET, DatabaseObject, Observed, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.context import status_of

WARM_UP_SECONDS = 15.0
_SAID_AT_ONCE = (Reason.PLAN_VIOLATES_LAW, Reason.LEDGER_ENTRY_DAMAGED)


class WarmUp:
    """For how long each database's status stays as it was published."""

    def __init__(self) -> None:
        self._since: dict[DatabaseKey, float] = {}

    def left_seconds(self, observed: Observed, decided: Plan) -> float | None:
        """Return for how long at most nothing is published, or None where it is."""
        serious = any(wait.reason in _SAID_AT_ONCE for wait in decided.waiting)
        if decided.actions or serious or not _is_current(observed.database) or _has_heard(observed):
            self._since.pop(observed.key, None)
            return None
        waited = observed.at_seconds - self._since.setdefault(observed.key, observed.at_seconds)
        # Begun in the future: the clock was set back since, and for how long it has waited is not known.
        return WARM_UP_SECONDS - waited if 0 <= waited < WARM_UP_SECONDS else None


def _is_current(database: DatabaseObject | None) -> bool:
    """Say whether what was published is about the present spec, of an object that stays."""
    if database is None or database.deleting:
        return False
    return database.status.get("observedGeneration") == database.generation


def _has_heard(observed: Observed) -> bool:
    """Say whether Mesos, the ledger and the keeper of each member published as ready have answered, or failed to."""
    if not observed.mesos.connected:
        return observed.mesos.error not in ("", NOT_SUBSCRIBED_YET)
    assert observed.database is not None
    ready = _ready_tasks(observed.database.status)
    listed = {str(record.task_id): record for record in observed.volumes}
    return all(task_id in listed and _is_known(listed[task_id], observed) for task_id in sorted(ready))


def _is_known(record: VolumeRecord, observed: Observed) -> bool:
    task = status_of(record, observed.tasks)
    if record.ended or record.task_id is None:
        return True
    if task is None or task.state is not TaskState.RUNNING:
        return task is not None
    view = observed.keepers.get(record.task_id)
    # One that this operator has never heard may be slow to answer for the same reason that had it restarted.
    return view is not None and (view.status is not None or bool(view.error and view.seen_at_seconds))


def _ready_tasks(status: Mapping[str, object]) -> set[str]:
    members = status.get("members")
    return {
        str(member.get("taskId"))
        for member in (members if isinstance(members, list) else [])
        if isinstance(member, Mapping) and member.get("ready")
    }
