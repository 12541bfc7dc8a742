"""Somebody else in our role uses what is reserved for a member, or has destroyed it."""

from dataclasses import replace
from typing import Any

import pytest

from statefuldb.adapters.mesos.wire import resource_to_wire
from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.identity import LABEL_CLUSTER
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.operations import LaunchTask
from statefuldb.model.resources import Resource
from statefuldb.model.spec import AgentAttribute, DatabaseSpec, PlacementSpec, Strategy
from statefuldb.model.volume import Ending, VolumeRecord
from statefuldb.planning.planner import plan
from unit.mesos.adapter import Wired
from unit.planning.world import CLUSTER, OPERATOR, desired, observed, offer, spec, tasks

OURS = {"id": {"value": "F1"}, "name": "statefuldb", "labels": {"labels": [{"key": LABEL_CLUSTER, "value": CLUSTER}]}}
BOUND = pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])


def member(strategy: Strategy) -> tuple[VolumeRecord, tuple[Resource, ...]]:
    """Return a member that has ended, and its bundle."""
    saved, accepted = plan(desired(spec(strategy)), observed(), (offer(),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    (task,) = [o for o in accepted.operations if isinstance(o, LaunchTask)]
    ending = Ending(incarnation=1, state="TASK_KILLED", at_seconds=0.0)
    return replace(saved.volume, initialised=True, token=1, ending=ending), task.resources


def world(bundle: tuple[Resource, ...]) -> Wired:
    wired = Wired()
    wired.subscribe()
    wired.holdings = {"id-of-agent-1": [resource_to_wire(r) for r in bundle]}
    wired.frameworks = [{"framework_info": {"id": {"value": "F9"}, "name": "thief"}}]
    return wired


def foreign(bundle: tuple[Resource, ...], task_id: str = "loot") -> dict[str, Any]:
    return {
        "task_id": {"value": task_id},
        "framework_id": {"value": "F9"},
        "agent_id": {"value": "id-of-agent-1"},
        "resources": [resource_to_wire(r) for r in bundle],
    }


def seen(wired: Wired, record: VolumeRecord, **more: Any) -> Observed:
    sighting = wired.adapter.sighting(record)
    assert sighting is not None
    return observed(volumes=(record,), sightings=(sighting,), **more)


@BOUND
def test_a_reservation_that_another_framework_uses_is_named_with_its_user(strategy: Strategy) -> None:
    record, bundle = member(strategy)
    wired = world(bundle)
    wired.tasks = [foreign(bundle)]
    for state in (None, TaskState.UNKNOWN):
        held = record if state is None else replace(record, ending=None)
        statuses = {} if state is None else tasks(record, state)
        decided = plan(desired(spec(strategy)), seen(wired, held, tasks=statuses), (offer(cpus=0.1),), OPERATOR)
        assert not decided.actions
        (wait,) = decided.waiting
        assert wait.reason is Reason.RESERVATION_TAKEN
        assert "task loot of framework thief (F9)" in wait.message
        assert "agent-1" in wait.message
        assert wait.hosts == ("agent-1",)


def test_our_own_task_and_tasks_on_other_resources_are_no_thieves() -> None:
    record, bundle = member(Strategy.PERSISTENT_VOLUME)
    wired = world(bundle)
    own = {**foreign(bundle, str(record.task_id)), "framework_id": {"value": "F1"}}
    wired.frameworks = [*wired.frameworks, {"framework_info": OURS}]
    wired.tasks = [own, foreign(offer().resources)]
    sighting = wired.adapter.sighting(record)
    assert sighting is not None
    assert not sighting.used_by
    assert sighting.volume_on == {"agent-1"}


def test_the_volume_of_an_earlier_attempt_is_not_the_one_that_is_looked_for() -> None:
    """Simulator, seed 18707: that one hid that the agent of the last attempt, which never served, is gone for good."""
    record, bundle = member(Strategy.PERSISTENT_VOLUME)
    sighting = world(bundle).adapter.sighting(replace(record, persistence_id=f"{record.persistence_id}.2"))
    assert sighting is not None
    assert not sighting.volume_on


def test_a_task_of_another_framework_with_an_id_like_ours_is_a_thief_all_the_same() -> None:
    """On a real Mesos: a task `sdb.<uid>.0.99` of another framework on the volume of a stopped member."""
    record, bundle = member(Strategy.PERSISTENT_VOLUME)
    wired = world(bundle)
    wired.tasks = [foreign(bundle, f"sdb.{record.identity.uid}.0.99")]
    sighting = wired.adapter.sighting(record)
    assert sighting is not None
    assert [task.framework_name for task in sighting.used_by] == ["thief"]
    wired.frameworks = []
    wired.time.pass_by(31)
    unlisted = wired.adapter.sighting(record)
    assert unlisted is not None
    assert not unlisted.used_by, "of an earlier framework of ours, which is listed no more"


def test_a_list_from_before_the_clock_was_set_back_is_not_taken_for_a_fresh_one() -> None:
    record, bundle = member(Strategy.PERSISTENT_VOLUME)
    wired = world(bundle)
    assert wired.adapter.sighting(record) is not None
    wired.holdings = {}
    wired.time.seconds -= 3_600.0
    sighting = wired.adapter.sighting(record)
    assert sighting is not None
    assert not sighting.volume_on


def test_a_volume_that_somebody_destroyed_is_said_to_be_gone() -> None:
    record, _ = member(Strategy.PERSISTENT_VOLUME)
    decided = plan(desired(spec()), seen(world(()), record), (offer(),), OPERATOR)
    assert not decided.actions
    assert decided.waiting[0].reason is Reason.VOLUME_MISSING
    assert "somebody destroyed it" in decided.waiting[0].message


def test_another_agent_on_the_host_of_a_volume_may_have_another_work_directory() -> None:
    """On a real Mesos, whose agent came back on an empty work directory: `somebody destroyed it; restore a backup`."""
    record, bundle = member(Strategy.PERSISTENT_VOLUME)
    assert record.agent is not None
    before = replace(record, agent=replace(record.agent, id="an-earlier-agent"))
    wait = plan(desired(spec()), seen(world(()), before), (offer(),), OPERATOR).waiting[0]
    assert wait.reason is Reason.VOLUME_MISSING
    assert "another agent than an-earlier-agent" in wait.message
    assert "with the work directory that it had" in wait.fix
    back = seen(world(bundle), before)
    assert plan(desired(spec()), back, (replace(offer(), resources=bundle),), OPERATOR).actions


def test_an_agent_that_is_not_registered_is_said_to_be_so() -> None:
    record, bundle = member(Strategy.PERSISTENT_VOLUME)
    wired = world(bundle)
    wired.agents = {"id-of-agent-2": ()}
    decided = plan(desired(spec()), seen(wired, record), (), OPERATOR)
    assert decided.waiting[0].reason is Reason.AWAITING_VOLUME_OFFER
    assert "no agent on agent-1 is registered" in decided.waiting[0].message
    assert decided.waiting[0].fix.startswith("start the agent on agent-1 again, after STOP_MAINTENANCE")
    assert decided.look_again_after_seconds is not None


def test_the_master_is_asked_at_most_twice_a_minute() -> None:
    record, bundle = member(Strategy.PERSISTENT_VOLUME)
    wired = world(bundle)
    assert wired.adapter.sighting(record) == wired.adapter.sighting(record)
    wired.tasks = [foreign(bundle)]
    first = wired.adapter.sighting(record)
    wired.time.pass_by(31)
    second = wired.adapter.sighting(record)
    assert first is not None
    assert second is not None
    assert (len(first.used_by), len(second.used_by)) == (0, 1)


@BOUND
def test_a_framework_that_holds_an_offer_of_what_is_ours_is_named(strategy: Strategy) -> None:
    record, bundle = member(strategy)
    wired = world(bundle)
    held = {"offers": [{"resources": [resource_to_wire(r) for r in bundle]}]}
    wired.frameworks = [{**wired.frameworks[0], **held}, {"framework_info": OURS, **held}]
    decided = plan(desired(spec(strategy)), seen(wired, record), (offer(cpus=0.1),), OPERATOR)
    (wait,) = decided.waiting
    assert wait.reason is Reason.RESERVATION_TAKEN
    assert "is held by framework thief (F9) in an offer" in wait.message
    assert "F1" not in wait.message, "an offer to ourselves is on its way to us"
    wired.frameworks = [
        {**wired.frameworks[0], "offers": [{"resources": [resource_to_wire(r) for r in offer().resources]}]}
    ]
    wired.time.pass_by(31)
    assert (
        plan(desired(spec(strategy)), seen(wired, record), (), OPERATOR).waiting[0].reason
        is Reason.AWAITING_VOLUME_OFFER
    )


@BOUND
def test_an_agent_that_was_drained_or_deactivated_is_said_to_be_so(strategy: Strategy) -> None:
    record, bundle = member(strategy)
    wired = world(bundle)
    wired.set_aside = {"id-of-agent-1"}
    (wait,) = plan(desired(spec(strategy)), seen(wired, record), (), OPERATOR).waiting
    assert wait.reason is Reason.MAINTENANCE
    assert "agent-1 is deactivated or drained" in wait.message
    assert "REACTIVATE_AGENT" in wait.fix


def test_before_anything_is_offered_nobody_is_told_to_free_what_is_not_named() -> None:
    record, _ = member(Strategy.PERSISTENT_VOLUME)
    (wait,) = plan(desired(spec()), observed(volumes=(record,)), (), OPERATOR).waiting
    assert "statefuldb doctor" in wait.fix
    (wait,) = plan(desired(spec()), observed(volumes=(record,)), (offer(cpus=0.1),), OPERATOR).waiting
    assert "free or add the resources named" in wait.fix


@pytest.mark.parametrize(
    ("wanted", "amiss", "remedy"),
    [
        (spec(placement=PlacementSpec(mesos_role="gold")), "role", "spec.placement.mesosRole"),
        (
            spec(placement=PlacementSpec(attributes=(AgentAttribute(name="rack", value="r1"),))),
            "attribute",
            "attributes",
        ),
        (spec(Strategy.DFS), "mount", "docs/mesos.md"),
    ],
)
def test_what_no_amount_of_resources_would_help_against_has_its_own_remedy(
    wanted: DatabaseSpec, amiss: str, remedy: str
) -> None:
    lacking = offer(attributes={"other": "1"})
    (wait,) = plan(desired(wanted), observed(), (lacking,), OPERATOR).waiting
    assert wait.refusals == {amiss: 1}
    assert remedy in wait.fix
    assert "free or add" not in wait.fix


def test_where_some_agents_lack_amounts_and_others_what_is_asked_of_them_both_remedies_are_told() -> None:
    wanted = spec(placement=PlacementSpec(attributes=(AgentAttribute(name="rack", value="r1"),)))
    full = offer("agent-2", cpus=0.1, attributes={"rack": "r1"})
    (wait,) = plan(desired(wanted), observed(), (offer(), full), OPERATOR).waiting
    assert "spec.placement.attributes" in wait.fix
    assert "free or add" in wait.fix
