"""Members and the maintenance of their agents: stopped before it, back after it, and nothing new is placed into it."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, KillTask, SaveVolume
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.observed import Observed, Sighting, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer, Unavailability
from statefuldb.model.spec import ReconcileSpec, RiskClass, Strategy
from statefuldb.model.volume import Ending, VolumeRecord
from statefuldb.planning.planner import plan
from unit.planning.world import OPERATOR, desired, keeper, observed, offer, remaining, secret, spec, tasks

NOW = 1_000.0
EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))
BOUND = pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])


def window(after_seconds: float, lasting: float | None = 600.0) -> Unavailability:
    return Unavailability(start_seconds=NOW + after_seconds, duration_seconds=lasting)


def serving(strategy: Strategy) -> tuple[VolumeRecord, AgentOffer]:
    saved, accepted = plan(desired(spec(strategy)), observed(), (offer(),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    record = replace(saved.volume, initialised=True, token=1, phase=saved.volume.phase.IN_USE)
    return record, remaining(offer(), accepted, launched=False)


def running(record: VolumeRecord, away: Unavailability) -> Observed:
    return observed(
        volumes=(record,),
        tasks=tasks(record, TaskState.RUNNING),
        keepers=keeper(record),
        secret=secret(record),
        maintenance={"id-of-agent-1": away},
    )


def stopped(record: VolumeRecord, reason: str = "") -> Observed:
    ending = Ending(incarnation=1, state="TASK_KILLED", reason=reason, at_seconds=NOW)
    return observed(volumes=(replace(record, ending=ending),))


def ready(decided: Plan) -> tuple[str, Reason]:
    found = next(c for c in decided.conditions if c.type is ConditionType.READY)
    return found.status_text, found.reason


@EVERY_STRATEGY
def test_a_member_runs_on_until_shortly_before_the_window_and_is_looked_at_then(strategy: Strategy) -> None:
    record, _ = serving(strategy)
    decided = plan(desired(spec(strategy)), running(record, window(500)), (), OPERATOR)
    assert not decided.actions
    assert ready(decided)[0] == "True"
    assert [w.reason for w in decided.waiting] == [Reason.MAINTENANCE]
    assert decided.look_again_after_seconds == pytest.approx(380.0)
    assert not decided.wants_offers


@EVERY_STRATEGY
@pytest.mark.parametrize("away", [window(100), window(-10), window(-10, None)])
def test_a_planned_stop_comes_before_the_window_with_the_window_in_words(
    strategy: Strategy, away: Unavailability
) -> None:
    record, _ = serving(strategy)
    (kill,) = plan(desired(spec(strategy)), running(record, away), (), OPERATOR).actions
    assert isinstance(kill, KillTask)
    assert kill.risk is RiskClass.RESTART
    assert "maintenance of agent-1 from 1970-01-01T00:" in kill.why
    cautious = spec(strategy, reconcile=ReconcileSpec(auto_approve=frozenset({RiskClass.NON_DISRUPTIVE})))
    held = plan(desired(cautious), running(record, away), (), OPERATOR)
    assert not held.actions
    assert [type(a) for a in held.held_back] == [KillTask]


@EVERY_STRATEGY
def test_a_window_that_is_past_or_of_another_agent_stops_nothing(strategy: Strategy) -> None:
    record, _ = serving(strategy)
    for seen in (
        running(record, window(-700)),
        replace(running(record, window(0)), maintenance={"id-of-agent-2": window(0)}),
    ):
        assert not plan(desired(spec(strategy)), seen, (), OPERATOR).actions


@BOUND
def test_what_is_bound_to_the_agent_waits_for_the_end_of_the_window_and_returns(strategy: Strategy) -> None:
    record, idle = serving(strategy)
    away = replace(idle, unavailability=window(60))
    decided = plan(desired(spec(strategy)), stopped(record), (away, offer("agent-2")), OPERATOR)
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.reason is Reason.MAINTENANCE
    assert "to 1970-01-01T00:27:40Z" in wait.message
    assert wait.look_again_seconds == pytest.approx(660.0)
    assert ready(decided) == ("False", Reason.MAINTENANCE)
    assert decided.wants_offers
    for back in (idle, replace(idle, unavailability=window(-700))):
        again = plan(desired(spec(strategy)), stopped(record), (back,), OPERATOR)
        assert [type(a) for a in again.actions] == [SaveVolume, AcceptOffers]


def test_dfs_moves_to_an_agent_that_stays() -> None:
    record, idle = serving(Strategy.DFS)
    away = replace(idle, unavailability=window(60))
    decided = plan(desired(spec(Strategy.DFS)), stopped(record), (away, offer("agent-2")), OPERATOR)
    assert isinstance(decided.actions[1], AcceptOffers)
    assert decided.actions[1].agent.hostname == "agent-2"


@EVERY_STRATEGY
def test_nothing_new_is_placed_where_maintenance_is_near(strategy: Strategy) -> None:
    soon = replace(offer(), unavailability=window(1_800))
    refused = plan(desired(spec(strategy)), observed(), (soon,), OPERATOR)
    assert not refused.actions
    assert refused.waiting[0].refusals == {"maintenance": 1}
    late = replace(offer(), unavailability=window(7_200))
    assert plan(desired(spec(strategy)), observed(), (late,), OPERATOR).actions
    known = observed(maintenance={"id-of-agent-1": window(1_800)})
    assert not plan(desired(spec(strategy)), known, (offer(),), OPERATOR).actions


@BOUND
def test_draining_is_a_planned_stop_that_waits_for_the_agent(strategy: Strategy) -> None:
    record, idle = serving(strategy)
    seen = stopped(record, reason="REASON_AGENT_DRAINING")
    decided = plan(desired(spec(strategy)), seen, (offer("agent-2"),), OPERATOR)
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.reason is Reason.MAINTENANCE
    assert "REACTIVATE_AGENT" in wait.fix
    assert wait.hosts == ("agent-1",)
    assert plan(desired(spec(strategy)), seen, (idle,), OPERATOR).actions


@BOUND
def test_what_the_master_says_now_counts_for_more_than_that_a_member_was_drained(strategy: Strategy) -> None:
    """DRAIN_AGENT with mark_gone leaves no agent to reactivate; and one that is back may be kept by somebody else."""
    record, _ = serving(strategy)
    drained = stopped(record, reason="REASON_AGENT_DRAINING")
    home = frozenset({"agent-1"})
    there = Sighting(identity=record.identity, hosts=home, volume_on=home, set_aside=home)
    found = {
        there: (Reason.MAINTENANCE, "REACTIVATE_AGENT"),
        replace(there, hosts=frozenset(), set_aside=frozenset()): (Reason.AWAITING_VOLUME_OFFER, "start the agent"),
        replace(there, set_aside=frozenset(), offered_to=("thief (F9)",)): (Reason.RESERVATION_TAKEN, "thief (F9)"),
    }
    for sighting, (reason, said) in found.items():
        (wait,) = plan(desired(spec(strategy)), replace(drained, sightings=(sighting,)), (), OPERATOR).waiting
        assert wait.reason is reason
        assert said in f"{wait.message} {wait.fix}"


def test_a_member_that_may_run_anywhere_says_when_no_agent_is_left_that_mesos_offers() -> None:
    """On a real Mesos: `see that an agent is active ... doctor looks at that`, with every agent drained, or gone."""
    record, _ = serving(Strategy.DFS)
    drained, both = stopped(record, reason="REASON_AGENT_DRAINING"), frozenset({"agent-1", "agent-2"})
    aside = Sighting(identity=record.identity, hosts=both, volume_on=frozenset(), set_aside=both)
    found = {
        aside: (Reason.MAINTENANCE, "(agent-1, agent-2)", "REACTIVATE_AGENT"),
        replace(aside, set_aside=frozenset({"agent-1"})): (Reason.NO_SUITABLE_OFFER, "to offer something", "doctor"),
        replace(aside, hosts=frozenset()): (Reason.NO_SUITABLE_OFFER, "no agent is registered", "start an agent"),
    }
    for sighting, (reason, said, helps) in found.items():
        seen = replace(drained, sightings=(sighting,))
        (wait,) = plan(desired(spec(Strategy.DFS)), seen, (), OPERATOR).waiting
        assert wait.reason is reason
        assert said in wait.message
        assert helps in wait.fix
        assert wait.wants_offers
        assert plan(desired(spec(Strategy.DFS)), seen, (offer("agent-3"),), OPERATOR).actions
    (unseen,) = plan(desired(spec(Strategy.DFS)), drained, (), OPERATOR).waiting
    assert unseen.look_again_seconds, "what the master says is looked up later"
    lost = observed(volumes=(record,), tasks=tasks(record, TaskState.UNREACHABLE), sightings=(aside,))
    (wait,) = plan(desired(spec(Strategy.DFS)), lost, (), OPERATOR).waiting
    assert wait.reason is Reason.FENCING_REQUIRED


def test_a_drained_member_is_no_failure() -> None:
    record, _ = serving(Strategy.PERSISTENT_VOLUME)
    assert record.task_id is not None
    killed = replace(tasks(record, TaskState.KILLED)[record.task_id], reason="REASON_AGENT_DRAINING")
    seen = observed(volumes=(record,), tasks={record.task_id: killed})
    (saved,) = plan(desired(spec()), seen, (), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.failures == 0
    assert saved.volume.ending is not None
    assert saved.volume.ending.reason == "REASON_AGENT_DRAINING"
