"""An entry of the ledger that cannot be read: it is said, nothing is done about its data, and all else goes on."""

from copy import deepcopy
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from statefuldb.model.actions import AcceptOffers, DeleteSecret, ForgetVolume, RemoveFinalizer, SaveVolume
from statefuldb.model.canonical import canonical
from statefuldb.model.conditions import ConditionType, EventReason, Reason
from statefuldb.model.damaged import DamagedEntry, read_entry
from statefuldb.model.identity import DatabaseKey, volume_record_name
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import DatabaseSpec, Strategy
from statefuldb.model.volume import Intent, VolumePhase, VolumeRecord
from statefuldb.model.volume_object import to_object
from statefuldb.planning.desired import desired_of
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from statefuldb.reconcile.execute import Executor
from statefuldb.reconcile.report import status_of_plan
from unit.planning import world
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

EARLIER = "99999999-2222-3333-4444-555555555555"


def damaged(record: VolumeRecord, *path: str) -> DamagedEntry:
    """Return what is left of an entry once a field of it was overwritten."""
    body: Any = deepcopy(to_object(record))
    place = body["spec"]
    for each in path[:-1]:
        place = place[each]
    place[path[-1]] = ["no field of an entry is such a list"]
    entry = read_entry(body)
    assert isinstance(entry, DamagedEntry)
    return entry


def decide(seen: Observed, *offers: AgentOffer, wanted: DatabaseSpec | None = None) -> Plan:
    return world.decide(wanted or spec(), seen, *offers)


def said(decided: Plan, kind: ConditionType) -> tuple[bool | None, Reason]:
    return next((c.status, c.reason) for c in decided.conditions if c.type is kind)


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("path", [("identity",), ("identity", "uid"), ("launch", "port"), ("phase",), ("database",)])
@pytest.mark.parametrize("replicas", [1, 0])
def test_nothing_is_done_and_it_is_said(strategy: Strategy, path: tuple[str, ...], replicas: int) -> None:
    record, beside, idle = serving_on(strategy)
    entry = damaged(record, *path)
    for offered in (beside, idle, offer()):
        seen = running(record, damaged=(entry,), found=(record,))
        decided = decide(replace(seen, volumes=()), offered, wanted=spec(strategy, replicas=replicas))
        assert not decided.actions
        assert said(decided, ConditionType.READY) == (False, Reason.LEDGER_ENTRY_DAMAGED)
        assert said(decided, ConditionType.STALLED) == (True, Reason.LEDGER_ENTRY_DAMAGED)
        assert said(decided, ConditionType.DEGRADED) == (True, Reason.LEDGER_ENTRY_DAMAGED)
        (wait,) = decided.waiting
        assert record.name in wait.message
        assert f"spec.{'.'.join(path)}" in wait.message
        assert f"kubectl edit databasevolume {record.name} -n {KEY.namespace}" in wait.fix
        (warned,) = (a for a in decided.announcements if a.reason is EventReason.WAITING)
        assert warned.warning


def test_once_it_is_repaired_the_member_goes_on() -> None:
    record, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    decided = decide(running(record), beside)
    assert not decided.actions
    assert said(decided, ConditionType.READY) == (True, Reason.ALL_MEMBERS_READY)


def test_the_damaged_entry_of_an_earlier_life_stops_no_member_that_is_known() -> None:
    record, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    earlier = replace(record, name=volume_record_name(KEY.name, 0, EARLIER), intent=Intent.RETAIN)
    decided = decide(running(record, damaged=(damaged(earlier, "sizeBytes"),)), beside)
    assert not decided.actions
    assert said(decided, ConditionType.READY) == (True, Reason.ALL_MEMBERS_READY)
    assert said(decided, ConditionType.DEGRADED) == (True, Reason.LEDGER_ENTRY_DAMAGED)


def test_an_entry_that_does_not_say_its_ordinal_may_be_of_any() -> None:
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    entry = replace(damaged(record, "identity"), ordinal=None)
    decided = decide(observed(damaged=(entry,)), idle, offer())
    assert not decided.actions
    assert said(decided, ConditionType.READY) == (False, Reason.LEDGER_ENTRY_DAMAGED)


def test_an_explicitly_empty_start_does_not_begin_beside_it_either() -> None:
    record, _, _ = serving_on(Strategy.HOST_PATH)
    earlier = damaged(replace(record, name=volume_record_name(KEY.name, 0, EARLIER)), "intent")
    decided = decide(observed(damaged=(earlier,)), offer(), wanted=spec(Strategy.HOST_PATH, bootstrap_empty=True))
    assert not decided.actions


