"""After a restore of the API: launches on a shared file system that neither the ledger nor Mesos knows of.

Simulator, `test_unknown_launches.py`: a second server was begun where the file servers had freed the first one's lock.
"""

import json
from dataclasses import replace

import pytest

from statefuldb.adapters.mesos.operation_wire import operation_to_wire
from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.keeper import LEDGER_VARIABLE, KeeperPhase
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, Intent, Unheard, VolumeRecord
from statefuldb.model.volume_object import from_label, from_object, to_label, to_object
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from statefuldb.planning.scanning import entry_of_directory
from unit.planning.test_behind import LATER, carried, fallen_back, launched
from unit.planning.test_fencing import FENCING, REATTACH
from unit.planning.test_scanning import FOUND, SHARED, only
from unit.planning.world import (
    CLUSTER,
    KEY,
    OPERATOR,
    database,
    desired,
    keeper,
    observed,
    offer,
    running,
    spec,
    status,
    tasks,
)

RESTORED_AT = 1_700_000_000
RESTORED = replace(OPERATOR, restored_at=RESTORED_AT)
WANTED = desired(spec(Strategy.DFS))


def entry_after(decided: Plan) -> VolumeRecord:
    (saved,) = [action.volume for action in decided.actions if isinstance(action, SaveVolume)]
    return saved


def decide(seen: Observed) -> Plan:
    decided = plan(WANTED, seen, (offer("agent-2"),), RESTORED)
    assert not violations(decided, seen, CLUSTER)
    return decided


def doubted(decided: Plan) -> tuple[int | None, int | None]:
    """Return what the one keeper that is launched is told to look out for."""
    (task,) = launched(decided)
    return task.keeper.data.unheard_after, task.keeper.data.unheard_until


def restored() -> tuple[VolumeRecord, Plan]:
    """Return an entry out of a backup, and the first launch after that."""
    record, _ = fallen_back(Strategy.DFS)
    return record, decide(observed(volumes=(record,)))


def refused(record: VolumeRecord, told: str) -> Observed:
    said = keeper(record, phase=KeeperPhase.REFUSED, reason="it was opened before", opened_by=told)
    return observed(volumes=(record,), tasks=tasks(record, TaskState.RUNNING), keepers=said)


def test_a_keeper_is_told_of_which_launches_the_ledger_may_not_know_until_it_serves() -> None:
    _, first = restored()
    assert doubted(first) == (1, RESTORED_AT)
    record = entry_after(first)
    assert from_object(to_object(record)).unheard == record.unheard == Unheard(after=1, until=RESTORED_AT)
    ended = Ending(incarnation=record.incarnation, state=TaskState.FAILED, at_seconds=10.0)
    again = decide(observed(volumes=(replace(record, ending=ended),)))
    assert doubted(again) == (1, RESTORED_AT), "that it was launched says nothing of who opened the data"
    served = entry_after(plan(WANTED, running(record), (), RESTORED))
    assert served.unheard is None
    ended = Ending(incarnation=served.incarnation, state=TaskState.FAILED, at_seconds=10.0)
    assert doubted(decide(observed(volumes=(replace(served, ending=ended),)))) == (None, None)


def test_a_second_restore_adds_to_the_doubt() -> None:
    record = replace(restored()[0], unheard=Unheard(after=1, until=7), incarnation=9)
    assert doubted(decide(observed(volumes=(record,)))) == (1, RESTORED_AT)


def test_nothing_is_doubted_without_a_restore_nor_of_what_lies_on_one_agent_or_began_since() -> None:
    for strategy in Strategy:
        record, idle = fallen_back(strategy)
        operator = OPERATOR if strategy is Strategy.DFS else RESTORED
        assert doubted(plan(desired(spec(strategy)), observed(volumes=(record,)), (idle,), operator)) == (None, None)
    assert doubted(decide(observed(database=database(created_at_seconds=1.8e9)))) == (None, None)
    assert doubted(decide(observed(database=database(created_at_seconds=1.6e9)))) == (0, RESTORED_AT)


def test_a_task_carries_its_entry_to_the_keeper() -> None:
    record, first = restored()
    (task,) = launched(first)
    wire = operation_to_wire(task, ("keeper",), None)["launch"]["task_infos"][0]
    variables = {v["name"]: v["value"] for v in wire["command"]["environment"]["variables"]}
    known = from_label(variables[LEDGER_VARIABLE])
    assert known is not None
    assert (known.identity, known.task_id) == (record.identity, task.task_id)


