"""An ERROR of Mesos is published: as a condition with what to do, as an Event, and as what a member waits for."""

import pytest

from statefuldb.adapters.mesos.driver import ConnectionState
from statefuldb.model.conditions import ConditionType, EventReason, Reason
from statefuldb.model.observed import KeeperView, MesosView, TaskState
from statefuldb.model.spec import Strategy
from statefuldb.planning.planner import plan
from unit.mesos.adapter import Wired
from unit.planning.world import OPERATOR, desired, keeper, observed, offer, secret, serving_on, spec, tasks


def seen(error: str) -> MesosView:
    wired = Wired()
    wired.subscribe()
    assert wired.adapter.view().connected
    wired.state(ConnectionState(connected=False, error=error, fatal=True))
    return wired.adapter.view()


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("Framework failed over", "another operator has subscribed"),
        ("another operator has begun with framework a, and this one is b", "stop one of the two"),
        ("Framework has been removed", "take frameworkId out of the ConfigMap"),
        ("Not authorized to use role 'statefuldb'", "ACLs"),
        ("Roles {statefuldb} are not present in the master's --roles", "--roles"),
        ("Changing framework's principal is not allowed.", "principal that it had"),
        ("something new", "restart the operator"),
    ],
)
def test_an_error_is_a_condition_an_event_and_a_wait_with_what_to_do(error: str, advice: str) -> None:
    decided = plan(desired(spec()), observed(mesos=seen(error)), (offer(),), OPERATOR)
    assert not decided.actions
    (condition,) = [c for c in decided.conditions if c.type is ConditionType.MESOS_CONNECTED]
    assert (condition.status, condition.reason) == (False, Reason.MESOS_ERROR)
    assert error in condition.message
    assert advice in condition.message
    (event,) = [a for a in decided.announcements if a.reason is EventReason.MESOS_ERROR]
    assert event.warning
    assert error in event.message
    assert advice in decided.waiting[0].fix


def test_a_member_that_went_with_the_framework_waits_for_a_person() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    gone = {record.task_id: KeeperView(task_id=record.task_id, status=None, error="refused")} if record.task_id else {}
    away = observed(
        volumes=(record,),
        tasks=tasks(record, TaskState.RUNNING),
        keepers=gone,
        mesos=seen("Framework has been removed"),
    )
    decided = plan(desired(spec()), away, (), OPERATOR)
    assert decided.waiting[0].reason is Reason.STARTING_ENGINE
    for kind, status in ((ConditionType.READY, False), (ConditionType.STALLED, True)):
        (condition,) = [c for c in decided.conditions if c.type is kind]
        assert (condition.status, condition.reason) == (status, Reason.MESOS_ERROR)
        assert "take frameworkId out" in condition.message


def test_a_member_that_serves_is_ready_although_mesos_ended_the_subscription() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    running = observed(
        volumes=(record,),
        tasks=tasks(record, TaskState.RUNNING),
        keepers=keeper(record),
        secret=secret(record),
        mesos=seen("Framework failed over"),
    )
    (ready,) = [c for c in plan(desired(spec()), running, (), OPERATOR).conditions if c.type is ConditionType.READY]
    assert ready.status is True


def test_a_connection_that_is_tried_again_is_no_error() -> None:
    wired = Wired()
    wired.state(ConnectionState(connected=False, error="the event stream ended"))
    decided = plan(desired(spec()), observed(mesos=wired.adapter.view()), (), OPERATOR)
    (condition,) = [c for c in decided.conditions if c.type is ConditionType.MESOS_CONNECTED]
    assert condition.reason is Reason.MESOS_DISCONNECTED
    assert not decided.announcements
