"""A ledger out of a backup says that a member never served: what agents hold for it says where it may have.

Simulator, seed 16 of `test_restored_backup.py`: an empty database was begun beside the one that was served for months.
"""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.observed import Observed, Offers, TaskState
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from unit.planning.world import CLUSTER, OPERATOR, desired, observed, offer, serving_on, spec

BOUND = pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])


def attempt(strategy: Strategy, state: TaskState = TaskState.GONE) -> tuple[VolumeRecord, AgentOffer]:
    """Return the entry of a first attempt that is over, and what its agent holds and offers."""
    record, _, idle = serving_on(strategy)
    return replace(record, initialised=False, ending=Ending(incarnation=1, state=state, at_seconds=10.0)), idle


def seen(record: VolumeRecord, *reserved: AgentOffer) -> Observed:
    return observed(volumes=(record,), reserved=reserved)


def launched_on(sight: Observed, offers: Offers, strategy: Strategy) -> str | None:
    decided = plan(desired(spec(strategy)), sight, offers, OPERATOR)
    assert not violations(decided, sight, CLUSTER)
    return next((a.agent.hostname for a in decided.actions if isinstance(a, AcceptOffers)), None)


@BOUND
def test_where_its_end_went_unheard_it_goes_on_where_it_was(strategy: Strategy) -> None:
    record, idle = attempt(strategy)
    sight = seen(record, idle)
    assert launched_on(sight, (offer("agent-2"), idle), strategy) == idle.hostname
    assert launched_on(sight, (offer("agent-2"),), strategy) is None
    (wait,) = plan(desired(spec(strategy)), sight, (offer("agent-2"),), OPERATOR).waiting
    assert f"an attempt of orders-0 on {idle.hostname} may have served" in wait.message
    assert wait.fix.endswith("delete the database and its data, and apply it again")
    assert wait.hosts == (idle.hostname,)


@BOUND
def test_it_waits_for_a_master_that_does_not_say_what_there_is(strategy: Strategy) -> None:
    record, idle = attempt(strategy)
    sight = replace(seen(record), reserved=None)
    assert launched_on(sight, (idle, offer("agent-2")), strategy) is None
    (wait,) = plan(desired(spec(strategy)), sight, (idle,), OPERATOR).waiting
    assert wait.reason is Reason.AWAITING_RECONCILIATION


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.GONE])
def test_where_nothing_is_left_or_its_agent_said_that_it_failed_it_may_go_anywhere(state: TaskState) -> None:
    strategy = Strategy.PERSISTENT_VOLUME
    record, idle = attempt(strategy, state)
    left = (idle,) if state is TaskState.FAILED else ()
    assert launched_on(seen(record, *left), (offer("agent-2"),), strategy) == "agent-2"


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.GONE])
def test_a_later_attempt_than_the_ledger_knows_is_gone_on_with_and_its_number_not_used_again(state: TaskState) -> None:
    strategy = Strategy.PERSISTENT_VOLUME
    record, idle = attempt(strategy, state)
    older = replace(record, incarnation=0, persistence_id=f"{record.persistence_id}7", reservations=())
    assert older.launch is not None
    older = replace(
        older, launch=replace(older.launch, agent=replace(older.launch.agent, id="other", hostname="agent-7"))
    )
    sight = seen(older, idle)
    decided = plan(desired(spec(strategy)), sight, (offer("agent-2"), idle), OPERATOR)
    assert not violations(decided, sight, CLUSTER)
    saved = decided.actions[0]
    assert isinstance(saved, SaveVolume)
    assert saved.volume.agent is not None
    assert (saved.volume.agent.hostname, saved.volume.incarnation) == (idle.hostname, 2)
    assert saved.volume.persistence_id == record.persistence_id
    elsewhere = plan(desired(spec(strategy)), replace(sight, reserved=()), (offer("agent-2"),), OPERATOR)
    assert {v.law for v in violations(elsewhere, sight, CLUSTER)} == {"no_empty_resurrection"}
