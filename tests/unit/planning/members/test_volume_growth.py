"""A larger `storage.size` on a persistent volume: one planned stop, and only while its agent has the difference."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, Action, KillTask, SaveVolume
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.keeper import EngineStatus, KeeperPhase
from statefuldb.model.observed import Observed
from statefuldb.model.operations import Create, Grow, LaunchTask, Operation, Reserve, Unreserve
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import DatabaseSpec, ReconcileSpec, RiskClass, Strategy
from statefuldb.model.volume import Ending, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.members.volume_growth import ATTEMPTS
from statefuldb.planning.planner import plan
from unit.planning import world
from unit.planning.world import (
    CLUSTER,
    MIB,
    OPERATOR,
    database,
    desired,
    keeper,
    observed,
    offer,
    remaining,
    running,
    serving_on,
    spec,
    storage,
)

LARGER = spec(storage=replace(storage(Strategy.PERSISTENT_VOLUME), size_bytes=3072 * MIB))


def decide(seen: Observed, *offers: AgentOffer, wanted: DatabaseSpec = LARGER) -> Plan:
    return world.decide(wanted, seen, *offers)


def stopped(record: VolumeRecord, at_seconds: float = 1_000.0) -> Observed:
    ending = Ending(incarnation=record.incarnation, state="TASK_KILLED", at_seconds=at_seconds)
    return observed(volumes=(replace(record, ending=ending),))


def operations(action: Action) -> list[type[Operation]]:
    assert isinstance(action, AcceptOffers)
    return [type(o) for o in action.operations]


def less_disk(offered: AgentOffer, mib: int) -> AgentOffer:
    return world.with_only(offered, "disk", mib * 1000)


def readiness(decided: Plan) -> tuple[str, Reason]:
    found = next(c for c in decided.conditions if c.type is ConditionType.READY)
    return found.status_text, found.reason


def test_a_member_is_stopped_for_it_only_while_its_agent_offers_the_difference() -> None:
    record, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    for offers in ((), (less_disk(beside, 2047),), (offer("agent-2"),)):
        waits = decide(running(record), *offers)
        assert not waits.actions
        assert [w.reason for w in waits.waiting] == [Reason.AWAITING_DISK]
        assert waits.demand is not None
        assert waits.demand.hosts == {"agent-1"}
        assert readiness(waits) == ("False", Reason.AWAITING_DISK)
        available = next(c for c in waits.conditions if c.type is ConditionType.AVAILABLE)
        assert available.status
    (kill,) = decide(running(record), less_disk(beside, 2048)).actions
    assert isinstance(kill, KillTask)
    assert kill.risk is RiskClass.RESTART
    assert "storage" in kill.why
    cautious = replace(LARGER, reconcile=ReconcileSpec(auto_approve=frozenset({RiskClass.NON_DISRUPTIVE})))
    held = decide(running(record), beside, wanted=cautious)
    assert not held.actions
    assert [type(a) for a in held.held_back] == [KillTask]


def test_the_stopped_members_volume_is_grown_in_an_accept_of_its_own_and_launched_when_it_is_offered() -> None:
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    saved, grow = decide(stopped(record), idle).actions
    assert operations(grow) == [Reserve, Grow]
    assert isinstance(saved, SaveVolume)
    assert isinstance(grow, AcceptOffers)
    assert saved.volume.size_bytes == record.size_bytes, "the size is what was seen, not what was asked for"
    (reserve,) = [o for o in grow.operations if isinstance(o, Reserve)]
    assert sum(r.amount_milli for r in reserve.resources) == 2048 * 1000
    grown = remaining(idle, grow, launched=False)
    assert not decide(observed(volumes=(saved.volume,)), offer("agent-2")).actions
    launched, relaunch = decide(observed(volumes=(saved.volume,)), grown).actions
    assert operations(relaunch) == [LaunchTask]
    assert isinstance(launched, SaveVolume)
    assert isinstance(relaunch, AcceptOffers)
    assert launched.volume.size_bytes == 3072 * MIB
    assert launched.volume.growth is None
    assert launched.volume.persistence_id == record.persistence_id
    left = remaining(grown, relaunch, launched=True)
    rests = decide(running(launched.volume), left)
    assert not rests.actions
    assert readiness(rests)[0] == "True"


@pytest.mark.parametrize("happened", range(3))
def test_a_growth_that_was_cut_short_anywhere_is_taken_up_again(happened: int) -> None:
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    saved, grow = decide(stopped(record), idle).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(grow, AcceptOffers)
    half = remaining(idle, replace(grow, operations=grow.operations[:happened]), launched=False)
    action = decide(observed(volumes=(saved.volume,)), half).actions[1]
    assert operations(action) == [[Reserve, Grow], [Grow], [LaunchTask]][happened]
    assert isinstance(action, AcceptOffers)
    remaining(half, action, launched=True)


def test_where_the_difference_went_meanwhile_the_member_runs_on_at_the_old_size() -> None:
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    short = less_disk(idle, 100)
    waits = decide(stopped(record), short)
    assert not waits.actions
    assert waits.waiting[0].reason is Reason.AWAITING_DISK
    assert waits.look_again_after_seconds == pytest.approx(15.0)
    saved, relaunch = decide(stopped(record, at_seconds=980.0), short).actions
    assert operations(relaunch) == [LaunchTask]
    assert isinstance(saved, SaveVolume)
    assert saved.volume.size_bytes == 1024 * MIB
    waits = decide(running(replace(saved.volume, phase=record.phase)), short)
    assert waits.waiting[0].reason is Reason.AWAITING_DISK


def test_the_difference_is_not_waited_for_by_a_clock_that_was_set_back_since() -> None:
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    _, relaunch = decide(stopped(record, at_seconds=4_600.0), less_disk(idle, 100)).actions
    assert operations(relaunch) == [LaunchTask]


def test_a_volume_that_does_not_grow_is_given_up_until_somebody_asks_again() -> None:
    record, beside, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    seen = stopped(record)
    for _ in range(ATTEMPTS):
        saved, grow = decide(seen, idle).actions
        assert operations(grow) == [Reserve, Grow]
        assert isinstance(saved, SaveVolume)
        seen = observed(volumes=(saved.volume,))
    saved, relaunch = decide(seen, idle).actions
    assert operations(relaunch) == [LaunchTask]
    assert isinstance(saved, SaveVolume)
    again = replace(saved.volume, phase=record.phase)
    waits = decide(running(again), beside)
    assert not waits.actions
    assert f"did not grow in {ATTEMPTS} attempts" in waits.waiting[0].message
    assert not waits.wants_offers
    even_larger = spec(storage=replace(storage(Strategy.PERSISTENT_VOLUME), size_bytes=4096 * MIB))
    assert [type(a) for a in decide(running(again), beside, wanted=even_larger).actions] == [KillTask]
    asked = replace(stopped(again), database=database(restarted_at="now"))
    assert operations(decide(asked, idle).actions[1]) == [Reserve, Grow]


def test_a_member_that_starts_is_not_stopped_for_it_unless_its_disk_is_full() -> None:
    record, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    starting = replace(running(record), keepers=keeper(record, phase=KeeperPhase.STARTING, engine=EngineStatus()))
    assert not decide(starting, beside).actions
    full = replace(running(record), keepers=keeper(record, phase=KeeperPhase.DISK_FULL, engine=EngineStatus()))
    assert [type(a) for a in decide(full, beside).actions] == [KillTask]


def test_what_a_growth_that_was_given_up_left_reserved_is_given_back() -> None:
    record, beside, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    saved, grow = decide(stopped(record), idle).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(grow, AcceptOffers)
    reserved = remaining(beside, replace(grow, operations=grow.operations[:1]), launched=False)
    growth = replace(saved.volume.growth, attempts=ATTEMPTS) if saved.volume.growth else None
    given_up = replace(saved.volume, ending=None, growth=growth)
    _, trim = decide(running(given_up), reserved).actions
    assert operations(trim) == [Unreserve]


def test_a_plan_that_grows_a_volume_by_what_is_unlike_it_or_not_ours_is_refused() -> None:
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    _, grow = decide(stopped(record), idle).actions
    assert isinstance(grow, AcceptOffers)
    (good,) = [o for o in grow.operations if isinstance(o, Grow)]
    unlike = replace(good, addition=replace(good.addition, reservations=()))
    foreign = Grow(volume=replace(good.volume, reservations=(), persistence=None), addition=good.addition)
    for bad, law in (
        (unlike, "bundle"),
        (foreign, "ours_only"),
        (replace(good, addition=good.addition.part(0)), "bundle"),
    ):
        broken = violations(Plan(actions=(replace(grow, operations=(bad,)),)), observed(), CLUSTER)
        assert [v.law for v in broken] == [law]


def test_a_size_that_changes_before_there_is_data_is_the_size_of_the_new_volume() -> None:
    saved, _ = plan(desired(spec()), observed(), (offer(),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    ending = Ending(incarnation=1, state="TASK_DROPPED", at_seconds=0.0)
    accept = decide(observed(volumes=(replace(saved.volume, ending=ending),)), offer()).actions[1]
    assert isinstance(accept, AcceptOffers)
    (create,) = [o for o in accept.operations if isinstance(o, Create)]
    assert create.volume.amount_milli == 3072 * 1000


def test_a_volume_that_is_smaller_than_its_entry_says_is_written_down_as_it_is() -> None:
    """Simulator, seed 67109: its agent, cut off, never grew it; plans to approve differed with and without an offer."""
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    seen = stopped(replace(record, size_bytes=3072 * MIB))
    (saved,) = decide(seen, idle).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.size_bytes == record.size_bytes == 1024 * MIB
    asked = replace(LARGER, reconcile=ReconcileSpec(auto_approve=frozenset()))
    (also,) = decide(seen, idle, wanted=asked).actions
    assert isinstance(also, SaveVolume), "nobody has to approve what is true"
