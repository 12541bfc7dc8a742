"""Entries of the same data: the one in use goes on, any other is left alone, and both opinions say so."""

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from statefuldb.model.actions import AcceptOffers, Action, DeleteSecret, ForgetVolume, KillTask, SaveVolume
from statefuldb.model.conditions import ConditionType, EventReason, Reason
from statefuldb.model.duplicate import OtherEntry
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import DatabaseObject, Observed, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.spec import RiskClass, Strategy
from statefuldb.model.volume import AgentRef, Intent, VolumePhase, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.inventory.comparison import VolumeState, compare, find
from statefuldb.planning.inventory.uninstalling import obstacles
from statefuldb.planning.ledger.duplicates import told_apart
from statefuldb.planning.planner import plan
from statefuldb.planning.storage.holding import given_back
from statefuldb.reconcile.execute import Executor
from statefuldb.reconcile.report import status_of_plan
from unit.planning.ledger.test_damaged import damaged
from unit.planning.world import (
    CLUSTER,
    KEY,
    OPERATOR,
    UID,
    database,
    desired,
    observed,
    offer,
    running,
    serving_on,
    spec,
    tasks,
)

SCRATCH = DatabaseKey(namespace="scratch", name=KEY.name)
LATER = "99999999-2222-3333-4444-555555555555"


def seen(record: VolumeRecord, other: OtherEntry, held: DatabaseObject | None, **changes: Any) -> Observed:
    """Return the sight of a member that runs, as the observer makes it beside another entry of its data."""
    volumes, duplicates = told_apart((record,), held, lambda _: (other,))
    return replace(running(record), volumes=volumes, duplicates=duplicates, database=held, **changes)


def elsewhere(record: VolumeRecord, *, in_use: bool = False) -> OtherEntry:
    return OtherEntry(key=SCRATCH, name=record.name, in_use=in_use)


def decide(sight: Observed, strategy: Strategy = Strategy.PERSISTENT_VOLUME, *, idle: Any = None) -> Plan:
    offered = (idle,) if idle is not None else (offer(),)
    decided = plan(desired(spec(strategy)) if sight.database is not None else None, sight, offered, OPERATOR)
    assert not violations(decided, sight, CLUSTER)
    return decided


@pytest.mark.parametrize("strategy", Strategy)
def test_the_entry_that_its_own_database_uses_goes_on_as_ever(strategy: Strategy) -> None:
    record, beside, _ = serving_on(strategy)
    sight = seen(record, elsewhere(record), database())
    assert sight.volumes == (record,)
    assert decide(sight, strategy, idle=beside) == decide(running(record), strategy, idle=beside)
    ended = replace(sight, tasks=tasks(record, TaskState.FAILED))
    (action,) = decide(ended, strategy, idle=beside).actions
    assert isinstance(action, SaveVolume)
    assert action.volume.ended


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("intent", Intent)
@pytest.mark.parametrize("held", [None, database(uid=LATER)])
def test_any_other_is_left_alone_and_it_is_said_which_others_there_are(
    strategy: Strategy, intent: Intent, held: DatabaseObject | None
) -> None:
    record, beside, idle = serving_on(strategy)
    for other in (elsewhere(record), elsewhere(record, in_use=True)):
        for state in (TaskState.RUNNING, TaskState.KILLED):
            sight = seen(replace(record, intent=intent), other, held, found=(record,))
            sight = replace(sight, tasks=tasks(record, state))
            for offered in (beside, idle, offer()):
                decided = decide(sight, strategy, idle=offered)
                assert not decided.actions
                (wait,) = decided.waiting
                assert wait.reason is Reason.LEDGER_ENTRY_DUPLICATE
                assert f"scratch/{record.name}" in wait.message
                assert f"kubectl delete databasevolume {record.name} -n {KEY.namespace}" in wait.fix
                assert ("this entry is the copy" in wait.fix) is other.in_use


