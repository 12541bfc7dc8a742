"""A ledger that fell back (a backup of the API): Mesos tells of incarnations that are later than the entry's."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, FenceAgent, KillTask, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import Observed, TaskState, TaskStatus
from statefuldb.model.operations import LaunchTask
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import AgentRef, Ending, Fencing, Intent, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from unit.planning.members.test_fencing import FENCING, REATTACH
from unit.planning.world import CLUSTER, OPERATOR, UID, database, desired, observed, offer, serving_on, spec

LATER = TaskId(uid=UID, ordinal=0, incarnation=3)
EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))
EVERY_UNDECIDED = pytest.mark.parametrize("state", [TaskState.UNREACHABLE, TaskState.LOST, TaskState.UNKNOWN])


def launched(decided: Plan) -> list[LaunchTask]:
    return [
        o for a in decided.actions if isinstance(a, AcceptOffers) for o in a.operations if isinstance(o, LaunchTask)
    ]


def fallen_back(strategy: Strategy, incarnation: int = 1) -> tuple[VolumeRecord, AgentOffer]:
    """Return an entry that says that an early incarnation is over, and what its agent would offer."""
    record, _, idle = serving_on(strategy)
    assert record.launch is not None
    old = replace(
        record,
        incarnation=incarnation,
        launch=replace(record.launch, incarnation=incarnation),
        ending=Ending(incarnation=incarnation, state=TaskState.KILLED, at_seconds=10.0),
    )
    return old, idle


def carried(record: VolumeRecord) -> VolumeRecord:
    """Return the entry that the later task carries in its label: it was launched on another agent."""
    assert record.launch is not None
    agent = AgentRef(id="id-of-agent-9", hostname="agent-9", address="10.0.0.9")
    moved = replace(record.launch, incarnation=3, agent=agent)
    return replace(record, incarnation=3, launch=moved, agent=agent, ending=None)


def sight(record: VolumeRecord, state: TaskState, **changes: object) -> Observed:
    said = TaskStatus(id=LATER, state=state, agent_id="id-of-agent-9", seen_at_seconds=600.0)
    return observed(volumes=(record,), tasks={LATER: said}, **changes)


@EVERY_STRATEGY
@pytest.mark.parametrize("incarnation", [1, 2])
def test_no_incarnation_is_launched_under_a_number_that_was_used(strategy: Strategy, incarnation: int) -> None:
    record, idle = fallen_back(strategy, incarnation)
    seen = sight(record, TaskState.KILLED)
    decided = plan(desired(spec(strategy)), seen, (idle,), OPERATOR)
    assert [task.task_id.incarnation for task in launched(decided)] == [4]
    assert not violations(decided, seen, CLUSTER)


@EVERY_STRATEGY
@EVERY_UNDECIDED
def test_a_later_incarnation_that_may_be_writing_is_followed_and_nothing_launched(
    strategy: Strategy, state: TaskState
) -> None:
    record, _ = fallen_back(strategy)
    seen = sight(record, state, found=(carried(record),))
    decided = plan(desired(spec(strategy)), seen, (offer("agent-2"),), OPERATOR)
    (saved,) = decided.actions
    assert isinstance(saved, SaveVolume)
    assert not violations(decided, seen, CLUSTER)
    known = saved.volume
    assert known.task_id == LATER
    assert not known.ended
    assert known.launch == carried(record).launch
    again = replace(seen, volumes=(known,))
    waits = plan(desired(spec(strategy)), again, (offer("agent-2"),), OPERATOR)
    assert not waits.actions
    assert waits.waiting[0].reason in (Reason.AGENT_LOST, Reason.FENCING_REQUIRED)


@EVERY_STRATEGY
def test_the_laws_permit_no_launch_beside_a_later_incarnation(strategy: Strategy) -> None:
    record, idle = fallen_back(strategy)
    decided = plan(desired(spec(strategy)), observed(volumes=(record,)), (idle,), OPERATOR)
    assert launched(decided)
    assert {v.law for v in violations(decided, sight(record, TaskState.UNREACHABLE), CLUSTER)} == {"one_writer"}


def test_a_later_incarnation_is_fenced_as_any_other() -> None:
    record, _ = fallen_back(Strategy.DFS)
    seen = sight(record, TaskState.UNREACHABLE, found=(carried(record),))
    (saved,) = plan(desired(REATTACH), seen, (), FENCING).actions
    assert isinstance(saved, SaveVolume)
    cut, written = plan(desired(REATTACH), replace(seen, volumes=(saved.volume,)), (), FENCING).actions
    assert isinstance(cut, FenceAgent)
    assert (cut.task_id, cut.agent.hostname) == (LATER, "agent-9")
    assert isinstance(written, SaveVolume)
    proved = replace(seen, volumes=(written.volume,))
    moved = plan(desired(REATTACH), proved, (offer("agent-2"),), FENCING)
    assert [task.task_id.incarnation for task in launched(moved)] == [4]
    assert not violations(moved, proved, CLUSTER)


def test_an_agent_of_which_only_the_id_is_known_is_cut_off_by_a_person() -> None:
    record, _ = fallen_back(Strategy.DFS)
    seen = sight(record, TaskState.UNREACHABLE)
    (saved,) = plan(desired(REATTACH), seen, (offer("agent-2"),), FENCING).actions
    assert isinstance(saved, SaveVolume)
    waits = plan(desired(REATTACH), replace(seen, volumes=(saved.volume,)), (offer("agent-2"),), FENCING)
    assert not waits.actions, "the fence command is told hosts and addresses"
    assert str(LATER) in waits.waiting[0].fix
    confirmed = replace(saved.volume, fencing=Fencing(incarnation=3, by="ops"))
    decided = plan(desired(REATTACH), replace(seen, volumes=(confirmed,)), (offer("agent-2"),), FENCING)
    assert [task.task_id.incarnation for task in launched(decided)] == [4]


@EVERY_STRATEGY
@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("replicas", [1, 0])
def test_a_later_incarnation_that_runs_and_carries_its_entry_runs_on(
    strategy: Strategy, ended: bool, replicas: int
) -> None:
    record, idle = fallen_back(strategy)
    record = record if ended else replace(record, ending=None)
    seen = sight(record, TaskState.RUNNING, found=(carried(record),))
    wanted = desired(spec(strategy, replicas=replicas))
    decided = plan(wanted, seen, (idle,), OPERATOR)
    (saved,) = decided.actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.launch == carried(record).launch
    assert not saved.volume.ended
    assert saved.volume.resource_version == record.resource_version, "one that is not the stored one is refused"
    assert not violations(decided, seen, CLUSTER)
    then = plan(wanted, replace(seen, volumes=(saved.volume,)), (), OPERATOR).actions
    assert any(isinstance(action, KillTask) for action in then) is (replicas == 0)


@EVERY_STRATEGY
@pytest.mark.parametrize("case", ["on other data", "removing data", "beside another"])
def test_a_later_incarnation_is_stopped_where_it_is_not_the_members_one_server(strategy: Strategy, case: str) -> None:
    record, idle = fallen_back(strategy)
    found = carried(record)
    launch = found.launch
    assert launch is not None
    if case == "on other data":
        found = replace(found, root="/elsewhere", persistence_id="sdb.other")
    if case == "removing data":
        found = replace(found, launch=replace(launch, erase=True))
    seen = sight(record, TaskState.RUNNING, found=(found,))
    if case == "beside another":
        other = TaskId(uid=UID, ordinal=0, incarnation=2)
        seen = replace(seen, tasks={**seen.tasks, other: replace(seen.tasks[LATER], id=other)})
    decided = plan(desired(spec(strategy)), seen, (idle,), OPERATOR)
    assert LATER in [action.task_id for action in decided.actions if isinstance(action, KillTask)]
    assert not violations(decided, seen, CLUSTER)


@EVERY_STRATEGY
@pytest.mark.parametrize("ended", [True, False])
def test_a_later_incarnation_that_runs_is_stopped_first(strategy: Strategy, ended: bool) -> None:
    record, idle = fallen_back(strategy)
    record = record if ended else replace(record, ending=None)
    seen = sight(record, TaskState.RUNNING)
    decided = plan(desired(spec(strategy)), seen, (idle,), OPERATOR)
    saved, kill = decided.actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume == record, "another operator may have launched it meanwhile: a stale entry is refused"
    assert isinstance(kill, KillTask)
    assert kill.task_id == LATER
    assert not violations(decided, seen, CLUSTER)
    assert {v.law for v in violations(replace(decided, actions=(kill,)), seen, CLUSTER)} == {"no_surprise_teardown"}
    killing = sight(record, TaskState.KILLING)
    said = {t: replace(s, seen_at_seconds=999.0) for t, s in killing.tasks.items()}
    waits = plan(desired(spec(strategy)), replace(killing, tasks=said), (idle,), OPERATOR)
    assert not waits.actions
    assert waits.waiting[0].reason is Reason.STOPPING


@EVERY_STRATEGY
def test_a_later_incarnation_that_mesos_has_yet_to_answer_for_is_waited_for(strategy: Strategy) -> None:
    record, idle = fallen_back(strategy)
    seen = observed(volumes=(record,), found=(carried(record),))
    decided = plan(desired(spec(strategy)), seen, (idle,), OPERATOR)
    assert not decided.actions
    assert decided.waiting[0].reason is Reason.AWAITING_RECONCILIATION
    assert decided.look_again_after_seconds is not None


@EVERY_UNDECIDED
def test_an_entry_of_before_there_was_data_learns_where_it_is_or_waits(state: TaskState) -> None:
    record, _ = fallen_back(Strategy.PERSISTENT_VOLUME)
    before = replace(record, initialised=False, persistence_id=f"sdb.{CLUSTER}.{UID}.0.0", token=0)
    later = replace(carried(record), persistence_id=f"sdb.{CLUSTER}.{UID}.0.2")
    (saved,) = plan(desired(spec()), sight(before, state, found=(later,)), (offer("agent-2"),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.initialised
    assert saved.volume.persistence_id == later.persistence_id
    unknown = plan(desired(spec()), sight(before, state), (offer("agent-2"),), OPERATOR)
    assert not unknown.actions
    assert unknown.waiting[0].reason is Reason.VOLUME_MISSING


@EVERY_STRATEGY
def test_what_the_ledger_decided_meanwhile_stands(strategy: Strategy) -> None:
    record, _ = fallen_back(strategy)
    retained = replace(record, intent=Intent.RETAIN, owner_uid="of one that is gone", token=7, resource_version="41")
    seen = sight(retained, TaskState.UNREACHABLE, found=(carried(record),), database=None)
    decided = plan(None, seen, (), OPERATOR)
    (saved,) = decided.actions
    assert isinstance(saved, SaveVolume)
    assert not violations(decided, seen, CLUSTER)
    known = saved.volume
    assert (known.intent, known.owner_uid, known.token, known.resource_version) == (
        Intent.RETAIN,
        "of one that is gone",
        7,
        "41",
    )


def test_a_member_that_is_begun_anew_is_behind_nothing() -> None:
    """Its last one was given up by name, with its entry; the agent that it was on never came back."""
    seen = replace(sight(fallen_back(Strategy.PERSISTENT_VOLUME)[0], TaskState.UNREACHABLE), volumes=(), reserved=())
    decided = plan(desired(spec()), seen, (offer("agent-2"),), OPERATOR)
    assert [task.task_id.incarnation for task in launched(decided)] == [4]
    assert not violations(decided, seen, CLUSTER)


@EVERY_STRATEGY
def test_after_a_restore_no_number_is_used_that_may_have_been_used_since_the_backup(strategy: Strategy) -> None:
    record, idle = fallen_back(strategy)
    restored = replace(OPERATOR, restored_at=1_700_000_000)
    decided = plan(desired(spec(strategy)), observed(volumes=(record,)), (idle,), restored)
    assert [str(task.task_id.incarnation) for task in launched(decided)] == ["1700000001"]
    later = replace(record, incarnation=1_700_000_001)
    (task,) = launched(plan(desired(spec(strategy)), observed(volumes=(later,)), (idle,), restored))
    assert task.task_id.incarnation == 1_700_000_002
    begun = plan(desired(spec(strategy)), observed(database=database(created_at_seconds=1.8e9)), (offer(),), restored)
    assert [task.task_id.incarnation for task in launched(begun)] == [1_700_000_001]


@EVERY_STRATEGY
def test_beside_what_runs_without_an_entry_nothing_is_begun_while_there_is_no_subscription(strategy: Strategy) -> None:
    """Simulator, seed 83 with restores: it was to be begun anew, and what runs to be stopped."""
    record, _, _ = serving_on(strategy)
    assert record.task_id is not None
    said = {record.task_id: TaskStatus(id=record.task_id, state=TaskState.RUNNING, agent_id="id-of-agent-1")}
    away = replace(observed().mesos, connected=False, error="the event stream ended")
    seen = observed(found=(record,), tasks=said, mesos=away)
    decided = plan(desired(spec(strategy)), seen, (), OPERATOR)
    assert not violations(decided, seen, CLUSTER)
    assert not decided.actions
    assert [wait.reason for wait in decided.waiting] == [Reason.MESOS_DISCONNECTED]
    back = replace(seen, mesos=replace(away, connected=True))
    assert [type(a) for a in plan(desired(spec(strategy)), back, (), OPERATOR).actions] == [SaveVolume]
