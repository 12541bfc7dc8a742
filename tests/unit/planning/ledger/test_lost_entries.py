"""A ledger entry was deleted: where there may be data of this database, nothing is begun and nothing else served."""

from dataclasses import replace
from typing import Any

import pytest

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.canonical import canonical
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Plan
from statefuldb.model.spec import DesiredState, ReconcileMode, ReconcileSpec, Strategy
from statefuldb.model.volume import Intent, VolumePhase, VolumeRecord
from statefuldb.planning.desired import desired_of
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from statefuldb.reconcile.report import status_of_plan
from unit.planning.world import (
    CLUSTER,
    KEY,
    OPERATOR,
    UID,
    database,
    decide,
    desired,
    observed,
    offer,
    running,
    serving_on,
    spec,
)

EARLIER = "99999999-2222-3333-4444-555555555555"
OF_ONE_AGENT = [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH]


def saved(decided: Plan) -> list[VolumeRecord]:
    return [action.volume for action in decided.actions if isinstance(action, SaveVolume)]


def naming(*names: str, **changes: Any) -> Observed:
    """Return the sight of a database whose status names these entries, none of which is in the ledger."""
    return observed(database=database(status={"storage": {"volumes": list(names)}}), **changes)


def published(seen: Observed, decided: Plan) -> list[str]:
    storage: Any = status_of_plan(seen, decided)["storage"]
    return list(storage["volumes"])


def retained(record: VolumeRecord) -> VolumeRecord:
    return replace(record, intent=Intent.RETAIN, phase=VolumePhase.RETAINED, launch=None)


def of_an_earlier_life(record: VolumeRecord) -> VolumeRecord:
    identity = replace(record.identity, uid=EARLIER)
    return replace(retained(record), name="orders-0-99999999", owner_uid=EARLIER, identity=identity)


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("reserved", [(), None], ids=["its agent is away", "the master does not say"])
@pytest.mark.parametrize("empty", [True, False])
def test_nothing_is_begun_in_its_place(strategy: Strategy, reserved: tuple[()] | None, empty: bool) -> None:
    record, _, _ = serving_on(strategy)
    decided = decide(spec(strategy, bootstrap_empty=empty), naming(record.name, reserved=reserved), offer("agent-2"))
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.reason is Reason.VOLUME_MISSING
    assert record.name in wait.message
    assert "create it again" in wait.fix
    assert ("volumes scan" in wait.fix) is (strategy is not Strategy.PERSISTENT_VOLUME)


def test_a_plan_that_begins_in_its_place_or_serves_other_data_breaks_a_law() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    old = of_an_earlier_life(record)
    begun = plan(desired(spec()), observed(), (offer(),), OPERATOR)
    adopted = plan(desired(spec()), observed(volumes=(old,)), (), OPERATOR)
    for decided, volumes in ((begun, ()), (adopted, (old,))):
        assert decided.actions
        assert not violations(decided, observed(volumes=volumes), CLUSTER)
        found = violations(decided, naming(record.name, volumes=volumes), CLUSTER)
        assert {violation.law for violation in found} == {"no_empty_resurrection"}


def test_a_database_that_once_began_empty_takes_its_volume_up_again_when_its_entry_was_found() -> None:
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    wanted = spec(bootstrap_empty=True)
    seen = naming(record.name, reserved=(idle,))
    (found,) = saved(decide(wanted, seen, idle))
    assert (found.name, found.intent, found.persistence_id) == (record.name, Intent.RETAIN, record.persistence_id)
    seen = replace(seen, volumes=(found,))
    decided = decide(wanted, seen, idle)
    (used,) = saved(decided)
    assert (used.name, used.intent) == (record.name, Intent.USE)
    assert not any(isinstance(action, AcceptOffers) for action in decided.actions)
    launched = decide(wanted, replace(seen, volumes=(used,)), idle)
    assert [r.persistence_id for r in saved(launched)] == [record.persistence_id]


def test_a_database_that_had_adopted_data_takes_that_up_again_though_it_was_told_to_begin_empty_since() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    found = of_an_earlier_life(record)
    (used,) = saved(decide(spec(bootstrap_empty=True), naming(found.name, volumes=(found,)), offer("agent-2")))
    assert (used.name, used.owner_uid) == (found.name, UID)


def test_a_new_database_that_is_to_begin_empty_begins_beside_retained_data() -> None:
    record, _, _ = serving_on(Strategy.HOST_PATH)
    seen = observed(volumes=(of_an_earlier_life(record),))
    decided = decide(spec(Strategy.HOST_PATH, bootstrap_empty=True), seen, offer("agent-2"))
    (begun,) = saved(decided)
    assert begun.identity.uid == UID
    assert UID in (begun.directory or "")


def test_data_of_an_earlier_life_is_not_served_in_its_place() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    decided = decide(spec(), naming(record.name, volumes=(of_an_earlier_life(record),)), offer())
    assert not decided.actions
    assert [wait.reason for wait in decided.waiting] == [Reason.VOLUME_MISSING]


def test_its_own_data_is_taken_up_before_that_of_an_earlier_life() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    own = retained(record)
    (used,) = saved(decide(spec(), observed(volumes=(own, of_an_earlier_life(record))), offer()))
    assert used.name == record.name