def test_a_database_that_would_adopt_it_says_that_a_person_must_act() -> None:
    record, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    before = status_of_plan(running(record), decide(running(record), idle=beside))
    held = database(uid=LATER, status=before)
    sight = seen(replace(record, intent=Intent.RETAIN), elsewhere(record), held)
    decided = decide(sight)
    said = {c.type: (c.status, c.reason) for c in decided.conditions}
    assert said[ConditionType.READY] == (False, Reason.LEDGER_ENTRY_DUPLICATE)
    assert said[ConditionType.STALLED] == (True, Reason.LEDGER_ENTRY_DUPLICATE)
    assert said[ConditionType.STORAGE_READY] == (False, Reason.LEDGER_ENTRY_DUPLICATE)
    status: Any = status_of_plan(sight, decided)
    assert status["storage"]["volumes"] == [record.name]


def test_one_that_is_alone_is_adopted_as_ever() -> None:
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    retained = replace(record, intent=Intent.RETAIN, phase=VolumePhase.RETAINED)
    volumes, duplicates = told_apart((retained,), database(uid=LATER), lambda _: ())
    assert not duplicates
    sight = observed(volumes=volumes, tasks=tasks(record, TaskState.KILLED), database=database(uid=LATER))
    assert any(isinstance(a, SaveVolume) for a in decide(sight, idle=idle).actions)


@pytest.mark.parametrize("first", [True, False])
def test_of_two_under_one_database_the_one_with_the_name_that_we_gave_goes_on(first: bool) -> None:
    record, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    names = [record.name if first else "one", "two"]
    entries = tuple(replace(record, name=name) for name in names)
    others = {n: tuple(OtherEntry(key=KEY, name=o) for o in names if o != n) for n in names}
    volumes, duplicates = told_apart(entries, database(), lambda r: others[r.name])
    assert [v.name for v in volumes] == ([record.name] if first else [])
    sight = replace(running(record), volumes=volumes, duplicates=duplicates)
    decided = decide(sight, idle=beside)
    assert not decided.actions
    ready = next(c.status for c in decided.conditions if c.type is ConditionType.READY)
    assert ready is first
    assert [w.reason for w in decided.waiting] == [Reason.LEDGER_ENTRY_DUPLICATE] * (1 if first else 2)


@pytest.mark.parametrize("uid", [UID, LATER])
def test_of_two_that_seem_to_be_in_use_the_one_goes_on_whose_data_began_with_its_database(uid: str) -> None:
    """Somebody has copied the manifest too, and written the new database's uid into the copied entry."""
    record, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    mine = replace(record, owner_uid=uid)
    sight = seen(mine, elsewhere(record, in_use=True), database(uid=uid))
    assert bool(sight.volumes) is (uid == UID)
    assert not decide(sight, idle=beside).actions
    assert record.task_id is not None
    kill = KillTask(task_id=record.task_id, agent_id="a", grace_seconds=1, why="", risk=RiskClass.RESTART)
    broken = violations(Plan(actions=(kill,)), replace(sight, volumes=(mine,)), CLUSTER)
    assert bool(broken) is (uid != UID)


def test_a_deleted_database_lets_go_of_what_it_uses_and_warns_that_nothing_more_is_done() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    going = database(deleting=True)
    used, left = record, replace(record, owner_uid=LATER)
    for mine in (used, left):
        decided = decide(seen(mine, elsewhere(record), going))
        saved = [a.volume.intent for a in decided.actions if isinstance(a, SaveVolume)]
        assert saved == ([Intent.RETAIN] if mine is used else [])
        told = decided.announcements[-1]
        assert (told.reason, told.warning) == (EventReason.VOLUME_RETAINED, True)
        assert f"scratch/{record.name}, and nothing is done about it" in told.message


