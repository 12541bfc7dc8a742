"""The life of one member, as the planner decides it."""

from dataclasses import replace
from typing import Any

import pytest

from statefuldb.model.actions import (
    AcceptOffers,
    AddFinalizer,
    EnsureSecret,
    KillTask,
    SaveVolume,
    SendCredentials,
)
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.observed import TaskState
from statefuldb.model.operations import Create, LaunchTask, Reserve
from statefuldb.model.plan import Plan
from statefuldb.model.spec import (
    ReconcileMode,
    ReconcileSpec,
    Strategy,
)
from statefuldb.model.volume import Ending, VolumePhase, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from unit.planning.world import (
    CLUSTER,
    OPERATOR,
    UID,
    database,
    desired,
    keeper,
    observed,
    offer,
    remaining,
    secret,
    spec,
    storage,
    tasks,
)

EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))


def launch(strategy: Strategy) -> tuple[VolumeRecord, AcceptOffers, Plan]:
    decided = plan(desired(spec(strategy)), observed(), (offer(),), OPERATOR)
    saved, accepted = decided.actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    return saved.volume, accepted, decided


def serving(strategy: Strategy = Strategy.PERSISTENT_VOLUME) -> VolumeRecord:
    record, _, _ = launch(strategy)
    return replace(record, initialised=True, token=1, phase=VolumePhase.IN_USE)


def condition(decided: Plan, wanted: ConditionType) -> tuple[str, Reason]:
    found = next(c for c in decided.conditions if c.type is wanted)
    return found.status_text, found.reason


def test_the_finalizer_comes_before_anything_else() -> None:
    decided = plan(desired(spec()), observed(database=database(finalizers=())), (offer(),), OPERATOR)
    assert [type(a) for a in decided.actions] == [AddFinalizer]


def test_a_persistent_volume_is_reserved_created_and_launched_in_one_accept() -> None:
    record, accepted, decided = launch(Strategy.PERSISTENT_VOLUME)
    assert [type(o) for o in accepted.operations] == [Reserve, Create, LaunchTask]
    assert record.incarnation == 1
    assert record.persistence_id == f"sdb.{CLUSTER}.{UID}.0.1"
    assert not violations(decided, observed(), CLUSTER)
    remaining(offer(), accepted, launched=True)


def test_dfs_reserves_nothing() -> None:
    _, accepted, _ = launch(Strategy.DFS)
    assert [type(o) for o in accepted.operations] == [LaunchTask]


def test_host_path_reserves_compute_but_no_disk() -> None:
    _, accepted, _ = launch(Strategy.HOST_PATH)
    reserve = accepted.operations[0]
    assert isinstance(reserve, Reserve)
    assert {r.name for r in reserve.resources} == {"cpus", "mem", "ports"}


def test_an_offer_that_is_too_small_is_counted_and_said() -> None:
    decided = plan(desired(spec()), observed(), (offer(cpus=0.1), offer("b", mem_mib=8)), OPERATOR)
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.reason is Reason.NO_SUITABLE_OFFER
    assert wait.refusals == {"cpus": 1, "mem": 1}
    assert decided.wants_offers


@EVERY_STRATEGY
def test_a_recorded_launch_without_an_answer_is_never_repeated(strategy: Strategy) -> None:
    record, _, _ = launch(strategy)
    decided = plan(desired(spec(strategy)), observed(volumes=(record,)), (offer(),), OPERATOR)
    assert not decided.actions
    assert decided.waiting[0].reason is Reason.LAUNCHING
    for seconds in (3_600.0, -3_600.0):  # the clock may have been set back since
        later = observed(volumes=(record,), at_seconds=observed().at_seconds + seconds)
        assert plan(desired(spec(strategy)), later, (), OPERATOR).waiting[0].reason is Reason.AWAITING_RECONCILIATION


@EVERY_STRATEGY
@pytest.mark.parametrize(
    "state", [TaskState.UNREACHABLE, TaskState.LOST, TaskState.UNKNOWN, TaskState.GONE_BY_OPERATOR]
)
def test_one_writer_an_undecided_task_permits_no_successor(strategy: Strategy, state: TaskState) -> None:
    record = serving(strategy)
    seen = observed(volumes=(record,), tasks=tasks(record, state))
    decided = plan(desired(spec(strategy)), seen, (offer(), offer("agent-2")), OPERATOR)
    assert not decided.actions
    expected = Reason.VOLUME_LOST if state is TaskState.GONE_BY_OPERATOR else Reason.AGENT_LOST
    expected = Reason.FENCING_REQUIRED if strategy is Strategy.DFS else expected
    assert decided.waiting[0].reason is expected


