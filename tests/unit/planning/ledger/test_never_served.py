"""A ledger out of a backup says that a member never served: what agents hold for it says where it may have.

Simulator, seed 16 of `test_restored_backup.py`: an empty database was begun beside the one that was served for months.
"""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.observed import Observed, Offers, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.ledger.never_served import ANEW
from statefuldb.planning.planner import plan
from unit.planning.world import CLUSTER, OPERATOR, database, desired, observed, offer, serving_on, spec

BOUND = pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])
# No agent that knew of the task says so.
UNHEARD = [state for state in TaskState if state is TaskState.GONE or not (state.alive or state.over)]


def attempt(strategy: Strategy, state: TaskState = TaskState.GONE) -> tuple[VolumeRecord, AgentOffer]:
    """Return the entry of a first attempt that is over, and what its agent holds and offers."""
    record, _, idle = serving_on(strategy)
    # As it is read back from the API: a text.
    ending = Ending(incarnation=1, state=state.value, at_seconds=10.0)
    return replace(record, initialised=False, ending=ending), idle


def seen(record: VolumeRecord, *reserved: AgentOffer) -> Observed:
    return observed(volumes=(record,), reserved=reserved)


def numbered(idle: AgentOffer, record: VolumeRecord, number: int, hostname: str) -> AgentOffer:
    """Return what another agent holds of a later attempt."""
    assert record.persistence_id is not None
    known = f"{record.persistence_id.rpartition('.')[0]}.{number}"
    resources = tuple(
        replace(r, persistence=replace(r.persistence, id=known)) if r.persistence is not None else r
        for r in idle.resources
    )
    return replace(idle, agent_id=f"id-{number}", hostname=hostname, offer_ids=(f"o-{number}",), resources=resources)


def launched_on(sight: Observed, offers: Offers, strategy: Strategy) -> str | None:
    decided = plan(desired(spec(strategy)), sight, offers, OPERATOR)
    assert not violations(decided, sight, CLUSTER)
    return next((a.agent.hostname for a in decided.actions if isinstance(a, AcceptOffers)), None)


@BOUND
@pytest.mark.parametrize("state", UNHEARD)
def test_where_its_end_went_unheard_it_goes_on_where_it_was(strategy: Strategy, state: TaskState) -> None:
    record, idle = attempt(strategy, state)
    sight = seen(record, idle)
    assert launched_on(sight, (offer("agent-2"), idle), strategy) == idle.hostname
    assert launched_on(sight, (offer("agent-2"),), strategy) is None
    (wait,) = plan(desired(spec(strategy)), sight, (offer("agent-2"),), OPERATOR).waiting
    assert f"an attempt of orders-0 on {idle.hostname} may have served" in wait.message
    assert wait.fix.endswith("delete the database and its data, and apply it again")
    assert wait.hosts == (idle.hostname,)


@BOUND
@pytest.mark.parametrize("restored", [False, True])
def test_where_its_agent_has_forgotten_it_it_goes_on_where_it_was(strategy: Strategy, *, restored: bool) -> None:
    """A real agent calls a task dropped whose checkpoint a power cut took, however long it had run."""
    record, idle = attempt(strategy, TaskState.DROPPED)
    assert record.ending is not None
    for reason, host in (("REASON_RECONCILIATION", idle.hostname), ("REASON_INVALID_OFFERS", "agent-2")):
        told = replace(record, ending=replace(record.ending, reason=reason))
        offers = (offer("agent-2", cpus=8), replace(idle, resources=idle.resources[:0]))
        sight = seen(told, idle)
        operator = replace(OPERATOR, restored_at=1_900_000_000) if restored else OPERATOR
        decided = plan(desired(spec(strategy)), sight, offers, operator)
        assert not violations(decided, sight, CLUSTER)
        launched = next((a.agent.hostname for a in decided.actions if isinstance(a, AcceptOffers)), None)
        begins_there = strategy is Strategy.PERSISTENT_VOLUME and host != idle.hostname and not restored
        assert launched == ("agent-2" if begins_there else None)


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


