"""What takes a restart of a member, and what it is launched again with."""

from dataclasses import replace

from statefuldb.model.actions import (
    AcceptOffers,
    KillTask,
    SaveVolume,
)
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.observed import TaskState
from statefuldb.model.operations import Reserve, Unreserve
from statefuldb.model.spec import (
    ReconcileMode,
    ReconcileSpec,
    ResourcesSpec,
    RiskClass,
    Strategy,
)
from statefuldb.model.volume import Ending, VolumePhase
from statefuldb.planning.members.template import template_of
from statefuldb.planning.planner import plan
from unit.planning.test_planner import condition, launch, serving
from unit.planning.world import (
    MIB,
    OPERATOR,
    database,
    desired,
    keeper,
    observed,
    offer,
    remaining,
    secret,
    spec,
    tasks,
)


def test_more_memory_restarts_and_says_so() -> None:
    record = serving()
    larger = spec(resources=ResourcesSpec(cpus_milli=500, memory_bytes=1024 * MIB))
    seen = observed(volumes=(record,), tasks=tasks(record, TaskState.RUNNING))
    decided = plan(desired(larger), seen, (offer(),), OPERATOR)
    (kill,) = decided.actions
    assert isinstance(kill, KillTask)
    assert "memory" in kill.why
    killing = observed(volumes=(record,), tasks=tasks(record, TaskState.KILLING))
    assert not plan(desired(larger), killing, (), OPERATOR).actions


def test_a_larger_member_reserves_the_difference_in_its_relaunch() -> None:
    record, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    record = replace(record, initialised=True, ending=Ending(incarnation=1, state="TASK_KILLED", at_seconds=0))
    idle = remaining(offer(), accepted, launched=False)
    larger = spec(resources=ResourcesSpec(cpus_milli=1500, memory_bytes=512 * MIB))
    decided = plan(desired(larger), observed(volumes=(record,)), (idle,), OPERATOR)
    second = decided.actions[1]
    assert isinstance(second, AcceptOffers)
    reserve = second.operations[0]
    assert isinstance(reserve, Reserve)
    assert [(r.name, r.amount_milli) for r in reserve.resources] == [("cpus", 1000)]
    remaining(idle, second, launched=True)


def test_a_smaller_member_gives_back_the_rest_only_once_it_runs() -> None:
    record, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    record = replace(record, initialised=True, ending=Ending(incarnation=1, state="TASK_KILLED", at_seconds=0))
    idle = remaining(offer(), accepted, launched=False)
    smaller = spec(resources=ResourcesSpec(cpus_milli=200, memory_bytes=512 * MIB))
    decided = plan(desired(smaller), observed(volumes=(record,)), (idle,), OPERATOR)
    saved, second = decided.actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(second, AcceptOffers)
    assert not any(isinstance(o, Unreserve) for o in second.operations)
    record = replace(saved.volume, phase=VolumePhase.IN_USE, token=1)
    left = remaining(idle, second, launched=True)
    seen = observed(
        volumes=(record,),
        tasks=tasks(record, TaskState.RUNNING),
        keepers=keeper(record),
        secret=secret(record),
    )
    waiting = plan(desired(smaller), seen, (), OPERATOR)
    assert waiting.wants_offers
    assert condition(waiting, ConditionType.READY)[0] == "True"
    _, trimmed = plan(desired(smaller), seen, (left,), OPERATOR).actions
    assert isinstance(trimmed, AcceptOffers)
    (unreserve,) = trimmed.operations
    assert isinstance(unreserve, Unreserve)
    assert [(r.name, r.amount_milli) for r in unreserve.resources] == [("cpus", 300)]


def test_an_edit_is_tried_at_once_however_often_what_was_there_before_failed() -> None:
    ended = Ending(incarnation=1, state="TASK_FAILED", at_seconds=999.0)
    record = replace(serving(Strategy.DFS), failures=9, ending=ended)
    edited = replace(spec(Strategy.DFS), engine=replace(spec().engine, config={"max_connections": "50"}))
    decided = plan(desired(edited), observed(volumes=(record,)), (offer(),), OPERATOR)
    assert [type(action) for action in decided.actions] == [SaveVolume, AcceptOffers]
    assert record.launch is not None
    as_before = replace(record, launch=replace(record.launch, short=True))
    decided = plan(desired(edited), observed(volumes=(as_before,)), (offer(),), OPERATOR)
    assert [wait.reason for wait in decided.waiting] == [Reason.BACK_OFF]


def test_what_was_launched_before_restarts_could_be_asked_for_is_not_restarted() -> None:
    # The digest as version 0.1.0 before the annotation wrote it into the ledger of running databases.
    assert template_of(spec(), "") == "146a2ebb0df841dd"


def test_a_request_restarts_once_and_taking_it_back_does_nothing() -> None:
    record = serving()
    asked = database(restarted_at="2026-01-01T00:00:00Z")
    running = {"volumes": (record,), "tasks": tasks(record, TaskState.RUNNING), "keepers": keeper(record)}
    (kill,) = plan(desired(spec()), observed(database=asked, **running), (), OPERATOR).actions
    assert isinstance(kill, KillTask)
    assert kill.risk is RiskClass.RESTART
    assert kill.why == "restart orders-0: asked for at 2026-01-01T00:00:00Z"
    ended = replace(record, ending=Ending(incarnation=1, state="TASK_KILLED"))
    _, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    idle = remaining(offer(), accepted, launched=False)
    again = plan(desired(spec()), observed(database=asked, volumes=(ended,)), (idle,), OPERATOR)
    saved = again.actions[0]
    assert isinstance(saved, SaveVolume)
    relaunched = saved.volume
    for after in (asked, database()):
        running = {"volumes": (relaunched,), "tasks": tasks(relaunched, TaskState.RUNNING)}
        decided = plan(desired(spec()), observed(database=after, **running), (), OPERATOR)
        assert not [a for a in decided.actions if isinstance(a, KillTask)]


def test_a_restart_that_was_asked_for_is_held_back_like_any_other() -> None:
    record = serving()
    asked = database(restarted_at="2026-01-01T00:00:00Z")
    world = observed(database=asked, volumes=(record,), tasks=tasks(record, TaskState.RUNNING), keepers=keeper(record))
    for mode in (
        ReconcileSpec(mode=ReconcileMode.PLAN_ONLY),
        ReconcileSpec(auto_approve=frozenset({RiskClass.NON_DISRUPTIVE})),
    ):
        decided = plan(desired(spec(reconcile=mode)), world, (), OPERATOR)
        assert not [a for a in decided.actions if isinstance(a, KillTask)]
        assert [type(a) for a in decided.held_back] == [KillTask]


def test_an_edit_and_a_request_are_one_restart_that_names_both() -> None:
    record = serving()
    asked = database(restarted_at="now")
    world = observed(database=asked, volumes=(record,), tasks=tasks(record, TaskState.RUNNING))
    wanted = spec(engine=replace(spec().engine, config={"max_connections": "9"}))
    (kill,) = plan(desired(wanted), world, (), OPERATOR).actions
    assert isinstance(kill, KillTask)
    assert kill.why == "restart orders-0: changed engine configuration, asked for at now"