@pytest.mark.parametrize("strategy", OF_ONE_AGENT)
@pytest.mark.parametrize(
    "changes",
    [
        {"replicas": 0},
        {"state": DesiredState.STOPPED},
        {"reconcile": ReconcileSpec(mode=ReconcileMode.PAUSED)},
        {"reconcile": ReconcileSpec(mode=ReconcileMode.PLAN_ONLY)},
    ],
    ids=["replicas 0", "Stopped", "Paused", "PlanOnly"],
)
def test_what_does_not_run_remembers_it_too(strategy: Strategy, changes: dict[str, Any]) -> None:
    record, _, _ = serving_on(strategy)
    seen = naming(record.name)
    decided = decide(spec(strategy, **changes), seen)
    status = status_of_plan(seen, decided)
    started = replace(seen, database=database(status=status))
    again = decide(spec(strategy), started, offer("agent-2"))
    assert not again.actions
    assert [wait.reason for wait in again.waiting] == [Reason.VOLUME_MISSING]


@pytest.mark.parametrize("changes", [{"replicas": 0}, {"state": DesiredState.STOPPED}])
def test_a_stopped_database_says_that_its_entry_is_lost(changes: dict[str, Any]) -> None:
    record, _, _ = serving_on(Strategy.HOST_PATH)
    decided = decide(spec(Strategy.HOST_PATH, **changes), naming(record.name))
    said = {condition.type: (condition.status, condition.reason) for condition in decided.conditions}
    assert said[ConditionType.READY] == (False, Reason.VOLUME_MISSING)
    assert said[ConditionType.DATA_AT_RISK] == (True, Reason.VOLUME_MISSING)


def test_a_spec_that_is_refused_or_cannot_be_read_any_more_makes_nobody_forget_it() -> None:
    record, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    before = status_of_plan(running(record), decide(spec(), running(record), beside))
    refused = database(spec={**canonical(spec()), "replicas": 7}, status=before, generation=2)
    unread = replace(refused, status={**before, "accepted": {"generation": 1, "spec": {"engine": "unheard of"}}})
    for stored in (refused, unread):
        seen = observed(database=stored)
        target = desired_of(seen, ())
        assert target is not None
        assert target.errors
        assert published(seen, plan(target, seen, (), OPERATOR)) == [record.name]


def test_a_name_is_dropped_once_the_data_is_anothers() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    old = of_an_earlier_life(record)
    stopped = spec(replicas=0)
    for seen, names in (
        (naming(old.name), [old.name]),
        (naming(old.name, volumes=(old,)), [old.name]),
        (naming(old.name, volumes=(replace(old, intent=Intent.DELETE),)), []),
        (naming(old.name, adopted_away=(old.identity,)), []),
        (naming("made-up"), ["made-up"]),
    ):
        assert published(seen, decide(stopped, seen)) == names
    begun = decide(spec(), naming(old.name, adopted_away=(old.identity,)), offer())
    assert [entry.name for entry in saved(begun)] == [f"{KEY.name}-0-{UID[:8]}"]


@pytest.mark.parametrize("uid", [UID, EARLIER], ids=["its own", "of an earlier life"])
@pytest.mark.parametrize("empty", [True, False])
def test_what_an_agent_holds_for_no_entry_may_be_beside_a_directory(uid: str, empty: bool) -> None:
    record, _, idle = serving_on(Strategy.HOST_PATH)
    wanted = spec(Strategy.HOST_PATH, bootstrap_empty=empty)
    seen = observed(database=database(uid=uid), reserved=(replace(idle, offer_ids=()),))
    decided = decide(wanted, seen, offer("agent-2"))
    if empty and uid == EARLIER:
        (begun,) = saved(decided)
        assert EARLIER in (begun.directory or ""), "beside it, as the manifest asks"
        return
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.reason is Reason.VOLUME_MISSING
    assert f"agent-1 holds what was reserved for {record.name}" in wait.message
    assert f"volumes scan /srv/db --on-agents --adopt {record.name}" in wait.fix
    held = plan(desired(replace(wanted, reconcile=ReconcileSpec(mode=ReconcileMode.PLAN_ONLY))), seen, (), OPERATOR)
    assert [w.reason for w in held.waiting] == [Reason.VOLUME_MISSING], "no plan is shown that could not be carried out"
    anyway = plan(desired(wanted), replace(seen, reserved=()), (offer("agent-2"),), OPERATOR)
    assert {v.law for v in violations(anyway, seen, CLUSTER)} == {"no_empty_resurrection"}


def test_what_an_agent_holds_for_a_known_entry_is_in_nobodys_way() -> None:
    record, _, idle = serving_on(Strategy.HOST_PATH)
    old = database(uid=EARLIER)
    deleted = replace(record, intent=Intent.DELETE)
    elsewhere = {"volumes": (deleted,)}, {"adopted_away": (record.identity,)}
    for known in elsewhere:
        seen = observed(database=old, reserved=(replace(idle, offer_ids=()),), **known)
        assert EARLIER in [entry.identity.uid for entry in saved(decide(spec(), seen, offer("agent-2")))]


def test_before_the_operator_is_subscribed_nobody_is_told_that_something_is_missing() -> None:
    _, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    away = replace(observed().mesos, connected=False)
    seen = observed(database=database(uid=EARLIER), mesos=away, reserved=(replace(idle, offer_ids=()),))
    decided = decide(spec(), seen)
    assert not decided.actions
    assert [wait.reason for wait in decided.waiting] == [Reason.MESOS_DISCONNECTED]


@pytest.mark.parametrize("own", [True, False])
def test_what_helps_where_data_does_not_fit_the_manifest_depends_on_whose_it_is(own: bool) -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    kept = retained(record) if own else of_an_earlier_life(record)
    decided = decide(spec(Strategy.HOST_PATH), observed(volumes=(kept,)), offer())
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.reason is Reason.AMBIGUOUS_RETAINED_VOLUMES
    assert ("bootstrap" in wait.fix) is not own
