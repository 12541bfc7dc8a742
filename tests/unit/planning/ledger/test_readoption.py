"""How data is found again: retained of that name, or held in Mesos without an entry."""

from dataclasses import replace

from statefuldb.model.actions import (
    SaveVolume,
)
from statefuldb.model.conditions import Reason
from statefuldb.model.identity import volume_record_name
from statefuldb.model.observed import TaskState
from statefuldb.model.spec import (
    Strategy,
)
from statefuldb.model.volume import Ending, Intent, VolumePhase, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from unit.planning.test_planner import launch, serving
from unit.planning.world import (
    CLUSTER,
    OPERATOR,
    UID,
    database,
    desired,
    observed,
    offer,
    remaining,
    spec,
    status,
)

EARLIER, LATER = (f"{digit * 8}-2222-3333-4444-555555555555" for digit in "78")


def test_retained_data_is_taken_up_again_by_the_same_name() -> None:
    old = replace(
        serving(),
        owner_uid="old",
        intent=Intent.RETAIN,
        phase=VolumePhase.RETAINED,
        ending=Ending(incarnation=1, state="TASK_KILLED"),
    )
    decided = plan(desired(spec()), observed(volumes=(old,)), (offer(),), OPERATOR)
    (saved,) = decided.actions
    assert isinstance(saved, SaveVolume)
    assert (saved.volume.owner_uid, saved.volume.intent) == (UID, Intent.USE)
    twice = (old, replace(old, name="other"))
    waits = plan(desired(spec()), observed(volumes=twice), (offer(),), OPERATOR)
    assert not waits.actions
    assert waits.waiting[0].reason is Reason.AMBIGUOUS_RETAINED_VOLUMES


def test_a_volume_found_in_mesos_gets_its_entry_back_and_is_not_built_beside() -> None:
    _, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    idle = remaining(offer(), accepted, launched=False)
    decided = plan(None, observed(database=None), (idle,), OPERATOR)
    (saved,) = decided.actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.intent is Intent.RETAIN
    assert saved.volume.initialised
    # What one that is not subscribed any more still holds may have been given back since by the operator that is.
    deposed = replace(observed().mesos, connected=False, fatal=True, error="Framework failed over")
    assert not plan(None, observed(database=None, mesos=deposed), (idle,), OPERATOR).actions


def test_data_of_this_name_that_mesos_still_holds_is_found_before_new_data_is_begun() -> None:
    _, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    held = remaining(offer(), accepted, launched=False)
    elsewhere = replace(offer(), agent_id="other", hostname="other")
    decided = plan(desired(spec()), observed(reserved=(held,)), (elsewhere,), OPERATOR)
    (saved,) = decided.actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.intent is Intent.RETAIN
    blind = plan(desired(spec()), observed(reserved=None), (elsewhere,), OPERATOR)
    assert not blind.actions
    assert blind.waiting[0].reason is Reason.MESOS_DISCONNECTED


def test_no_empty_resurrection_a_plan_that_begins_beside_unknown_data_of_the_same_name_is_refused() -> None:
    _, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    held = remaining(offer(), accepted, launched=False)
    anew = replace(database(), uid="99999999-2222-3333-4444-555555555555")
    begun = plan(desired(spec()), observed(database=anew), (offer("agent-2"),), OPERATOR)
    assert not violations(begun, observed(database=anew), CLUSTER)
    broken = violations(begun, observed(database=anew, reserved=(held,)), CLUSTER)
    assert {v.law for v in broken} == {"no_empty_resurrection"}


def test_a_task_that_mesos_has_not_answered_for_is_not_taken_for_idle_data() -> None:
    record, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    held = remaining(offer(), accepted, launched=False)
    elsewhere = replace(offer(), agent_id="other", hostname="other")
    decided = plan(desired(spec()), observed(reserved=(held,), found=(record,)), (elsewhere,), OPERATOR)
    assert not decided.actions
    assert [wait.reason for wait in decided.waiting] == [Reason.AWAITING_RECONCILIATION]


def of_a_life(record: VolumeRecord, uid: str) -> VolumeRecord:
    """Return an entry as the deletion of an earlier database of this name leaves it, once its server has ended."""
    over = Ending(incarnation=record.incarnation, state=TaskState.FINISHED, at_seconds=10.0)
    return replace(
        record,
        name=volume_record_name(record.key.name, record.identity.ordinal, uid),
        owner_uid=uid,
        identity=replace(record.identity, uid=uid),
        intent=Intent.RETAIN,
        initialised=True,
        ending=over,
        phase=VolumePhase.RETAINED,
    )


def test_data_of_an_earlier_life_is_not_taken_up_beside_what_runs_of_a_later_one() -> None:
    """Simulator, seed 35421: the API out of a backup knew the first life only, the second one ran."""
    record, _, _ = launch(Strategy.DFS)
    earlier, later = of_a_life(record, EARLIER), of_a_life(record, LATER)
    seen = observed(volumes=(earlier,), found=(replace(later, ending=None),))
    decided = plan(desired(spec(Strategy.DFS)), seen, (), OPERATOR)
    assert not decided.actions
    assert [wait.reason for wait in decided.waiting] == [Reason.AWAITING_RECONCILIATION]
    (saved,) = plan(desired(spec(Strategy.DFS)), observed(volumes=(earlier,)), (), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.intent is Intent.USE


def test_data_of_an_earlier_life_is_not_taken_up_beside_reservations_of_a_later_one() -> None:
    record, accepted, _ = launch(Strategy.HOST_PATH)
    seen = observed(volumes=(of_a_life(record, EARLIER),), reserved=(remaining(offer(), accepted, launched=False),))
    decided = plan(desired(spec(Strategy.HOST_PATH)), seen, (), OPERATOR)
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.reason is Reason.VOLUME_MISSING
    assert record.name in wait.message


def test_data_of_an_earlier_life_is_not_taken_up_before_mesos_tells_of_later_ones() -> None:
    """Simulator, seed 57284: after a restore it was taken up in the second before the subscription, and was gone."""
    record, _, _ = launch(Strategy.HOST_PATH)
    earlier, away = of_a_life(record, EARLIER), replace(observed().mesos, connected=False)
    decided = plan(desired(spec(Strategy.HOST_PATH)), observed(volumes=(earlier,), mesos=away), (), OPERATOR)
    assert not decided.actions
    assert [wait.reason for wait in decided.waiting] == [Reason.MESOS_DISCONNECTED]


def test_nothing_is_begun_beside_a_later_life_that_mesos_lists_and_has_not_answered_for() -> None:
    """Simulator, seed 65160: the ledger was restored to a first attempt of an earlier life; a later one's task ran."""
    record, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    tried = replace(record, ending=Ending(incarnation=1, state=TaskState.DROPPED, at_seconds=900.0))
    later = of_a_life(record, LATER)
    seen = observed(volumes=(tried,), found=(later,), reserved=(remaining(offer("agent-2"), accepted, launched=False),))
    decided = plan(desired(spec()), seen, (offer(),), OPERATOR)
    assert not decided.actions
    assert [wait.reason for wait in decided.waiting] == [Reason.AWAITING_RECONCILIATION]
    assert decided.look_again_after_seconds is not None
    assert later.task_id is not None
    answered = replace(seen, tasks={later.task_id: status(later.task_id, TaskState.GONE)})
    assert plan(desired(spec()), answered, (offer(),), OPERATOR).actions
