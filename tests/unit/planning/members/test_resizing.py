"""More cpu or memory: a member is stopped for it while its agent has the difference, and never stays down for it."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, KillTask, SaveVolume
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.observed import Observed
from statefuldb.model.operations import LaunchTask, Reserve
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import AgentAttribute, DatabaseSpec, PlacementSpec, ResourcesSpec, Strategy
from statefuldb.model.volume import Ending, VolumeRecord
from statefuldb.planning.members.resizing import TRY_AGAIN_SECONDS
from unit.planning.world import (
    MIB,
    decide,
    observed,
    offer,
    remaining,
    running,
    serving_on,
    spec,
    with_only,
)

STRATEGIES = (Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH, Strategy.DFS)


def larger(strategy: Strategy, cpus_milli: int = 1500) -> DatabaseSpec:
    return spec(strategy, resources=ResourcesSpec(cpus_milli=cpus_milli, memory_bytes=512 * MIB))


def ended(record: VolumeRecord, at_seconds: float = 900.0) -> Observed:
    ending = Ending(incarnation=record.incarnation, state="TASK_FAILED", at_seconds=at_seconds)
    return observed(volumes=(replace(record, ending=ending),))


def with_cpus(offered: AgentOffer, milli: int) -> AgentOffer:
    return with_only(offered, "cpus", milli)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_is_stopped_only_while_its_agent_offers_the_difference(strategy: Strategy) -> None:
    record, beside, _ = serving_on(strategy)
    for offers in ((), (with_cpus(beside, 999),)):
        waits = decide(larger(strategy), running(record), *offers)
        assert not waits.actions
        assert [w.reason for w in waits.waiting] == [Reason.AWAITING_RESOURCES]
        assert waits.wants_offers
        conditions = {c.type: c for c in waits.conditions}
        assert conditions[ConditionType.READY].reason is Reason.AWAITING_RESOURCES
        assert conditions[ConditionType.AVAILABLE].status
    (kill,) = decide(larger(strategy), running(record), with_cpus(beside, 1000)).actions
    assert isinstance(kill, KillTask)


def test_only_a_role_that_can_have_a_quota_is_told_to_raise_it() -> None:
    """On a real Mesos: UPDATE_QUOTA refuses a role below another, and that one's quota does not bound it."""
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    for role, said in {"statefuldb": True, "prod/db": False}.items():
        (wait,) = decide(larger(Strategy.PERSISTENT_VOLUME), running(replace(record, mesos_role=role))).waiting
        assert (f"raise the quota of role {role}" in wait.fix) is said


def test_a_member_on_a_shared_file_system_may_find_its_room_elsewhere() -> None:
    record, beside, _ = serving_on(Strategy.DFS)
    busy = with_cpus(beside, 10)
    (kill,) = decide(larger(Strategy.DFS), running(record), busy, offer("agent-2")).actions
    assert isinstance(kill, KillTask)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_ended_while_there_is_no_room_starts_as_it_was(strategy: Strategy) -> None:
    record, _, idle = serving_on(strategy)
    saved, accepted = decide(larger(strategy, 64_000), ended(record), idle).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    launched = saved.volume.launch
    assert launched is not None
    assert (launched.cpus_milli, launched.short) == (500, True)
    (task,) = [o for o in accepted.operations if isinstance(o, LaunchTask)]
    assert sum(r.amount_milli for r in task.resources if r.name == "cpus") == 500
    assert not [o for o in accepted.operations if isinstance(o, Reserve)]
    waits = decide(larger(strategy, 64_000), running(saved.volume), remaining(idle, accepted, launched=True))
    assert not waits.actions
    assert [w.reason for w in waits.waiting] == [Reason.AWAITING_RESOURCES]


def test_room_that_may_be_in_another_offer_is_waited_for_a_moment() -> None:
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    waits = decide(larger(Strategy.PERSISTENT_VOLUME), ended(record, at_seconds=995.0), with_cpus(idle, 0))
    assert not waits.actions
    assert waits.look_again_after_seconds == pytest.approx(10.0)


def test_what_was_started_short_is_not_stopped_again_at_once() -> None:
    record, beside, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    wanted = larger(Strategy.PERSISTENT_VOLUME)
    saved, accepted = decide(wanted, ended(record), with_cpus(idle, 0)).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    soon = decide(wanted, running(saved.volume), beside)
    assert not soon.actions
    assert soon.look_again_after_seconds == pytest.approx(TRY_AGAIN_SECONDS)
    later = decide(wanted, running(saved.volume, at_seconds=1_000.0 + TRY_AGAIN_SECONDS), beside)
    assert [type(action) for action in later.actions] == [KillTask]


def test_less_needs_no_room() -> None:
    record, *_ = serving_on(Strategy.PERSISTENT_VOLUME)
    smaller = larger(Strategy.PERSISTENT_VOLUME, 100)
    assert [type(action) for action in decide(smaller, running(record)).actions] == [KillTask]
    assert decide(smaller, ended(record)).waiting[0].reason is Reason.AWAITING_VOLUME_OFFER


@pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])
def test_data_that_is_bound_stays_where_it_is_whatever_attributes_are_wanted_later(strategy: Strategy) -> None:
    record, _, idle = serving_on(strategy)
    placement = PlacementSpec(attributes=(AgentAttribute(name="rack", value="b"),))
    assert decide(spec(strategy, placement=placement), ended(record), idle).actions
    assert not decide(spec(strategy, placement=placement), observed(), offer()).actions


def test_another_mount_attribute_is_another_need() -> None:
    record, *_ = serving_on(Strategy.DFS)
    usual = spec(Strategy.DFS)
    assert usual.storage.dfs is not None
    elsewhere = replace(usual.storage.dfs, agent_attribute=AgentAttribute(name="mounts", value="other"))
    demands = [
        decide(wanted, ended(record)).demand
        for wanted in (usual, replace(usual, storage=replace(usual.storage, dfs=elsewhere)))
    ]
    assert demands[0] != demands[1]
