"""An operator that has just begun does not turn every database from Ready to not Ready and back."""

from dataclasses import replace

import pytest

from statefuldb.model.observed import NOT_SUBSCRIBED_YET, MesosView, Observed, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.volume import Ending
from statefuldb.planning.planner import plan
from statefuldb.reconcile.report import status_of_plan
from statefuldb.reconcile.warm_up import WARM_UP_SECONDS, WarmUp
from unit.planning.status.test_health import running
from unit.planning.test_planner import serving
from unit.planning.world import OPERATOR, database, desired, spec, tasks

NOT_YET = MesosView(connected=False, framework_id=None, role="statefuldb", principal=None, error=NOT_SUBSCRIBED_YET)


def published() -> Observed:
    """Return a database that serves and was published as Ready."""
    seen = running(serving())
    return replace(seen, database=database(status=status_of_plan(seen, plan(desired(spec()), seen, (), OPERATOR))))


def decide(seen: Observed) -> Plan:
    return plan(desired(spec()), seen, (), OPERATOR)


def left(seen: Observed) -> float | None:
    return WarmUp().left_seconds(seen, decide(seen))


@pytest.mark.parametrize("missing", ["mesos", "task", "keeper"])
def test_it_waits_for_whoever_has_not_answered_and_not_for_ever(missing: str) -> None:
    changes = {"mesos": {"mesos": NOT_YET}, "task": {"tasks": {}}, "keeper": {"keepers": {}}}[missing]
    seen = replace(published(), **changes)  # type: ignore[arg-type]
    warm_up = WarmUp()
    assert warm_up.left_seconds(seen, decide(seen)) == WARM_UP_SECONDS
    later = replace(seen, at_seconds=seen.at_seconds + WARM_UP_SECONDS - 1)
    assert warm_up.left_seconds(later, decide(later)) == 1
    at_last = replace(seen, at_seconds=seen.at_seconds + WARM_UP_SECONDS)
    assert warm_up.left_seconds(at_last, decide(at_last)) is None


def test_what_was_heard_is_said_at_once() -> None:
    seen = published()
    assert left(seen) is None
    (record,) = seen.volumes
    for state in (TaskState.UNREACHABLE, TaskState.STAGING):
        assert left(replace(seen, tasks=tasks(record, state))) is None
    (view,) = seen.keepers.values()
    for seen_at_seconds in (seen.at_seconds, 0.0):
        silent = replace(view, status=None, error="timed out", seen_at_seconds=seen_at_seconds)
        said = left(replace(seen, keepers={view.task_id: silent})) is None
        assert said is bool(seen_at_seconds), "one that this operator never heard may answer yet"
    broken = replace(NOT_YET, error="the event stream ended")
    assert left(replace(seen, mesos=broken)) is None
    over = replace(record, ending=Ending(incarnation=1, state="TASK_KILLED"))
    assert left(replace(seen, volumes=(over,), tasks={})) is None


def test_an_edit_and_a_deletion_are_never_kept_waiting() -> None:
    seen = replace(published(), keepers={})
    assert seen.database is not None
    assert left(replace(seen, database=replace(seen.database, generation=2))) is None
    assert left(replace(seen, database=replace(seen.database, deleting=True))) is None


def test_who_was_not_ready_is_not_waited_for() -> None:
    seen = published()
    assert left(replace(seen, database=database(status={"observedGeneration": 1}), keepers={})) is None


def test_a_clock_that_is_set_back_makes_it_no_longer() -> None:
    seen = replace(published(), keepers={})
    warm_up = WarmUp()
    assert warm_up.left_seconds(seen, decide(seen)) == WARM_UP_SECONDS
    back = replace(seen, at_seconds=seen.at_seconds - 3_600.0)
    assert warm_up.left_seconds(back, decide(back)) is None
