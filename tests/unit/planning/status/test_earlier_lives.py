"""A healthy database beside data of an earlier life of its name, of which nobody can prove that it is over."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.conditions import ConditionType, EventReason, Reason
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, Intent, VolumeRecord
from statefuldb.planning.planner import plan
from statefuldb.reconcile.report import status_of_plan
from unit.planning.test_planner import serving
from unit.planning.world import (
    OPERATOR,
    database,
    decide,
    desired,
    observed,
    offer,
    remaining,
    running,
    serving_on,
    spec,
    status,
)

EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))
BOUND = pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])
LOST = pytest.mark.parametrize("state", [TaskState.GONE_BY_OPERATOR, TaskState.UNREACHABLE])
EARLIER = "99999999-2222-3333-4444-555555555555"


def burnt(strategy: Strategy, intent: Intent) -> VolumeRecord:
    """Return the entry of an earlier life of the name, on a machine that is not there any more."""
    record = serving(strategy)
    assert record.agent is not None
    assert record.launch is not None
    away = replace(record.agent, id="burnt", hostname="burnt")
    return replace(
        record,
        name="orders-0-99999999",
        owner_uid=EARLIER,
        identity=replace(record.identity, uid=EARLIER),
        intent=intent,
        agent=away,
        launch=replace(record.launch, agent=away),
    )


def earlier_life(strategy: Strategy) -> Plan:
    """Return the plan that begins an earlier life of the name, on a machine of its own."""
    return plan(desired(spec(strategy)), observed(database=database(uid=EARLIER)), (offer("agent-9"),), OPERATOR)


def beside(seen: Observed, earlier: VolumeRecord, state: TaskState) -> Observed:
    assert earlier.task_id is not None
    volumes, tasks = (earlier, *seen.volumes), {**seen.tasks, earlier.task_id: status(earlier.task_id, state)}
    return replace(seen, volumes=volumes, tasks=tasks)


def conditions(decided: Plan) -> dict[str, tuple[bool | None, Reason]]:
    return {c.type: (c.status, c.reason) for c in decided.conditions}


@LOST
@EVERY_STRATEGY
@pytest.mark.parametrize("intent", [Intent.DELETE, Intent.RETAIN])
def test_it_is_as_healthy_as_without_that_data_which_is_still_told_of(
    strategy: Strategy, intent: Intent, state: TaskState
) -> None:
    wanted = spec(strategy, bootstrap_empty=intent is Intent.RETAIN)
    record, _, _ = serving_on(strategy)
    stopped = replace(record, ending=Ending(incarnation=1, state=TaskState.KILLED, at_seconds=0.0))
    for now, seen in ((wanted, running(record)), (replace(wanted, replicas=0), observed(volumes=(stopped,)))):
        alone, both = decide(now, seen), decide(now, beside(seen, burnt(strategy, intent), state))
        assert conditions(both) == conditions(alone)
        assert conditions(both)[ConditionType.READY][0]
        assert both.members == alone.members
        assert [wait for wait in both.waiting if not wait.winding_up] == list(alone.waiting)
        (wait,) = [wait for wait in both.waiting if wait.winding_up]
        assert wait.fix


@EVERY_STRATEGY
def test_what_is_done_about_that_data_says_nothing_of_the_database(strategy: Strategy) -> None:
    """A removal that fails again and again made a database that serves Ready and not Ready at each attempt."""
    decided = earlier_life(strategy)
    record, accepted = decided.actions
    assert isinstance(record, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    over = Ending(incarnation=1, state=TaskState.KILLED, at_seconds=0.0)
    earlier = replace(record.volume, initialised=True, token=1, intent=Intent.DELETE, ending=over)
    idle = remaining(offer("agent-9"), accepted, launched=False)
    seen = running(serving(strategy))
    seen = replace(seen, volumes=(earlier, *seen.volumes), reserved=(idle,), at_seconds=1_000.0)
    both = decide(spec(strategy), seen, replace(idle, received_at_seconds=1_000.0))
    assert {type(action) for action in both.actions} == {SaveVolume, AcceptOffers}
    assert conditions(both) == conditions(decide(spec(strategy), running(serving(strategy))))


@LOST
@BOUND
def test_what_is_to_be_removed_there_is_not_asked_to_be_given_up_again(strategy: Strategy, state: TaskState) -> None:
    (wait,) = decide(spec(strategy), beside(running(serving(strategy)), burnt(strategy, Intent.DELETE), state)).waiting
    assert wait.fix.startswith("nothing to do")
    assert "volumes release" not in wait.fix
    assert "kubectl delete databasevolume orders-0-99999999 -n shop" in wait.fix
    assert "orders-0-99999999" in wait.message


@BOUND
def test_a_wait_for_its_own_data_counts_whatever_the_ledger_intends_with_that(strategy: Strategy) -> None:
    wanted, record = spec(strategy, replicas=0), serving(strategy)
    own = replace(record, intent=Intent.RETAIN)
    adopted = burnt(strategy, Intent.RETAIN)
    named = database(status={"storage": {"volumes": [adopted.name]}})
    for entry, stored in ((own, database()), (adopted, named)):
        seen = beside(observed(database=stored), entry, TaskState.GONE_BY_OPERATOR)
        assert conditions(decide(wanted, seen))[ConditionType.STORAGE_READY] == (False, Reason.VOLUME_LOST)
    marked = replace(record, intent=Intent.DELETE)
    seen = beside(observed(), marked, TaskState.GONE_BY_OPERATOR)
    assert conditions(decide(wanted, seen))[ConditionType.STALLED] == (True, Reason.DELETION_PROTECTED)


@BOUND
def test_its_own_loss_is_told_as_a_warning_although_that_of_the_earlier_data_was_told(strategy: Strategy) -> None:
    record, _, _ = serving_on(strategy)
    seen = beside(running(record), burnt(strategy, Intent.DELETE), TaskState.GONE_BY_OPERATOR)
    first = decide(spec(strategy), seen)
    (told,) = [a for a in first.announcements if a.reason is EventReason.WAITING]
    assert not told.warning
    assert seen.database is not None
    published = replace(seen, database=replace(seen.database, status=status_of_plan(seen, first)))
    assert not [a for a in decide(spec(strategy), published).announcements if a.reason is EventReason.WAITING]
    assert record.task_id is not None
    own = status(record.task_id, TaskState.GONE_BY_OPERATOR)
    lost = replace(published, tasks={**published.tasks, record.task_id: own})
    (told,) = [a for a in decide(spec(strategy), lost).announcements if a.reason is EventReason.WAITING]
    assert told.warning
    assert "agent-1" in told.message