def test_a_confirmed_fence_of_this_incarnation_lets_dfs_move() -> None:
    from statefuldb.model.volume import Fencing

    record = serving(Strategy.DFS)
    for incarnation, moves in ((record.incarnation, True), (record.incarnation - 1, False)):
        fenced = replace(record, fencing=Fencing(incarnation=incarnation, by="ops"))
        seen = observed(volumes=(fenced,), tasks=tasks(fenced, TaskState.UNREACHABLE))
        decided = plan(desired(spec(Strategy.DFS)), seen, (offer("agent-2"),), OPERATOR)
        assert bool(decided.actions) is moves


@EVERY_STRATEGY
def test_an_end_is_recorded_before_the_relaunch(strategy: Strategy) -> None:
    record = serving(strategy)
    seen = observed(volumes=(record,), tasks=tasks(record, TaskState.FAILED))
    decided = plan(desired(spec(strategy)), seen, (offer(),), OPERATOR)
    (saved,) = decided.actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.ending is not None
    assert saved.volume.ending.state == "TASK_FAILED"
    assert saved.volume.failures == 1


def test_a_relaunch_takes_the_same_volume_and_reserves_nothing() -> None:
    record, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    record = replace(record, initialised=True, ending=Ending(incarnation=1, state="TASK_FAILED", at_seconds=0))
    again = remaining(offer(), accepted, launched=False)
    decided = plan(desired(spec()), observed(volumes=(record,)), (again,), OPERATOR)
    saved, second = decided.actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(second, AcceptOffers)
    assert saved.volume.incarnation == 2
    assert [type(o) for o in second.operations] == [LaunchTask]
    assert saved.volume.launch is not None
    assert record.launch is not None
    assert saved.volume.launch.port == record.launch.port


def test_initialised_data_is_never_replaced_by_a_new_volume() -> None:
    record = replace(serving(), ending=Ending(incarnation=1, state="TASK_FAILED", at_seconds=0))
    decided = plan(desired(spec()), observed(volumes=(record,)), (offer(),), OPERATOR)
    assert not decided.actions
    assert decided.waiting[0].reason is Reason.AWAITING_VOLUME_OFFER


def test_a_reserve_without_create_is_completed_not_doubled() -> None:
    record, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    only_reserved = replace(accepted, operations=accepted.operations[:1])
    half = remaining(offer(), only_reserved, launched=False)
    record = replace(record, ending=Ending(incarnation=1, state="TASK_ERROR", at_seconds=0))
    decided = plan(desired(spec()), observed(volumes=(record,)), (half,), OPERATOR)
    second = decided.actions[1]
    assert isinstance(second, AcceptOffers)
    assert [type(o) for o in second.operations] == [Create, LaunchTask]
    remaining(half, second, launched=True)


def test_ready_only_when_the_engine_answers_and_the_account_is_set() -> None:
    record = serving()
    running = tasks(record, TaskState.RUNNING)
    seen = observed(volumes=(record,), tasks=running, keepers=keeper(record))
    first = plan(desired(spec()), seen, (), OPERATOR)
    assert [type(a) for a in first.actions] == [SaveVolume, EnsureSecret]
    seen = replace(seen, secret=secret(record), keepers=keeper(record, credentials_revision=""))
    second = plan(desired(spec()), seen, (), OPERATOR)
    assert [type(a) for a in second.actions] == [SendCredentials]
    assert condition(second, ConditionType.READY)[0] == "False"
    seen = replace(seen, keepers=keeper(record))
    third = plan(desired(spec()), seen, (), OPERATOR)
    assert not third.actions
    assert condition(third, ConditionType.READY) == ("True", Reason.ALL_MEMBERS_READY)
    assert not third.wants_offers


@pytest.mark.parametrize("edited", [{"username": "root"}, {"database": ""}, {"port": "3306"}, {"coherent": False}])
def test_a_secret_that_somebody_edited_is_put_right_before_its_account_is_set(edited: dict[str, Any]) -> None:
    record = serving()
    held = replace(secret(record), revision="8", **edited)
    seen = observed(volumes=(record,), tasks=tasks(record, TaskState.RUNNING), keepers=keeper(record), secret=held)
    confirmed, ensured = plan(desired(spec()), seen, (), OPERATOR).actions
    assert isinstance(ensured, EnsureSecret)
    assert ensured.revision == "8", "no Secret is touched but the one that was seen"
    assert isinstance(confirmed, SaveVolume)
    assert confirmed.volume == record, "an operator that the ledger has left behind does not know the address"