def test_of_several_later_attempts_the_last_one_is_gone_on_with() -> None:
    """Simulator, seed 32135: two had been stopped before they served, on two agents, and the law refused the plan."""
    strategy = Strategy.PERSISTENT_VOLUME
    record, idle = attempt(strategy, TaskState.KILLED)
    between, last = (numbered(idle, record, number, f"agent-{number}") for number in (2, 3))
    sight = seen(record, idle, between, last)
    operator = replace(OPERATOR, restored_at=1_700_000_000)
    decided = plan(desired(spec(strategy)), sight, (between, idle, last), operator)
    assert not violations(decided, sight, CLUSTER)
    assert [a.agent.hostname for a in decided.actions if isinstance(a, AcceptOffers)] == ["agent-3"]
    earlier = plan(desired(spec(strategy)), replace(sight, reserved=(idle, between)), (between,), operator)
    assert {v.law for v in violations(earlier, sight, CLUSTER)} == {"no_empty_resurrection"}


def test_of_several_attempts_on_one_agent_the_last_one_is_gone_on_with() -> None:
    """Simulator, seed 43240: the ledger knew the first of two volumes that the agent held, and took that up."""
    strategy = Strategy.PERSISTENT_VOLUME
    record, idle = attempt(strategy, TaskState.FAILED)
    later = numbered(idle, record, 2, idle.hostname)
    bundle = tuple(r for r in later.resources if not r.unreserved)
    both = replace(idle, resources=(*idle.resources, *bundle))
    sight = seen(record, both)
    decided = plan(desired(spec(strategy)), sight, (both,), replace(OPERATOR, restored_at=1_700_000_000))
    assert not violations(decided, sight, CLUSTER)
    saved = decided.actions[0]
    assert isinstance(saved, SaveVolume)
    assert saved.volume.persistence_id is not None
    assert saved.volume.persistence_id.endswith(".2")


@BOUND
@pytest.mark.parametrize("state", [TaskState.KILLED, TaskState.FAILED, TaskState.GONE])
def test_after_a_restore_it_goes_on_where_it_was_however_it_ended(strategy: Strategy, state: TaskState) -> None:
    """Simulator, seed 79 with restores: it had been stopped for an edit, and an empty database was begun elsewhere."""
    record, idle = attempt(strategy, state)
    restored = replace(OPERATOR, restored_at=1_700_000_000)

    def hostname(sight: Observed, *offers: AgentOffer, of: VolumeRecord = record) -> str | None:
        decided = plan(desired(spec(strategy)), replace(sight, volumes=(of,)), offers, restored)
        assert not violations(decided, sight, CLUSTER)
        return next((a.agent.hostname for a in decided.actions if isinstance(a, AcceptOffers)), None)

    assert hostname(seen(record, idle), offer("agent-2"), idle) == idle.hostname
    assert hostname(seen(record, idle), offer("agent-2")) is None
    another = replace(idle, agent_id="id-of-another")
    assert hostname(seen(record, another), offer("agent-2"), another) == idle.hostname, "its host is another agent now"
    assert hostname(seen(record), offer("agent-2")) is None, "its agent is away"
    never_ran = replace(record, ending=Ending(incarnation=1, state=TaskState.DROPPED.value, at_seconds=10.0))
    assert hostname(seen(never_ran, idle), idle, of=never_ran) == idle.hostname
    assert hostname(seen(never_ran), offer("agent-2"), of=never_ran) is None
    (wait,) = plan(desired(spec(strategy)), seen(record), (offer("agent-2"),), restored).waiting
    assert idle.hostname in wait.message
    assert "may have served" in wait.message
    assert wait.fix.endswith(ANEW)


@BOUND
@pytest.mark.parametrize("state", [TaskState.DROPPED, TaskState.FAILED, TaskState.KILLED])
def test_after_a_restore_an_attempt_that_was_made_since_takes_no_doubt_away(
    strategy: Strategy, state: TaskState
) -> None:
    """An offer that had gone, or a keeper that refused, let an empty database be begun beside what had served."""
    record, idle = attempt(strategy)
    number = 1_700_000_001
    restored = replace(OPERATOR, restored_at=number - 1)
    assert record.launch is not None
    since = replace(
        record,
        incarnation=number,
        launch=replace(record.launch, incarnation=number),
        ending=Ending(incarnation=number, state=state.value, at_seconds=10.0),
    )

    def hostname(created_at_seconds: float, *reserved: AgentOffer) -> str | None:
        sight = replace(seen(since, *reserved), database=database(created_at_seconds=created_at_seconds))
        decided = plan(desired(spec(strategy)), sight, (offer("agent-2"),), restored)
        assert not violations(decided, sight, CLUSTER)
        return next((a.agent.hostname for a in decided.actions if isinstance(a, AcceptOffers)), None)

    assert hostname(number - 2.0, idle) is None
    assert hostname(number - 2.0) is None, "its agent is away"
    # A directory stays on its host in any case.
    elsewhere = "agent-2" if strategy is Strategy.PERSISTENT_VOLUME else None
    assert hostname(number, idle) == elsewhere, "it was created since"


