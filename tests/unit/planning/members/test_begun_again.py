"""A database that is made again under the name of one that was deleted, while that one's data is on its way out."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, Action, ForgetVolume, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.observed import TaskState
from statefuldb.model.operations import LaunchTask
from statefuldb.model.spec import ReconcileMode, ReconcileSpec, Strategy
from statefuldb.model.volume import Ending, Intent, VolumeRecord
from statefuldb.planning.planner import plan
from unit.planning.members.test_strays import serving
from unit.planning.world import OPERATOR, desired, observed, offer, spec, tasks

OLD_UID = "99999999-2222-3333-4444-555555555555"
DIRECTORIES = pytest.mark.parametrize("strategy", [Strategy.HOST_PATH, Strategy.DFS])
MODES = pytest.mark.parametrize("mode", [ReconcileMode.APPLY, ReconcileMode.PLAN_ONLY])


def predecessor(strategy: Strategy, **changes: object) -> VolumeRecord:
    """Return the entry of the deleted database's member, stopped."""
    record = serving(strategy)
    old = replace(
        record,
        name="orders-0-99999999",
        owner_uid=OLD_UID,
        identity=replace(record.identity, uid=OLD_UID),
        intent=Intent.DELETE,
        ending=Ending(incarnation=1, state=TaskState.KILLED),
    )
    return replace(old, **changes)  # type: ignore[arg-type]


def launched(actions: tuple[Action, ...]) -> dict[str, LaunchTask]:
    """Return the tasks that actions launch, by the mode of their keepers."""
    accepted = [action for action in actions if isinstance(action, AcceptOffers)]
    return {o.keeper.mode: o for a in accepted for o in a.operations if isinstance(o, LaunchTask)}


@DIRECTORIES
def test_its_data_lies_beside_that_which_is_being_removed(strategy: Strategy) -> None:
    old = predecessor(strategy)
    seen = observed(volumes=(old,))
    tasks = launched(plan(desired(spec(strategy)), seen, (offer(),), OPERATOR).actions)
    assert tasks["Erase"].keeper.data.directory == old.directory
    assert not tasks["Serve"].keeper.data.directory.startswith(str(old.directory))
    assert tasks["Serve"].keeper.data.root == tasks["Erase"].keeper.data.root


@DIRECTORIES
def test_an_unfinished_beginning_that_is_kept_is_not_in_its_way(strategy: Strategy) -> None:
    old = predecessor(strategy, intent=Intent.RETAIN, initialised=False)
    tasks = launched(plan(desired(spec(strategy)), observed(volumes=(old,)), (offer(),), OPERATOR).actions)
    assert tasks["Serve"].keeper.data.directory != old.directory


@DIRECTORIES
def test_where_it_was_begun_it_stays_once_the_old_data_is_gone(strategy: Strategy) -> None:
    decided = plan(desired(spec(strategy)), observed(volumes=(predecessor(strategy),)), (offer(),), OPERATOR)
    (mine,) = [a.volume for a in decided.actions if isinstance(a, SaveVolume) and a.volume.intent is Intent.USE]
    failed = replace(mine, ending=Ending(incarnation=1, state=TaskState.FAILED))
    again = launched(plan(desired(spec(strategy)), observed(volumes=(failed,)), (offer(),), OPERATOR).actions)
    assert again["Serve"].keeper.data.directory == mine.directory


