"""An ERROR of Mesos is published: as a condition with what to do, as an Event, and as what a member waits for."""

import pytest

from statefuldb.adapters.mesos.driver import ConnectionState
from statefuldb.model.conditions import ConditionType, EventReason, Reason
from statefuldb.model.observed import MesosView
from statefuldb.planning.planner import plan
from unit.mesos.adapter import Wired
from unit.planning.world import OPERATOR, desired, observed, offer, spec


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


def test_a_connection_that_is_tried_again_is_no_error() -> None:
    wired = Wired()
    wired.state(ConnectionState(connected=False, error="the event stream ended"))
    decided = plan(desired(spec()), observed(mesos=wired.adapter.view()), (), OPERATOR)
    (condition,) = [c for c in decided.conditions if c.type is ConditionType.MESOS_CONNECTED]
    assert condition.reason is Reason.MESOS_DISCONNECTED
    assert not decided.announcements