def test_zero_replicas_stop_and_keep_the_data() -> None:
    record = serving()
    seen = observed(volumes=(record,), tasks=tasks(record, TaskState.RUNNING))
    decided = plan(desired(spec(replicas=0)), seen, (), OPERATOR)
    assert [type(a) for a in decided.actions] == [KillTask]
    ended = replace(record, ending=Ending(incarnation=1, state="TASK_KILLED"))
    rest = plan(desired(spec(replicas=0)), observed(volumes=(ended,)), (offer(),), OPERATOR)
    assert not rest.actions
    assert condition(rest, ConditionType.READY)[1] is Reason.STOPPED_AS_ASKED


def test_a_replaced_incarnation_that_comes_back_is_killed_at_once() -> None:
    first = serving(Strategy.DFS)
    assert first.launch is not None
    second = replace(first, incarnation=2, launch=replace(first.launch, incarnation=2), token=2)
    seen = observed(
        volumes=(second,),
        tasks={**tasks(first, TaskState.RUNNING), **tasks(second, TaskState.RUNNING)},
        keepers=keeper(second),
    )
    (kill,) = plan(desired(spec(Strategy.DFS)), seen, (), OPERATOR).actions
    assert isinstance(kill, KillTask)
    assert kill.task_id.incarnation == 1


def test_repeated_failures_back_off() -> None:
    record = replace(
        serving(Strategy.DFS),
        failures=4,
        ending=Ending(incarnation=1, state="TASK_FAILED", at_seconds=999.0),
    )
    decided = plan(desired(spec(Strategy.DFS)), observed(volumes=(record,)), (offer(),), OPERATOR)
    assert not decided.actions
    assert decided.waiting[0].reason is Reason.BACK_OFF
    assert decided.look_again_after_seconds == pytest.approx(7.0)


def test_what_the_keeper_refuses_again_and_again_needs_a_person_all_the_time() -> None:
    record = serving()
    assert record.launch is not None
    refused = replace(
        record,
        failures=4,
        launch=replace(record.launch, refusal="no identity marker"),
        ending=Ending(incarnation=1, state="TASK_FAILED", at_seconds=999.0),
    )
    decided = plan(desired(spec()), observed(volumes=(refused,)), (offer(),), OPERATOR)
    assert not decided.actions
    assert condition(decided, ConditionType.READY) == ("False", Reason.KEEPER_REFUSED)
    assert condition(decided, ConditionType.STALLED) == ("True", Reason.KEEPER_REFUSED)
    assert "no identity marker" in decided.waiting[0].message
    assert decided.look_again_after_seconds == pytest.approx(7.0)


def test_plan_only_holds_everything_until_its_hash_is_approved() -> None:
    mode = ReconcileSpec(mode=ReconcileMode.PLAN_ONLY)
    held = plan(desired(spec(reconcile=mode)), observed(), (offer(),), OPERATOR)
    assert not held.actions
    wait = next(w for w in held.waiting if w.reason is Reason.APPROVAL_REQUIRED)
    approved = wait.fix.split()[3]
    for text, released in ((approved, True), ("0" * 12, False)):
        mode = replace(mode, approved_plan=text)
        decided = plan(desired(spec(reconcile=mode)), observed(), (offer(),), OPERATOR)
        assert bool(decided.actions) is released


def test_the_same_inputs_give_the_same_plan() -> None:
    first = plan(desired(spec()), observed(), (offer(), offer("b")), OPERATOR)
    assert first == plan(desired(spec()), observed(), (offer("b"), offer()), OPERATOR)


def test_every_strategy_has_its_storage() -> None:
    assert all(storage(s).strategy is s for s in Strategy)


def test_an_ordinal_that_somebody_wrote_into_the_ledger_is_not_counted_up_to() -> None:
    record = serving()
    # The largest that an entry may have.
    far = replace(record, name="far", identity=replace(record.identity, ordinal=65_535))
    decided = plan(desired(spec()), observed(volumes=(record, far)), (), OPERATOR)
    assert {report.ordinal for report in decided.members} == {0, 65_535}
