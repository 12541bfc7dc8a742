"""Approval by hash: a release is of one plan, of one generation, and good once; nothing beyond it is done."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from statefuldb.model.actions import EnsureSecret, KillTask, SaveVolume
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.observed import TaskState
from statefuldb.model.resources import DiskSource
from statefuldb.model.spec import ReconcileMode, ReconcileSpec, ResourcesSpec, RiskClass, Strategy
from statefuldb.model.volume import Intent
from statefuldb.planning.approval.imagined_agent import given_back
from unit.planning.approval.approving import PLAN_ONLY, Life, fail, planned, served
from unit.planning.world import MIB, UID, serving_on, spec, tasks

EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))


@EVERY_STRATEGY
def test_an_approved_plan_is_carried_out_whole_and_nothing_more(strategy: Strategy) -> None:
    life = Life(spec(strategy, reconcile=PLAN_ONLY))
    held = life.run()
    assert not life.done
    assert [wait.reason for wait in held.waiting] == [Reason.APPROVAL_REQUIRED]
    wanted = planned(life)
    assert len(wanted) == 3
    life.approve(life.hash)
    rested = life.run()
    assert life.done == wanted
    assert not rested.waiting
    assert life.hash == ""
    assert rested.members[0].ready


@EVERY_STRATEGY
def test_a_plan_that_waits_is_the_same_with_and_without_offers_and_asks_for_none(strategy: Strategy) -> None:
    life = Life(spec(strategy, reconcile=PLAN_ONLY))
    with_offer = life.decide()
    published = life.seen.database
    without = life.decide(())
    assert (with_offer.approval, with_offer.waiting) == (without.approval, without.waiting)
    assert not without.wants_offers
    assert life.seen.database == published
    assert any(a.reason is EventReason.PLANNED for a in with_offer.announcements)
    assert not without.announcements
    life.approve(life.hash)
    assert life.decide(()).wants_offers


def grows(life: Life) -> None:
    """Want a larger volume, for which the member is stopped only where the disk is offered."""
    storage = life.spec.storage
    life.edit(storage=replace(storage, size_bytes=2 * storage.size_bytes))


def leaves_over(life: Life) -> None:
    """Have more reserved than the member uses, which is given back where it is offered."""
    (record,) = life.seen.volumes
    assert record.launch is not None
    life.world.agent = given_back(
        life.world.agent, replace(record, persistence_id=None, launch=life.smaller(record)), DiskSource()
    )
    record = replace(record, launch=replace(record.launch, leaves_surplus=True))
    life.world.observed = replace(life.seen, volumes=(record,))


@pytest.mark.parametrize("change", [grows, leaves_over])
def test_a_plan_for_what_runs_does_not_come_and_go_with_the_offers(change: Callable[[Life], None]) -> None:
    life = served()
    change(life)
    life.run()
    with_offer = life.decide()
    published = life.seen.database
    without = life.decide(())
    assert with_offer.held_back
    assert (with_offer.approval, with_offer.waiting) == (without.approval, without.waiting)
    assert life.seen.database == published
    assert not without.wants_offers
    life.approve(life.hash)
    assert not life.run().waiting
    assert life.done


@EVERY_STRATEGY
def test_what_earlier_data_under_removal_still_runs_or_holds_is_in_no_plan_of_the_new_database(
    strategy: Strategy,
) -> None:
    life = Life(spec(strategy, reconcile=PLAN_ONLY))
    earlier, _, _ = serving_on(strategy)
    earlier = replace(earlier, intent=Intent.DELETE, owner_uid="earlier", name="orders-0-earlier")
    earlier = replace(earlier, identity=replace(earlier.identity, uid="earlier"))
    holding = given_back(replace(life.world.agent, resources=()), earlier, DiskSource())
    life.world.observed = replace(
        life.seen,
        volumes=(earlier,),
        found=(earlier,),
        reserved=(holding,),
        tasks=tasks(earlier, TaskState.GONE_BY_OPERATOR),
    )
    life.world.agent = replace(life.world.agent, resources=(*life.world.agent.resources, *holding.resources))
    wanted = planned(life)
    assert "earlier" not in " ".join(wanted)
    assert [UID[:8] in key for key in wanted if "launch " in key] == [True], wanted
    assert life.decide(()).approval == life.decide().approval


def test_a_stale_hash_is_refused_with_the_new_plan() -> None:
    life = Life(spec(reconcile=PLAN_ONLY))
    life.run()
    first = life.hash
    life.edit(resources=ResourcesSpec(cpus_milli=700, memory_bytes=512 * MIB))
    life.approve(first)
    refused = life.run()
    assert not life.done
    assert life.hash not in ("", first)
    (wait,) = refused.waiting
    assert wait.reason is Reason.APPROVAL_STALE
    assert first in wait.message
    assert f"approvedPlan to {life.hash}" in wait.fix
    life.approve(life.hash)
    life.run()
    assert life.done


def test_an_edit_that_is_taken_back_does_not_revive_an_old_hash() -> None:
    life = Life(spec(reconcile=PLAN_ONLY))
    life.run()
    first, before = life.hash, life.spec.resources
    life.edit(resources=ResourcesSpec(cpus_milli=700, memory_bytes=512 * MIB))
    life.run()
    life.edit(resources=before)
    life.approve(first)
    assert life.run().waiting[0].reason is Reason.APPROVAL_STALE
    assert not life.done


@EVERY_STRATEGY
def test_a_repair_waits_for_approval_too_and_what_happened_is_written_down(strategy: Strategy) -> None:
    life = served(strategy)
    spent = life.spec.reconcile.approved_plan
    fail(life)
    held = life.run()
    assert not life.done
    (record,) = life.seen.volumes
    assert record.ended
    assert held.waiting[0].reason is Reason.APPROVAL_REQUIRED, "the spec names a plan that was carried out"
    wanted = planned(life)
    moved = ["secret"] if strategy is Strategy.DFS else []
    assert [key.partition(" ")[0] for key in wanted] == ["launch", *moved, "account"]
    assert life.hash != spent
    life.approve(life.hash)
    life.run()
    assert life.done == wanted


def test_a_release_outlives_an_operator_that_knows_nothing_yet() -> None:
    life = Life(spec(reconcile=PLAN_ONLY))
    life.run()
    wanted = planned(life)
    life.approve(life.hash)
    assert life.decide(()).wants_offers
    life.world.observed = replace(life.seen, crd_terminating=True)
    assert [wait.reason for wait in life.run().waiting] == [Reason.DEFINITIONS_DELETED]
    life.world.observed = replace(life.seen, crd_terminating=False)
    life.run()
    assert life.done == wanted


def test_a_hash_is_good_once() -> None:
    life = served()
    for _ in range(2):
        life.world.observed = replace(life.seen, secret=None)
        assert not life.run().actions
        assert not life.done
        held = life.decide().held_back
        assert [type(action) for action in held] == [SaveVolume, EnsureSecret]
        before = life.hash
        life.approve(before)
        life.run()
        assert life.done
        life.done.clear()
    life.world.observed = replace(life.seen, secret=None)
    life.run()
    assert not life.done
    assert life.hash != before


@EVERY_STRATEGY
def test_a_hash_is_used_up_although_earlier_data_waits_to_be_removed_from_a_machine_that_is_gone(
    strategy: Strategy,
) -> None:
    life = Life(spec(strategy, reconcile=PLAN_ONLY))
    earlier, _, _ = serving_on(strategy)
    earlier = replace(earlier, intent=Intent.DELETE, owner_uid="earlier", name="orders-0-earlier")
    earlier = replace(earlier, identity=replace(earlier.identity, uid="earlier"))
    life.world.observed = replace(life.seen, volumes=(earlier,), tasks=tasks(earlier, TaskState.GONE_BY_OPERATOR))
    life.run()
    life.approve(life.hash)
    assert len(life.run().waiting) == 1, "that of the earlier data"
    life.done.clear()
    life.world.observed = replace(life.seen, secret=None)
    life.run()
    assert not life.done
    assert life.hash


def test_a_release_that_is_taken_back_in_the_middle_stops_there() -> None:
    life = served()
    life.edit(resources=ResourcesSpec(cpus_milli=700, memory_bytes=512 * MIB))
    life.run()
    wanted = planned(life)
    assert [key.partition(" ")[0] for key in wanted][:2] == ["stop", "launch"]
    life.approve(life.hash)
    (kill,) = life.decide().actions
    assert isinstance(kill, KillTask)
    life.carry_out(kill)
    life.edit(reconcile=PLAN_ONLY)
    life.run()
    assert life.done == wanted[:1]
    assert planned(life)[0] == wanted[1]


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.DROPPED, TaskState.GONE])
def test_only_a_launch_that_never_took_place_is_repeated_under_its_release(state: TaskState) -> None:
    life = served()
    life.edit(resources=ResourcesSpec(cpus_milli=700, memory_bytes=512 * MIB))
    life.run()
    life.approve(life.hash)
    for _ in range(3):
        for action in life.decide().actions:
            life.carry_out(action)
    (record,) = life.seen.volumes
    assert record.incarnation == 2
    fail(life, state)
    life.run()
    again = [key.partition(" ")[0] for key in life.done if key.endswith(".3")]
    assert again == ([] if state is TaskState.FAILED else ["launch", "account"])
    assert bool(life.hash) is (state is TaskState.FAILED)


def test_a_held_risk_class_alone_waits_and_the_rest_follows_by_itself() -> None:
    cautious = ReconcileSpec(auto_approve=frozenset({RiskClass.NON_DISRUPTIVE}))
    life = Life(spec(reconcile=cautious))
    assert not life.run().waiting
    life.done.clear()
    life.edit(resources=ResourcesSpec(cpus_milli=700, memory_bytes=512 * MIB))
    held = life.run()
    assert [type(action) for action in held.held_back] == [KillTask]
    assert not life.done
    life.approve(life.hash)
    assert not life.run().waiting
    assert [key.partition(" ")[0] for key in life.done] == ["stop", "launch", "account"]


def test_paused_proposes_nothing() -> None:
    life = Life(spec(reconcile=ReconcileSpec(mode=ReconcileMode.PAUSED)))
    assert life.run().approval is None
