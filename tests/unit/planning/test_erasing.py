"""The task that empties a released directory: it runs to its end, once."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, ForgetVolume, KillTask, SaveVolume
from statefuldb.model.observed import TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, Intent, VolumeRecord
from statefuldb.planning.planner import plan
from unit.planning.test_strays import serving
from unit.planning.world import OPERATOR, observed, offer, tasks

BOTH = pytest.mark.parametrize("strategy", [Strategy.HOST_PATH, Strategy.DFS])


def erasing(strategy: Strategy) -> VolumeRecord:
    """Return the entry of a released directory, once the task that empties it is launched."""
    released = replace(
        serving(strategy),
        owner_uid="gone",
        intent=Intent.DELETE,
        initialised=True,
        ending=Ending(incarnation=1, state=TaskState.KILLED),
    )
    saved, accepted = plan(None, observed(database=None, volumes=(released,)), (offer(),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    return saved.volume


def seen(record: VolumeRecord, state: TaskState) -> Plan:
    return plan(None, observed(database=None, volumes=(record,), tasks=tasks(record, state)), (offer(),), OPERATOR)


@BOTH
@pytest.mark.parametrize("state", [TaskState.STAGING, TaskState.STARTING, TaskState.RUNNING])
def test_it_is_waited_for_while_it_runs(strategy: Strategy, state: TaskState) -> None:
    record = erasing(strategy)
    decided = seen(record, state)
    assert not decided.actions
    (wait,) = decided.waiting
    assert str(record.directory) in wait.message
    assert decided.look_again_after_seconds is None, "its end is an update of Mesos, nothing to look for"


@BOTH
def test_it_is_not_launched_again_once_it_has_finished(strategy: Strategy) -> None:
    (saved,) = seen(erasing(strategy), TaskState.FINISHED).actions
    assert isinstance(saved, SaveVolume)
    decided = plan(None, observed(database=None, volumes=(saved.volume,)), (offer(),), OPERATOR)
    assert not [action for action in decided.actions if isinstance(action, AcceptOffers)]
    assert decided.wants_offers or isinstance(decided.actions[-1], (ForgetVolume, SaveVolume))


@BOTH
def test_data_that_is_to_be_kept_after_all_is_not_emptied_further(strategy: Strategy) -> None:
    decided = seen(replace(erasing(strategy), intent=Intent.RETAIN), TaskState.RUNNING)
    assert [type(action) for action in decided.actions] == [KillTask]
