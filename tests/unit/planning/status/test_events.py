"""Which Events a reconcile sends beside those of its actions: what keeps a database, and that it is Ready; once."""

from dataclasses import replace

from statefuldb.model.conditions import EventReason
from statefuldb.model.errors import FieldError
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending
from statefuldb.planning.desired import Desired
from statefuldb.planning.planner import plan
from statefuldb.planning.published import CONDITION_LIMIT
from statefuldb.reconcile.report import status_of_plan
from unit.planning.status.test_health import running
from unit.planning.test_planner import serving
from unit.planning.world import OPERATOR, database, desired, observed, offer, spec, tasks


def told(decided: Plan) -> list[tuple[EventReason, str, bool]]:
    return [
        (a.reason, a.message.partition(":")[0], a.warning)
        for a in decided.announcements
        if a.reason in (EventReason.WAITING, EventReason.READY)
    ]


def after(seen: Observed, decided: Plan) -> Observed:
    """Return the same world with the status that the plan publishes."""
    return replace(seen, database=database(status=status_of_plan(seen, decided)))


def test_that_it_is_ready_is_told_once() -> None:
    seen = running(serving())
    decided = plan(desired(spec()), seen, (), OPERATOR)
    assert told(decided) == [(EventReason.READY, "1 of 1 members answer SQL", False)]
    assert told(plan(desired(spec()), after(seen, decided), (), OPERATOR)) == []


def test_that_it_stopped_as_asked_is_told() -> None:
    over = replace(serving(), ending=Ending(incarnation=1, state="TASK_KILLED"))
    decided = plan(desired(spec(replicas=0)), observed(volumes=(over,)), (), OPERATOR)
    assert told(decided) == [(EventReason.READY, "stopped as asked; the data is kept", False)]


def test_offers_that_do_not_fit_are_told_once_they_were_looked_at() -> None:
    nothing = observed()
    early = plan(desired(spec()), nothing, (), OPERATOR)
    assert told(early) == []
    seen = after(nothing, early)
    late = plan(desired(spec()), seen, (offer(cpus=0.1),), OPERATOR)
    assert told(late) == [(EventReason.WAITING, "NoSuitableOffer", False)]
    assert told(plan(desired(spec()), after(seen, late), (offer(cpus=0.2),), OPERATOR)) == []


def test_a_lost_agent_is_a_warning_with_what_would_help() -> None:
    record = serving(Strategy.DFS)
    seen = observed(volumes=(record,), tasks=tasks(record, TaskState.UNREACHABLE))
    decided = plan(desired(spec(Strategy.DFS)), seen, (offer("agent-2"),), OPERATOR)
    assert told(decided) == [(EventReason.WAITING, "FencingRequired", True)]
    (event,) = (a for a in decided.announcements if a.reason is EventReason.WAITING)
    assert "statefuldb -n shop fence" in event.message


def test_of_a_refusal_no_more_is_told_than_is_published() -> None:
    """What is said of each database is kept, and logged at each pass."""
    errors = (FieldError(path="spec.engine.config." + "k" * 100_000, value='"1"', allowed="whatever"),)
    decided = plan(Desired(accepted=None, errors=errors), observed(), (), OPERATOR)
    (rejected,) = (each for each in decided.announcements if each.reason is EventReason.REJECTED)
    assert len(rejected.message) == CONDITION_LIMIT