def test_an_entry_of_another_database_whose_data_began_here_keeps_nothing_but_its_volume_from_being_found() -> None:
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    other = DatabaseKey(namespace=KEY.namespace, name="invoices")
    entry = damaged(replace(record, key=other), "phase")
    assert (entry.key, entry.born) == (other, KEY)
    decided = decide(observed(damaged=(entry,), database=database(uid=EARLIER)), idle)
    saved = [action.volume.identity.uid for action in decided.actions if isinstance(action, SaveVolume)]
    assert saved == [EARLIER], "the new database begins, and no second entry is written for what is known"


def test_a_plan_that_begins_beside_it_breaks_a_law() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    begun = plan(desired(spec()), observed(), (offer(),), OPERATOR)
    assert any(isinstance(action, AcceptOffers) for action in begun.actions)
    found = violations(begun, observed(damaged=(damaged(record, "launch"),)), CLUSTER)
    assert {violation.law for violation in found} == {"no_empty_resurrection"}


def test_a_deleted_database_is_let_go_and_its_data_left_as_it_is() -> None:
    record, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    seen = running(record, damaged=(damaged(record, "phase"),), found=(record,))
    decided = decide(replace(seen, volumes=(), database=database(deleting=True)), beside)
    assert [type(action) for action in decided.actions] == [RemoveFinalizer]
    (told,) = decided.announcements
    assert record.name in told.message
    assert told.warning


def test_the_secret_stays_while_data_may_need_it() -> None:
    record, _, _ = serving_on(Strategy.DFS)
    other = replace(record, initialised=False, launch=None, intent=Intent.DELETE, name="orders-1-22222222")
    seen = observed(database=None, volumes=(other,), damaged=(damaged(record, "phase"),))
    actions = decide(seen).actions
    assert any(isinstance(action, ForgetVolume) for action in actions)
    assert not any(isinstance(action, DeleteSecret) for action in actions)


def test_an_edit_that_data_would_forbid_stays_forbidden() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    accepted = spec()
    smaller = replace(accepted, storage=replace(accepted.storage, size_bytes=accepted.storage.size_bytes // 2))
    status = status_of_plan(running(record), decide(running(record)))
    edited = database(spec=canonical(smaller), status=status, generation=2)
    target = desired_of(observed(database=edited, damaged=(damaged(record, "phase"),)), ())
    assert target is not None
    assert target.spec == accepted
    assert [error.path for error in target.errors] == ["spec.storage.size"]


def test_the_names_of_its_entries_stay_published() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    before = status_of_plan(running(record), decide(running(record)))
    seen = observed(database=database(status=before), damaged=(damaged(record, "phase"),))
    after: Any = status_of_plan(seen, decide(seen))
    assert after["storage"]["volumes"] == [record.name]


def test_the_end_of_its_task_is_not_acknowledged_before_it_can_be_recorded() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    kubernetes, mesos = Mock(), Mock()
    kubernetes.volumes.return_value = ()
    ports: dict[str, Any] = dict.fromkeys(("keepers", "secrets", "fencing", "measures"), Mock())
    executor = Executor(kubernetes=kubernetes, mesos=mesos, **ports)
    seen = observed(tasks=tasks(record, TaskState.FAILED), damaged=(damaged(record, "phase"),))
    executor.acknowledge(seen)
    mesos.acknowledge.assert_not_called()
    executor.acknowledge(replace(seen, damaged=()))
    mesos.acknowledge.assert_called_once()


def test_what_is_left_of_an_entry_is_read() -> None:
    record = replace(serving_on(Strategy.DFS)[0], phase=VolumePhase.IN_USE)
    body: Any = deepcopy(to_object(record))
    body["spec"] = "nothing at all"
    entry = read_entry(body)
    assert isinstance(entry, DamagedEntry)
    assert (entry.name, entry.key, entry.born, entry.ordinal, entry.identity) == (record.name, KEY, KEY, 0, None)
    assert entry.is_of(record.identity)
    assert not entry.is_of(replace(record.identity, uid=EARLIER))
    assert record.identity.uid == UID
    body["metadata"] = {"namespace": "shop", "name": "by-hand"}
    entry = read_entry(body)
    assert isinstance(entry, DamagedEntry)
    assert (entry.key.name, entry.ordinal) == ("", None)