def test_what_was_begun_on_a_host_stays_where_it_is_whatever_lies_on_another() -> None:
    """Simulator, seed 740052 with restores: after a restore what was begun went on beside what it had written.

    An entry that people had adopted meanwhile, of another agent, had the same path.
    """
    old = predecessor(Strategy.HOST_PATH, intent=Intent.RETAIN)
    assert old.agent is not None
    away = replace(old, agent=replace(old.agent, id="other", hostname="other"))
    mine = serving(Strategy.HOST_PATH)
    begun = replace(mine, initialised=False, ending=Ending(incarnation=1, state=TaskState.GONE))
    seen = observed(volumes=(away, begun))
    again = launched(plan(desired(spec(Strategy.HOST_PATH)), seen, (offer(),), OPERATOR).actions)
    assert again["Serve"].keeper.data.directory == mine.directory == away.directory
    # Hosts may share what they call local: a first attempt keeps away from it.
    going = observed(volumes=(replace(away, intent=Intent.DELETE),))
    first = launched(plan(desired(spec(Strategy.HOST_PATH)), going, (offer(),), OPERATOR).actions)
    assert first["Serve"].keeper.data.directory != away.directory


@DIRECTORIES
@MODES
def test_what_was_deleted_on_request_is_removed_without_being_asked_for_again(
    strategy: Strategy, mode: ReconcileMode
) -> None:
    wanted = desired(spec(strategy, reconcile=ReconcileSpec(mode=mode)))
    decided = plan(wanted, observed(volumes=(predecessor(strategy),)), (offer(),), OPERATOR)
    assert "Erase" in launched(decided.actions)
    assert not launched(decided.held_back).get("Erase")
    assert decided.approval is None or not any("remove" in a.description for a in decided.approval.actions)


@DIRECTORIES
def test_the_removal_goes_on_while_a_plan_waits_and_does_not_make_that_stale(strategy: Strategy) -> None:
    wanted = desired(spec(strategy, reconcile=ReconcileSpec(mode=ReconcileMode.PLAN_ONLY)))
    hashes = set()
    for old in (predecessor(strategy), predecessor(strategy, incarnation=2)):
        approval = plan(wanted, observed(volumes=(old,)), (offer(),), OPERATOR).approval
        assert approval is not None
        hashes.add(approval.hash)
    assert len(hashes) == 1


def test_an_entry_of_which_nothing_was_ever_made_is_released() -> None:
    # The ACCEPT met an offer that had gone: what is recorded as reserved never was.
    dropped = predecessor(
        Strategy.PERSISTENT_VOLUME,
        initialised=False,
        ending=Ending(incarnation=1, state=TaskState.DROPPED),
    )
    empty = observed(database=None, volumes=(dropped,))
    (looked,) = plan(None, empty, (offer(),), OPERATOR).actions
    assert isinstance(looked, SaveVolume)
    same_offer = observed(database=None, volumes=(looked.volume,))
    (wait,) = plan(None, same_offer, (offer(),), OPERATOR).waiting
    assert wait.reason is Reason.RELEASING
    later = (replace(offer(), received_at_seconds=2_000.0),)
    assert any(isinstance(action, ForgetVolume) for action in plan(None, same_offer, later, OPERATOR).actions)


@DIRECTORIES
def test_a_removal_is_tried_again_though_the_clock_was_set_back(strategy: Strategy) -> None:
    (saved, _) = plan(None, observed(database=None, volumes=(predecessor(strategy),)), (offer(),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    ending = Ending(incarnation=saved.volume.incarnation, state=TaskState.FAILED, at_seconds=1_000_000_000.0)
    failed = replace(saved.volume, ending=ending, failures=3)
    assert launched(plan(None, observed(database=None, volumes=(failed,)), (offer(),), OPERATOR).actions)


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("state", [TaskState.RUNNING, TaskState.KILLED])
def test_an_entry_that_was_marked_by_hand_under_its_database_is_not_acted_on(
    strategy: Strategy, state: TaskState
) -> None:
    marked = replace(serving(strategy), intent=Intent.DELETE)
    ended = Ending(incarnation=1, state=state) if state.over else None
    seen = observed(volumes=(replace(marked, ending=ended),), tasks=tasks(marked, state))
    decided = plan(desired(spec(strategy)), seen, (offer(),), OPERATOR)
    assert not decided.actions
    assert [wait.reason for wait in decided.waiting] == [Reason.DELETION_PROTECTED]
    assert "back to Use" in decided.waiting[0].fix
