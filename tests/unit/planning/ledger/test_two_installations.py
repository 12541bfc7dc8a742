"""Two operators of different clusters on one API server: the one whose data it is not, keeps away."""

from dataclasses import replace

import pytest

from statefuldb.model.observed import TaskState
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent
from statefuldb.planning.planner import plan
from unit.planning.members.test_strays import serving
from unit.planning.world import CLUSTER, OPERATOR, database, desired, observed, offer, spec, tasks

OTHER = replace(OPERATOR, cluster="bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee")


@pytest.mark.parametrize("intent", list(Intent))
@pytest.mark.parametrize("strategy", list(Strategy))
def test_what_another_cluster_looks_after_is_left_alone(strategy: Strategy, intent: Intent) -> None:
    record = replace(serving(strategy), intent=intent)
    # To a framework that did not launch it, Mesos says of a task that it is gone.
    for state in (TaskState.GONE, TaskState.UNREACHABLE):
        seen = observed(volumes=(record,), tasks=tasks(record, state))
        decided = plan(desired(spec(strategy)), seen, (offer(),), OTHER)
        assert not decided.actions
        assert not decided.conditions, "the other operator writes the status"
        assert CLUSTER in decided.announcements[0].message
    deleting = observed(database=database(deleting=True), volumes=(record,))
    assert not plan(desired(spec(strategy)), deleting, (offer(),), OTHER).actions
