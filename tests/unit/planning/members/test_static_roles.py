"""Agents whose resources are set aside for our role by configuration."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.operations import Create, Destroy, LaunchTask, Reserve, Unreserve
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer, Reservation, Resource
from statefuldb.model.settings import OperatorIdentity
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, Intent, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from unit.planning.world import CLUSTER, OPERATOR, ROLE, desired, observed, offer, remaining, spec

STATIC = Reservation(dynamic=False, role=ROLE)
BELOW = f"{ROLE}/{CLUSTER}"


def operator(role: str) -> OperatorIdentity:
    return replace(OPERATOR, mesos_role=role)


def static(role: str, *, names: tuple[str, ...] = ("cpus", "mem", "disk", "ports")) -> AgentOffer:
    """An agent that has set `names` aside for ROLE, offered to `role`."""
    base = offer()
    held = tuple(replace(r, reservations=(STATIC,)) if r.name in names else r for r in base.resources)
    return replace(base, role=role, resources=held)


def attempt(decided: Plan) -> tuple[VolumeRecord, AcceptOffers]:
    assert not violations(decided, observed(), CLUSTER)
    saved, accepted = decided.actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    return saved.volume, accepted


def over(record: VolumeRecord, intent: Intent = Intent.USE) -> VolumeRecord:
    ending = Ending(incarnation=record.incarnation, state="TASK_KILLED", at_seconds=0.0)
    return replace(record, initialised=True, token=1, intent=intent, ending=ending)


@pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])
def test_in_a_role_below_static_reservations_are_refined_with_labels_and_given_back(strategy: Strategy) -> None:
    record, accepted = attempt(plan(desired(spec(strategy)), observed(), (static(BELOW),), operator(BELOW)))
    (reserve,) = [o for o in accepted.operations if isinstance(o, Reserve)]
    assert all(r.reservations[0] == STATIC for r in reserve.resources)
    assert all((r.reservations[1].role, r.labels is not None) == (BELOW, True) for r in reserve.resources)
    assert not accepted.what.endswith("stopped")
    idle = remaining(static(BELOW), accepted, launched=False)
    _, again = attempt(plan(desired(spec(strategy)), observed(volumes=(over(record),)), (idle,), operator(BELOW)))
    assert [type(o) for o in again.operations] == [LaunchTask]
    if strategy is Strategy.PERSISTENT_VOLUME:
        deleting = observed(database=None, volumes=(over(record, Intent.DELETE),))
        _, release = attempt_release(plan(None, deleting, (idle,), operator(BELOW)))
        freed = remaining(idle, release, launched=False)
        assert all(r.reservations == (STATIC,) for r in freed.resources)


def attempt_release(decided: Plan) -> tuple[SaveVolume, AcceptOffers]:
    saved, release = decided.actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(release, AcceptOffers)
    return saved, release


def test_what_nobody_has_reserved_fills_up_what_static_reservations_lack() -> None:
    mixed = static(BELOW, names=("disk",))
    small = replace(mixed.resources[0], amount_milli=200, reservations=(STATIC,))
    mixed = replace(mixed, resources=(*mixed.resources, small))
    _, accepted = attempt(plan(desired(spec()), observed(), (mixed,), operator(BELOW)))
    (reserve,) = [o for o in accepted.operations if isinstance(o, Reserve)]
    cpus = [(len(r.reservations), r.amount_milli) for r in reserve.resources if r.name == "cpus"]
    assert cpus == [(2, 200), (1, 300)]
    remaining(mixed, accepted, launched=True)


def test_in_its_own_role_only_the_volume_is_owned_and_the_plan_says_so() -> None:
    record, accepted = attempt(plan(desired(spec()), observed(), (static(ROLE),), OPERATOR))
    assert [type(o) for o in accepted.operations] == [Create, LaunchTask]
    assert "with cpus, mem, ports of a static reservation, which nothing keeps" in accepted.what
    remaining(static(ROLE), accepted, launched=True)
    idle = remaining(static(ROLE), accepted, launched=False)
    again, relaunched = attempt(plan(desired(spec()), observed(volumes=(over(record),)), (idle,), OPERATOR))
    assert [type(o) for o in relaunched.operations] == [LaunchTask]
    assert again.persistence_id == record.persistence_id
    assert again.launch is not None
    assert not again.launch.leaves_surplus


def test_static_reservations_are_never_unreserved() -> None:
    record, accepted = attempt(plan(desired(spec()), observed(), (static(ROLE),), OPERATOR))
    idle = remaining(static(ROLE), accepted, launched=False)
    seen = observed(database=None, volumes=(over(record, Intent.DELETE),))
    decided = plan(None, seen, (idle,), OPERATOR)
    assert not violations(decided, seen, CLUSTER)
    saved, release = attempt_release(decided)
    assert [type(o) for o in release.operations] == [Destroy]
    after = replace(remaining(idle, release, launched=False), received_at_seconds=2_000.0)
    gone = plan(None, observed(database=None, volumes=(saved.volume,)), (after,), OPERATOR)
    assert not any(isinstance(a, AcceptOffers) for a in gone.actions)


def test_a_plan_that_unreserves_what_has_no_label_is_refused() -> None:
    _, accepted = attempt(plan(desired(spec()), observed(), (static(ROLE),), OPERATOR))
    bad = replace(accepted, operations=(Unreserve(resources=static(ROLE).resources[:1]),))
    assert [v.law for v in violations(Plan(actions=(bad,)), observed(), CLUSTER)] == ["ours_only"]


def test_a_volume_without_labels_gets_its_entry_back_by_its_persistence_id() -> None:
    _, accepted = attempt(plan(desired(spec()), observed(), (static(ROLE),), OPERATOR))
    idle = remaining(static(ROLE), accepted, launched=False)
    (saved,) = plan(desired(spec()), observed(), (idle,), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.intent is Intent.RETAIN


def test_dfs_uses_static_reservations_without_owning_anything() -> None:
    for role in (ROLE, BELOW):
        _, accepted = attempt(plan(desired(spec(Strategy.DFS)), observed(), (static(role),), operator(role)))
        assert [type(o) for o in accepted.operations] == [LaunchTask]


@pytest.mark.parametrize("reserved_for", [BELOW, "another", f"{ROLE}x"])
def test_what_is_set_aside_for_others_is_not_touched(reserved_for: str) -> None:
    other = Reservation(dynamic=True, role=reserved_for)
    taken: tuple[Resource, ...] = tuple(replace(r, reservations=(other,)) for r in offer().resources)
    assert not plan(desired(spec()), observed(), (replace(offer(), resources=taken),), OPERATOR).actions


def test_a_bundle_of_the_role_above_is_used_from_the_role_below() -> None:
    record, accepted = attempt(plan(desired(spec()), observed(), (offer(),), OPERATOR))
    idle = replace(remaining(offer(), accepted, launched=False), role=BELOW)
    _, again = attempt(plan(desired(spec()), observed(volumes=(over(record),)), (idle,), operator(BELOW)))
    assert [type(o) for o in again.operations] == [LaunchTask]


def test_a_volume_on_a_static_reservation_is_destroyed_before_it_is_forgotten() -> None:
    record, _ = attempt(plan(desired(spec()), observed(), (static(ROLE),), OPERATOR))
    assert not record.reservations
    seen = observed(database=None, volumes=(over(record, Intent.DELETE),))
    decided = plan(None, seen, (), OPERATOR)
    assert not decided.actions
    assert decided.wants_offers


def test_a_volume_on_a_static_reservation_does_not_grow_by_what_is_not_of_it() -> None:
    record, accepted = attempt(plan(desired(spec()), observed(), (static(ROLE),), OPERATOR))
    idle = remaining(static(ROLE), accepted, launched=False)
    volume = next(r for r in idle.resources if r.persistence is not None)
    rest = tuple(r for r in idle.resources if r.name != "disk")
    beside = next(r for r in offer().resources if r.name == "disk")
    storage = replace(spec().storage, size_bytes=2 * spec().storage.size_bytes)
    offered = replace(idle, resources=(*rest, volume, beside))
    decided = plan(desired(spec(storage=storage)), observed(volumes=(over(record),)), (offered,), OPERATOR)
    operations = [o for a in decided.actions if isinstance(a, AcceptOffers) for o in a.operations]
    assert not any(isinstance(o, Reserve) for o in operations), "Mesos would refuse it"
