"""Tasks that may still be writing, agents that come back under another id, and predecessors that come back late."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, KillTask, SaveVolume
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.observed import Sighting, TaskState, TaskStatus
from statefuldb.model.operations import LaunchTask
from statefuldb.model.resources import AgentOffer, Unavailability
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Fencing, Intent, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from unit.planning.world import CLUSTER, OPERATOR, desired, observed, offer, remaining, spec, tasks

UNDECIDED = (TaskState.UNREACHABLE, TaskState.LOST, TaskState.UNKNOWN, TaskState.GONE_BY_OPERATOR)
EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))
EVERY_STATE = pytest.mark.parametrize("state", UNDECIDED)


def serving(strategy: Strategy) -> tuple[VolumeRecord, AgentOffer]:
    """Return a member that runs, and what its agent would offer if it did not."""
    saved, accepted = plan(desired(spec(strategy)), observed(), (offer(),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    return replace(saved.volume, initialised=True, token=1), remaining(offer(), accepted, launched=False)


def renamed(offered: AgentOffer) -> AgentOffer:
    return replace(offered, agent_id="another-id")


@EVERY_STATE
@pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])
def test_an_agent_that_comes_back_under_another_id_gets_its_member_back(strategy: Strategy, state: TaskState) -> None:
    record, idle = serving(strategy)
    seen = observed(volumes=(record,), tasks=tasks(record, state))
    decided = plan(desired(spec(strategy)), seen, (offer("agent-2"), renamed(idle)), OPERATOR)
    saved, accepted = decided.actions
    assert not violations(decided, seen, CLUSTER)
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    assert [type(o) for o in accepted.operations] == [LaunchTask]
    assert saved.volume.agent is not None
    assert (saved.volume.agent.id, saved.volume.agent.hostname) == ("another-id", "agent-1")
    assert saved.volume.persistence_id == record.persistence_id
    assert saved.volume.incarnation == record.incarnation + 1


@EVERY_STATE
def test_a_member_that_never_served_and_may_go_elsewhere_is_first_written_down_as_over(state: TaskState) -> None:
    """That its volume is offered is proof, but nothing of that is seen in a launch on another agent."""
    record, idle = serving(Strategy.PERSISTENT_VOLUME)
    begun = replace(record, initialised=False)
    soon = Unavailability(start_seconds=1_060.0)
    offers = (offer("agent-2"), replace(renamed(idle), unavailability=soon))
    seen = observed(volumes=(begun,), tasks=tasks(begun, state))
    decided = plan(desired(spec()), seen, offers, OPERATOR)
    assert not violations(decided, seen, CLUSTER)
    (saved,) = decided.actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.ended
    ended = observed(volumes=(saved.volume,), tasks=tasks(begun, state))
    after = plan(desired(spec()), ended, offers, OPERATOR)
    assert not violations(after, ended, CLUSTER)
    assert isinstance(after.actions[-1], AcceptOffers)


@EVERY_STATE
def test_a_volume_is_told_by_its_id_wherever_its_agent_has_come_back(state: TaskState) -> None:
    record, idle = serving(Strategy.PERSISTENT_VOLUME)
    seen = observed(volumes=(record,), tasks=tasks(record, state))
    moved = replace(renamed(idle), hostname="new-name")
    saved = plan(desired(spec()), seen, (moved,), OPERATOR).actions[0]
    assert isinstance(saved, SaveVolume)
    assert saved.volume.agent is not None
    assert saved.volume.agent.hostname == "new-name"


@EVERY_STATE
def test_a_directory_waits_while_its_host_is_the_same_agent_or_another_host_offers(state: TaskState) -> None:
    record, idle = serving(Strategy.HOST_PATH)
    seen = observed(volumes=(record,), tasks=tasks(record, state))
    for offered in (idle, renamed(offer("agent-2"))):
        assert not plan(desired(spec(Strategy.HOST_PATH)), seen, (offered,), OPERATOR).actions


@pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])
def test_data_that_a_person_declared_lost_is_never_rebuilt_in_silence(strategy: Strategy) -> None:
    record, _ = serving(strategy)
    seen = observed(volumes=(record,), tasks=tasks(record, TaskState.GONE_BY_OPERATOR))
    decided = plan(desired(spec(strategy)), seen, (offer("agent-2"), offer("agent-3")), OPERATOR)
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.reason is Reason.VOLUME_LOST
    assert "statefuldb -n shop volumes release" in wait.fix
    assert "without meta/slaves/latest" in wait.fix, "Mesos ends the agent that it knows as gone"
    storage = next(c for c in decided.conditions if c.type is ConditionType.STORAGE_READY)
    assert (storage.status, storage.reason) == (False, Reason.VOLUME_LOST)


@pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH, Strategy.DFS])
def test_a_member_that_never_served_begins_elsewhere_once_its_agent_is_called_gone(strategy: Strategy) -> None:
    """Simulator, seed 323 of then: a launch that was never sent, whose agent was called gone, was waited for."""
    served, _ = serving(strategy)
    record = replace(served, initialised=False)
    seen = observed(volumes=(record,), tasks=tasks(record, TaskState.GONE_BY_OPERATOR))
    decided = plan(desired(spec(strategy)), seen, (offer("agent-2"),), OPERATOR)
    assert not violations(decided, seen, CLUSTER)
    if strategy is not Strategy.PERSISTENT_VOLUME:
        assert not decided.actions, "a directory stays on its host, or could still be written to from there"
        return
    saved, accepted = decided.actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    assert saved.volume.agent is not None
    assert (saved.volume.agent.hostname, saved.volume.elsewhere) == ("agent-2", ("agent-1",))
    for state in (TaskState.UNREACHABLE, TaskState.LOST, TaskState.UNKNOWN):
        away = observed(volumes=(record,), tasks=tasks(record, state))
        assert not plan(desired(spec(strategy)), away, (offer("agent-2"),), OPERATOR).actions


def test_an_offer_that_came_before_the_word_that_its_agent_is_gone_takes_no_launch() -> None:
    """Simulator, seed 595: the plan that used it was refused, as nothing proves an end on that very agent."""
    served, _ = serving(Strategy.PERSISTENT_VOLUME)
    record = replace(served, initialised=False)
    seen = observed(volumes=(record,), tasks=tasks(record, TaskState.GONE_BY_OPERATOR))
    decided = plan(desired(spec()), seen, (offer(),), OPERATOR)
    assert not decided.actions
    assert decided.wants_offers
    decided = plan(desired(spec()), seen, (offer(), offer("agent-2")), OPERATOR)
    assert not violations(decided, seen, CLUSTER)
    saved, _ = decided.actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.agent is not None
    assert saved.volume.agent.hostname == "agent-2"


@pytest.mark.parametrize("state", [TaskState.UNKNOWN, TaskState.UNREACHABLE])
def test_a_member_that_never_served_begins_elsewhere_once_its_host_is_another_agent(state: TaskState) -> None:
    """Simulator, seed 3563: a launch that never arrived, on an agent that Mesos then forgot, was waited for."""
    served, _ = serving(Strategy.PERSISTENT_VOLUME)
    record = replace(served, initialised=False)
    shown = Sighting(identity=record.identity, hosts=frozenset({"agent-1"}), volume_on=frozenset())
    forgotten = observed(volumes=(record,), tasks=tasks(record, state), sightings=(shown,))
    for offered in (offer("agent-2"), renamed(offer())):
        decided = plan(desired(spec()), forgotten, (offered,), OPERATOR)
        assert not violations(decided, forgotten, CLUSTER)
        saved, _ = decided.actions
        assert isinstance(saved, SaveVolume)
        assert saved.volume.agent is not None
        assert (saved.volume.agent.hostname, saved.volume.incarnation) == (offered.hostname, 2)
    away, there = replace(shown, hosts=frozenset({"agent-2"})), replace(shown, volume_on=frozenset({"agent-1"}))
    itself = replace(shown, agent_ids=frozenset({"id-of-agent-1"}))
    for sightings in ((), (away,), (there,), (itself,)):
        waits = replace(forgotten, sightings=sightings)
        decided = plan(desired(spec()), waits, (offer("agent-2"),), OPERATOR)
        assert not decided.actions
        assert decided.look_again_after_seconds is not None, "it is looked for, since nobody tells"
    settling = {task: replace(status, settling=True) for task, status in forgotten.tasks.items()}
    for other in (
        replace(forgotten, volumes=(served,)),
        replace(forgotten, tasks=tasks(record, TaskState.LOST)),
        replace(forgotten, tasks=settling),
    ):
        assert not plan(desired(spec()), other, (offer("agent-2"),), OPERATOR).actions


@EVERY_STATE
def test_what_is_waited_for_says_which_state_it_is(state: TaskState) -> None:
    record, _ = serving(Strategy.PERSISTENT_VOLUME)
    decided = plan(desired(spec()), observed(volumes=(record,), tasks=tasks(record, state)), (), OPERATOR)
    assert str(state) in decided.waiting[0].message
    assert "agent-1" in decided.waiting[0].message
    assert decided.wants_offers


@EVERY_STRATEGY
@EVERY_STATE
def test_a_predecessor_that_comes_back_is_killed_before_anything_else(strategy: Strategy, state: TaskState) -> None:
    first, idle = serving(strategy)
    if strategy is Strategy.DFS:
        first = replace(first, fencing=Fencing(incarnation=1, by="ops"))
    lost = tasks(first, state)
    saved = plan(desired(spec(strategy)), observed(volumes=(first,), tasks=lost), (renamed(idle),), OPERATOR).actions[0]
    assert isinstance(saved, SaveVolume)
    second = saved.volume
    back = {**tasks(first, TaskState.RUNNING), **tasks(second, TaskState.RUNNING)}
    (kill,) = plan(desired(spec(strategy)), observed(volumes=(second,), tasks=back), (), OPERATOR).actions
    assert isinstance(kill, KillTask)
    assert kill.task_id == first.task_id
    assert kill.grace_seconds == 0


@EVERY_STRATEGY
@pytest.mark.parametrize("state", [TaskState.GONE, TaskState.DROPPED, TaskState.ERROR, TaskState.FINISHED])
def test_states_that_are_proof_are_recorded_and_followed_by_a_launch(strategy: Strategy, state: TaskState) -> None:
    record, idle = serving(strategy)
    (saved,) = plan(
        desired(spec(strategy)), observed(volumes=(record,), tasks=tasks(record, state)), (idle,), OPERATOR
    ).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.ended
    seen = observed(volumes=(saved.volume,), tasks=tasks(record, state))
    again = plan(desired(spec(strategy)), seen, (idle,), OPERATOR)
    assert [type(a) for a in again.actions] == [SaveVolume, AcceptOffers]


def test_only_an_offer_that_went_is_no_failure_of_a_dropped_launch() -> None:
    record, _ = serving(Strategy.PERSISTENT_VOLUME)
    assert record.task_id is not None
    for reason, failures in (("REASON_INVALID_OFFERS", 0), ("REASON_TASK_INVALID", 1)):
        status = TaskStatus(id=record.task_id, state=TaskState.DROPPED, agent_id=None, reason=reason)
        seen = observed(volumes=(record,), tasks={record.task_id: status})
        (saved,) = plan(desired(spec()), seen, (), OPERATOR).actions
        assert isinstance(saved, SaveVolume)
        assert saved.volume.failures == failures


@pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])
def test_a_member_that_is_not_wanted_is_over_once_its_agent_is_back_without_it(strategy: Strategy) -> None:
    record, idle = serving(strategy)
    retained = replace(record, intent=Intent.RETAIN)
    seen = observed(database=None, volumes=(retained,), tasks=tasks(record, TaskState.UNKNOWN))
    assert not plan(None, seen, (), OPERATOR).actions
    (saved,) = plan(None, seen, (renamed(idle),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.ended