def test_the_secret_stays_while_data_may_need_it() -> None:
    record, _, _ = serving_on(Strategy.DFS)
    second = replace(record.identity, ordinal=1)
    gone = replace(record, identity=second, initialised=False, launch=None, intent=Intent.DELETE, name="orders-1-2")
    sight = seen(record, elsewhere(record), None)
    actions = decide(replace(sight, volumes=(gone,), tasks={})).actions
    assert any(isinstance(action, ForgetVolume) for action in actions)
    assert not any(isinstance(action, DeleteSecret) for action in actions)


def test_an_end_is_acknowledged_by_what_the_entry_in_use_says_and_by_no_other() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    first, copy = replace(record, name="one"), replace(record, name="two")
    other = {copy.name: (OtherEntry(key=KEY, name="one"),), first.name: (OtherEntry(key=KEY, name="two"),)}
    _, duplicates = told_apart((first, copy), database(), lambda r: other[r.name])
    kubernetes, mesos = Mock(), Mock()
    kubernetes.volumes.return_value = (first, copy)
    ports: dict[str, Any] = dict.fromkeys(("keepers", "secrets", "fencing", "measures"), Mock())
    executor = Executor(kubernetes=kubernetes, mesos=mesos, **ports)
    executor.acknowledge(observed(tasks=tasks(record, TaskState.FAILED), duplicates=duplicates))
    mesos.acknowledge.assert_not_called()


@pytest.mark.parametrize("intent", Intent)
def test_the_second_opinion_refuses_every_hand_laid_on_it(intent: Intent) -> None:
    """As if the first opinion had taken the entry for the one in use."""
    record, beside, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    assert record.task_id is not None
    mine = replace(record, intent=intent)
    _, duplicates = told_apart((mine,), None, lambda _: (elsewhere(record),))
    kill = KillTask(task_id=record.task_id, agent_id="a", grace_seconds=1, why="", risk=RiskClass.RESTART)
    back = AcceptOffers(
        agent=AgentRef(id=idle.agent_id, hostname=idle.hostname),
        offer_ids=idle.offer_ids,
        operations=given_back(record.identity, idle),
        what="",
        ordinal=0,
        risk=RiskClass.DESTRUCTIVE,
    )
    assert len(back.operations) == 2
    launched = plan(desired(spec()), observed(volumes=(replace(record, launch=None),)), (idle,), OPERATOR).actions
    hands: list[Action] = [kill, back, SaveVolume(volume=mine, why=""), ForgetVolume(volume=mine), *launched]
    assert len(hands) == 6
    for held in (None, database(uid=LATER)):
        sight = replace(running(mine), database=held, duplicates=duplicates)
        for action in hands:
            broken = violations(Plan(actions=(action,)), sight, CLUSTER)
            assert any("another entry" in each.message for each in broken), action
    sight = replace(running(record), duplicates=duplicates)
    assert not violations(Plan(actions=(kill,)), sight, CLUSTER), "its own database has it in use"
    assert beside.offer_ids


def test_people_see_the_others_and_nothing_is_uninstalled_meanwhile() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    copy = replace(record, key=SCRATCH, intent=Intent.DELETE)
    lines = compare([record, copy], None)
    shown = find(lines, "scratch", record.name)
    assert shown is not None
    assert (shown.state, shown.others) == (VolumeState.RELEASING, (f"{KEY.namespace}/{record.name}",))
    assert shown.others[0] in shown.note
    found = {obstacle.what: obstacle.remedy for obstacle in obstacles([], lines, [], cluster=CLUSTER, leave_lost=True)}
    (remedy,) = (text for what, text in found.items() if f"scratch/{record.name} is Releasing" in what)
    assert f"kubectl delete databasevolume {record.name} -n scratch" in remedy
    unread = damaged(copy, "phase")
    assert find(compare([record, unread], None), KEY.namespace, record.name).others == (f"scratch/{record.name}",)  # type: ignore[union-attr]
    (alone,) = compare([record], None)
    assert not alone.others