def test_what_opened_the_data_last_is_followed_until_it_is_proved_over() -> None:
    record = entry_after(restored()[1])
    told = to_label(carried(fallen_back(Strategy.DFS)[0]))
    decided = decide(refused(record, told))
    assert [wait.message for wait in decided.waiting] == ["it was opened before"]
    followed = entry_after(decided)
    assert followed.task_id == LATER
    assert followed.incarnation == record.incarnation, "no number is used twice"
    assert followed.unheard == Unheard(after=3, until=RESTORED_AT)
    assert (followed.ended, followed.fencing) == (False, None)
    asked = decide(observed(volumes=(followed,), at_seconds=9_000.0))
    assert (asked.actions, asked.waiting[0].reason) == ((), Reason.AWAITING_RECONCILIATION)
    seen = observed(volumes=(followed,), tasks={LATER: status(LATER, TaskState.UNKNOWN)})
    (wait,) = decide(seen).waiting
    assert wait.reason is Reason.FENCING_REQUIRED
    assert "cut agent-9 off at the file server, then say so: statefuldb -n shop fence orders" in wait.fix
    assert f"--confirm {LATER}" in wait.fix
    over = entry_after(decide(observed(volumes=(followed,), tasks={LATER: status(LATER, TaskState.GONE)})))
    again = decide(observed(volumes=(over,)))
    assert doubted(again) == (3, RESTORED_AT)
    assert [task.task_id.incarnation for task in launched(again)] == [record.incarnation + 1]


def test_the_fence_command_is_run_for_its_agent() -> None:
    followed = entry_after(decide(refused(entry_after(restored()[1]), to_label(carried(fallen_back(Strategy.DFS)[0])))))
    lost = replace(status(LATER, TaskState.UNREACHABLE), seen_at_seconds=100.0)
    seen = observed(volumes=(followed,), tasks={LATER: lost})
    cut, _ = plan(desired(REATTACH), seen, (), replace(FENCING, restored_at=RESTORED_AT)).actions
    assert cut.agent.hostname == "agent-9"  # type: ignore[union-attr]


def test_a_later_launch_than_the_ledgers_is_followed_without_a_restore_too() -> None:
    record = replace(entry_after(restored()[1]), unheard=None, incarnation=2)
    assert record.launch is not None
    record = replace(record, launch=replace(record.launch, incarnation=2))
    followed = entry_after(decide(refused(record, to_label(carried(record)))))
    assert (followed.task_id, followed.incarnation, followed.unheard) == (LATER, 3, None)


@pytest.mark.parametrize("what", ["nothing", "another member's", "its own"])
def test_what_says_nothing_of_another_launch_is_a_refusal_as_any(what: str) -> None:
    record = entry_after(restored()[1])
    anothers = replace(record, identity=replace(record.identity, ordinal=1))
    told = {"nothing": json.dumps({"spec": 7}), "another member's": to_label(anothers), "its own": to_label(record)}
    saved = entry_after(decide(refused(record, told[what])))
    assert (saved.task_id, saved.launch and saved.launch.refusal) == (record.task_id, "it was opened before")


def test_what_is_to_be_removed_is_not_while_such_a_launch_may_write() -> None:
    record = replace(fallen_back(Strategy.DFS)[0], owner_uid="gone", intent=Intent.DELETE)
    sight = observed(database=None)
    first = plan(None, replace(sight, volumes=(record,)), (offer("agent-2"),), RESTORED)
    assert doubted(first) == (1, RESTORED_AT)
    erasing = entry_after(first)
    seen = replace(refused(erasing, to_label(carried(record))), database=None)
    decided = plan(None, seen, (), RESTORED)
    followed = entry_after(decided)
    assert followed.task_id == LATER
    assert followed.intent is Intent.DELETE
    assert [wait.message for wait in decided.waiting] == ["it was opened before"]
    lost = replace(sight, volumes=(followed,), tasks={LATER: status(LATER, TaskState.UNREACHABLE)})
    waits = plan(None, lost, (offer("agent-2"),), RESTORED)
    assert [wait.reason for wait in waits.waiting] == [Reason.FENCING_REQUIRED]
    assert not [action for action in waits.actions if isinstance(action, AcceptOffers)]


def test_of_a_directory_that_was_found_by_its_marker_no_launch_is_known() -> None:
    shared, local = (
        entry_of_directory(only(found), KEY, 1_000.0, agent=None, mesos_role="r") for found in (SHARED, FOUND)
    )
    assert shared.unheard == Unheard(after=0, until=1_000)
    assert local.unheard is None
