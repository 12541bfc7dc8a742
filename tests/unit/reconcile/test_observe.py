"""What a snapshot makes of a task for which nobody answers any more."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from statefuldb.model.actions import SaveVolume
from statefuldb.model.observed import KeeperView, TaskState, TaskStatus
from statefuldb.model.spec import NodeLossAction, Strategy
from statefuldb.model.volume import Fencing, Intent, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from statefuldb.reconcile.observe import DOUBTED_AFTER_SECONDS, UNHEARD_AFTER_SECONDS, Observer
from unit.planning.members.test_undecided_tasks import renamed, serving
from unit.planning.world import CLUSTER, KEY, OPERATOR, database, desired, keeper, observed, spec, status

NOW = 1_000.0
LONG_AGO = NOW - DOUBTED_AFTER_SECONDS


def observer(
    record: VolumeRecord,
    said: TaskStatus,
    view: KeeperView | None,
    *,
    namespaces: bool = True,
    waits: bool = False,
    kubernetes: Any = None,
) -> tuple[Observer, Any, Any]:
    """Return an observer of one member whose task is `said` to be something, and its ports for Mesos and keepers."""
    base = observed()
    kubernetes, mesos, keepers = kubernetes or Mock(), Mock(), Mock()
    kubernetes.database.return_value = database()
    kubernetes.volumes.return_value = (record,)
    kubernetes.adopted_away.return_value = kubernetes.damaged.return_value = ()
    kubernetes.others_of.return_value = ()
    kubernetes.secret.return_value = None
    kubernetes.crd_terminating.return_value = kubernetes.namespace_terminating.return_value = False
    kubernetes.namespace_exists.return_value = namespaces
    mesos.found.return_value = mesos.operations.return_value = ()
    mesos.tasks.return_value = {said.id: said}
    mesos.unheard_since.return_value = None
    mesos.maintenance.return_value = {}
    mesos.view.return_value = base.mesos
    keepers.view.return_value = view
    clock = Mock()
    clock.now.return_value = NOW
    return (
        Observer(kubernetes=kubernetes, mesos=mesos, keepers=keepers, clock=clock, waits=lambda _: waits),
        mesos,
        keepers,
    )


def running(record: VolumeRecord, owed_since: float | None) -> TaskStatus:
    assert record.task_id is not None
    return replace(status(record.task_id, TaskState.RUNNING), owed_since_seconds=owed_since, seen_at_seconds=1.0)


def unheard(record: VolumeRecord) -> KeeperView:
    assert record.task_id is not None
    return KeeperView(task_id=record.task_id, status=None, error="its agent is not registered")


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_task_for_which_neither_master_nor_keeper_answers_is_unknown(strategy: Strategy) -> None:
    record, idle = serving(strategy)
    watching, mesos, keepers = observer(record, running(record, LONG_AGO), unheard(record))
    seen = watching.observe(KEY)
    assert record.task_id is not None
    assert seen.tasks[record.task_id].state is TaskState.UNKNOWN
    assert seen.tasks[record.task_id].seen_at_seconds == LONG_AGO
    mesos.expect.assert_called_once()
    keepers.unwatch.assert_called_once()
    decided = plan(desired(spec(strategy)), seen, (renamed(idle),), OPERATOR)
    assert bool(decided.actions) is (strategy is not Strategy.DFS)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_task_for_which_somebody_answers_or_may_yet_answer_is_what_it_was_said_to_be(strategy: Strategy) -> None:
    record, _ = serving(strategy)
    assert record.task_id is not None
    answered = keeper(record)[record.task_id]
    for owed_since, view in ((None, unheard(record)), (LONG_AGO + 1.0, unheard(record)), (LONG_AGO, answered)):
        watching, _, keepers = observer(record, running(record, owed_since), view)
        assert watching.observe(KEY).tasks[record.task_id].state is TaskState.RUNNING
        keepers.watch.assert_called_once()


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_task_of_which_an_operator_that_has_begun_hears_nothing_is_unknown(strategy: Strategy) -> None:
    """A master never answers for an agent that was marked as gone before it came back to that master."""
    record, idle = serving(strategy)
    assert record.task_id is not None
    by_hand = replace(record, fencing=Fencing(incarnation=record.incarnation, by="a person"))
    for held, since, connected, known in (
        (record, NOW - UNHEARD_AFTER_SECONDS, True, True),
        (by_hand, NOW - UNHEARD_AFTER_SECONDS, True, True),
        (record, NOW - UNHEARD_AFTER_SECONDS + 1.0, True, False),
        (record, NOW - UNHEARD_AFTER_SECONDS, False, False),
        (record, None, True, False),
    ):
        watching, mesos, _ = observer(held, running(held, None), None)
        mesos.tasks.return_value, mesos.unheard_since.return_value = {}, since
        mesos.view.return_value = replace(mesos.view.return_value, connected=connected)
        seen = watching.observe(KEY)
        assert {t: s.state for t, s in seen.tasks.items()} == ({record.task_id: TaskState.UNKNOWN} if known else {})
        mesos.expect.assert_called_once()
        decided = plan(desired(spec(strategy)), seen, (renamed(idle),), OPERATOR)
        assert bool(decided.actions) is (known and (strategy is not Strategy.DFS or held is by_hand))
        assert not violations(decided, seen, CLUSTER)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_an_agent_that_is_slow_to_come_back_is_neither_called_forgotten_nor_cut_off(
    strategy: Strategy,
) -> None:
    """An agent may take its time to come back to a new master, while its server serves on."""
    record, _ = serving(strategy)
    watching, mesos, _ = observer(record, running(record, None), None)
    mesos.tasks.return_value, mesos.unheard_since.return_value = {}, NOW - 10 * UNHEARD_AFTER_SECONDS
    storage = replace(spec(strategy).storage, on_node_loss=NodeLossAction.REATTACH, on_node_loss_after_seconds=0)
    wanted = replace(spec(strategy), storage=storage)
    decided = plan(desired(wanted), watching.observe(KEY), (), replace(OPERATOR, fences=True))
    assert not decided.actions
    (wait,) = decided.waiting
    assert "TASK_UNKNOWN: Mesos does not say what became of it, and agent-1 may still be writing" in wait.message


def test_before_data_in_use_counts_as_nobodys_it_is_looked_whether_the_definitions_go() -> None:
    """With them every database goes, and may come back: by what a broken watch had told, all servers were stopped."""
    record, _ = serving(Strategy.PERSISTENT_VOLUME)
    kubernetes = Mock()
    watching, _, _ = observer(record, running(record, None), None, kubernetes=kubernetes)
    watching.observe(KEY)
    kubernetes.look_around.assert_not_called()
    for database_now in (None, replace(database(), uid="made anew")):
        kubernetes.look_around.reset_mock()
        kubernetes.database.return_value = database_now
        watching.observe(KEY)
        kubernetes.look_around.assert_called_once_with(KEY.namespace)


def test_a_database_that_is_there_lies_in_a_namespace_that_is_there() -> None:
    record, _ = serving(Strategy.PERSISTENT_VOLUME)
    watching, _, _ = observer(record, running(record, None), None, namespaces=False)
    assert watching.observe(KEY).namespace_exists


@pytest.mark.parametrize(
    ("said", "outlived", "state", "settling"),
    [
        (TaskState.GONE, False, TaskState.UNKNOWN, True),
        (TaskState.GONE, None, TaskState.UNKNOWN, False),
        (TaskState.GONE, True, TaskState.GONE, False),
        (TaskState.UNREACHABLE, False, TaskState.UNREACHABLE, True),
        (TaskState.UNREACHABLE, True, TaskState.GONE, False),
        (TaskState.KILLED, False, TaskState.KILLED, False),
    ],
)
def test_what_mesos_says_of_an_earlier_frameworks_task_is_believed_where_its_agent_proves_it(
    said: TaskState, outlived: bool | None, state: TaskState, settling: bool
) -> None:
    record, _ = serving(Strategy.PERSISTENT_VOLUME)
    assert record.task_id is not None
    assert record.launch is not None
    for framework_id, believed in (("framework-0", (state, settling)), ("framework-1", (said, False))):
        launched = replace(record, launch=replace(record.launch, framework_id=framework_id))
        watching, mesos, _ = observer(launched, status(record.task_id, said), None)
        mesos.outlived.return_value = outlived
        seen = watching.observe(KEY).tasks[record.task_id]
        assert (seen.state, seen.settling) == believed


def test_an_earlier_frameworks_task_called_gone_has_not_ended_for_an_operator_that_lost_its_subscription() -> None:
    record, idle = serving(Strategy.DFS)
    assert record.task_id is not None
    assert record.launch is not None
    launched = replace(record, launch=replace(record.launch, framework_id="framework-0"))
    watching, mesos, _ = observer(launched, status(record.task_id, TaskState.GONE), None)
    mesos.view.return_value = replace(mesos.view.return_value, connected=False)
    seen = watching.observe(KEY)
    assert seen.tasks[record.task_id].state is TaskState.UNKNOWN
    assert plan(desired(spec(Strategy.DFS)), seen, (idle,), OPERATOR).actions == ()
    mesos.outlived.assert_not_called()


@pytest.mark.parametrize(
    ("state", "initialised", "looked"),
    [
        (TaskState.UNKNOWN, False, True),
        (TaskState.UNREACHABLE, False, True),
        (TaskState.LOST, False, False),
        (TaskState.UNREACHABLE, True, True),
        (TaskState.RUNNING, True, False),
    ],
)
def test_what_is_missed_is_looked_for_and_an_agent_that_mesos_has_forgotten(
    state: TaskState, initialised: bool, looked: bool
) -> None:
    served, _ = serving(Strategy.PERSISTENT_VOLUME)
    record = replace(served, initialised=initialised)
    assert record.task_id is not None
    for since in (1.0, 1e9):
        # What was seen in the future was seen by a clock that has been set back since.
        said = replace(status(record.task_id, state), seen_at_seconds=since)
        watching, mesos, _ = observer(record, said, keeper(record)[record.task_id], waits=True)
        assert bool(watching.observe(KEY).sightings) is looked
        assert mesos.sighting.called is looked


def beginning(record: VolumeRecord) -> tuple[Observer, Any, Any, Callable[..., Any]]:
    """Return an observer with its ports before a subscription, and what begins one that lists `record` and its task.

    The ledger has lost it: all that is known of its data is what its task carries.
    """
    watching, mesos, _ = observer(record, running(record, None), None)
    kubernetes: Any = watching._kubernetes
    kubernetes.volumes.return_value, mesos.reserved.return_value = (), None
    connected, tasks = mesos.view.return_value, mesos.tasks.return_value
    mesos.view.return_value, mesos.tasks.return_value = replace(connected, connected=False), {}

    def subscribed(*_: object) -> Any:
        mesos.view.return_value, mesos.found.return_value = connected, (record,)
        return tasks

    return watching, mesos, kubernetes, subscribed


def test_what_was_seen_before_a_subscription_is_no_ground_to_act_after_it() -> None:
    record, idle = serving(Strategy.HOST_PATH)
    watching, _, kubernetes, subscribed = beginning(record)
    kubernetes.damaged.side_effect = lambda _: tuple(subscribed())[:0]
    seen = watching.observe(KEY)
    assert not seen.mesos.connected, "it would begin new data beside the one that runs"
    assert plan(desired(spec(Strategy.HOST_PATH)), seen, (idle,), OPERATOR).actions == ()


def test_a_task_that_a_subscription_tells_of_meanwhile_is_seen_with_the_entry_that_it_carries() -> None:
    record, idle = serving(Strategy.HOST_PATH)
    watching, mesos, _, subscribed = beginning(record)
    mesos.view.return_value = observed().mesos
    mesos.tasks.side_effect = subscribed
    seen = watching.observe(KEY)
    assert (len(seen.tasks), seen.found) == (1, (record,))
    decided = plan(desired(spec(Strategy.HOST_PATH)), seen, (idle,), OPERATOR)
    assert [type(action) for action in decided.actions] == [SaveVolume], "it would be stopped as one that nobody needs"


@pytest.mark.parametrize("erase", [False, True])
def test_the_keeper_of_a_task_that_runs_is_listened_to_whatever_it_does(*, erase: bool) -> None:
    """One that is to empty a directory refuses as others do, and Mesos passes on no more than an exit status."""
    record, *_ = serving(Strategy.HOST_PATH)
    assert record.launch is not None
    record = replace(record, launch=replace(record.launch, erase=erase))
    looks, _, keepers = observer(record, running(record, None), None)
    looks.observe(KEY)
    keepers.watch.assert_called_once_with(KEY, record.task_id, record.launch)


@pytest.mark.parametrize("intent", list(Intent))
@pytest.mark.parametrize("state", [TaskState.RUNNING, TaskState.UNREACHABLE, TaskState.GONE_BY_OPERATOR])
def test_what_is_out_of_sight_and_to_be_removed_is_looked_for_no_more(intent: Intent, state: TaskState) -> None:
    record, _ = serving(Strategy.HOST_PATH)
    assert record.task_id is not None
    watching, mesos, _ = observer(replace(record, intent=intent), status(record.task_id, state), None)
    watching.observe(KEY)
    mesos.expect.assert_called_once()
    assert mesos.give_up.called is (intent is Intent.DELETE and state is not TaskState.RUNNING)