@pytest.mark.parametrize("state", [TaskState.DROPPED, TaskState.FAILED, TaskState.KILLED, TaskState.GONE])
def test_after_a_restore_it_is_not_begun_on_its_host_where_that_holds_no_volume_of_it(state: TaskState) -> None:
    """Simulator, seed 87834: what the backup knew never ran; the next attempt served on an agent that was away then."""
    record, idle = attempt(Strategy.PERSISTENT_VOLUME, state)
    bare = tuple(r for r in idle.resources if r.persistence is None)
    restored = replace(OPERATOR, restored_at=1_700_000_000)
    for held in ((), (replace(idle, resources=bare),)):
        decided = plan(
            desired(spec(Strategy.PERSISTENT_VOLUME)), seen(record, *held), (offer(idle.hostname),), restored
        )
        assert not decided.actions
        assert [wait.reason for wait in decided.waiting] == [Reason.VOLUME_MISSING]


@pytest.mark.parametrize("restored_at", [0, 1_700_000_000])
def test_it_goes_on_with_its_volume_whatever_the_host_of_that_is_called_by_now(restored_at: int) -> None:
    """It was waited for under the name before, or, where nobody had told of a restore, begun anew elsewhere."""
    strategy = Strategy.PERSISTENT_VOLUME
    record, idle = attempt(strategy)
    other = replace(idle, agent_id="another-id", hostname="agent-1.example.org")
    sight = seen(record, other)
    operator = replace(OPERATOR, restored_at=restored_at)
    decided = plan(desired(spec(strategy)), sight, (offer("agent-2", cpus=8), other), operator)
    assert not violations(decided, sight, CLUSTER)
    assert [a.agent.hostname for a in decided.actions if isinstance(a, AcceptOffers)] == [other.hostname]
    waits = plan(desired(spec(strategy)), sight, (offer("agent-2"),), operator)
    assert not waits.actions
    assert f"an attempt of orders-0 on {other.hostname} may have served" in waits.waiting[0].message


@pytest.mark.parametrize("restored_at", [0, 1_700_000_000])
def test_beside_its_volume_no_other_one_is_made(restored_at: int) -> None:
    """Simulator, seed 668 with restores: as it ended, its host had offered what was free there, and no volume yet."""
    record, idle = attempt(Strategy.PERSISTENT_VOLUME)
    free = offer(idle.hostname)
    operator = replace(OPERATOR, restored_at=restored_at)
    wanted = desired(spec(Strategy.PERSISTENT_VOLUME))
    decided = plan(wanted, seen(record, idle), (free,), operator)
    assert not decided.actions
    assert f"an attempt of orders-0 on {idle.hostname} may have served" in decided.waiting[0].message
    begun = plan(wanted, seen(record), (free,), operator).actions
    assert any(isinstance(action, AcceptOffers) for action in begun) is (not restored_at)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_what_is_older_than_a_restore_and_has_no_entry_is_begun_by_a_persons_word(strategy: Strategy) -> None:
    """Simulator, seed 14 with restores: its agent was called gone, and an empty database was begun elsewhere.

    On a DFS the directory itself tells.
    """
    restored = replace(OPERATOR, restored_at=1_700_000_000)

    def begun(created_at_seconds: float) -> Plan:
        sight = observed(database=database(created_at_seconds=created_at_seconds))
        return plan(desired(spec(strategy)), sight, (offer(),), restored)

    assert any(isinstance(action, AcceptOffers) for action in begun(1_700_000_000.0).actions)
    older = begun(1_699_999_999.0)
    assert bool(older.actions) is (strategy is Strategy.DFS)
    assert [wait.reason for wait in older.waiting] == ([] if older.actions else [Reason.VOLUME_MISSING])
