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
from statefuldb.planning.inventory.scanning import entry_of_directory
from statefuldb.planning.planner import plan
from unit.planning.inventory.test_scanning import FOUND, SHARED, only
from unit.planning.ledger.test_behind import LATER, carried, fallen_back, launched
from unit.planning.members.test_fencing import FENCING, REATTACH
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


def refused(record: VolumeRecord, told: str, number: int = LATER.incarnation) -> Observed:
    said = keeper(
        record, phase=KeeperPhase.REFUSED, reason="it was opened before", opened_by=told, opened_number=number
    )
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


@pytest.mark.parametrize("why", ["it says nothing", "another strategy's", "a removal's", "not its number"])
def test_what_cannot_be_followed_stays_in_doubt_whatever_is_launched_since(why: str) -> None:
    """Each attempt has a higher number: without a doubt that is kept, the next one but few would open the data."""
    record = replace(entry_after(restored()[1]), unheard=None)
    unknown = carried(fallen_back(Strategy.DFS)[0])
    assert unknown.launch is not None
    number = LATER.incarnation
    told = {
        "it says nothing": "[" * 100_000,
        "another strategy's": to_label(replace(unknown, strategy=Strategy.HOST_PATH, dfs=None)),
        "a removal's": to_label(replace(unknown, launch=replace(unknown.launch, erase=True))),
        "not its number": to_label(replace(unknown, launch=replace(unknown.launch, incarnation=2))),
    }[why]
    noted = entry_after(plan(WANTED, refused(record, told, number), (), OPERATOR))
    assert noted.unheard is not None
    assert noted.unheard.by_hand
    assert (noted.task_id, noted.unheard.after < number <= noted.unheard.until) == (record.task_id, True)
    ended = replace(noted, ending=Ending(incarnation=noted.incarnation, state=TaskState.FAILED, at_seconds=1.0))
    after, until = doubted(plan(WANTED, observed(volumes=(ended,)), (offer("agent-2"),), OPERATOR))
    assert after is not None
    assert until is not None
    assert after < number <= until


def test_a_number_that_nobody_can_write_down_changes_nothing() -> None:
    record = entry_after(restored()[1])
    told = to_label(carried(fallen_back(Strategy.DFS)[0]))
    noted = entry_after(decide(refused(record, told, 10**30)))
    assert (noted.task_id, noted.unheard) == (record.task_id, record.unheard)


def test_a_launch_with_the_number_of_ours_is_never_taken_for_over_by_what_mesos_says_of_ours() -> None:
    record = replace(entry_after(restored()[1]), unheard=None, incarnation=LATER.incarnation)
    assert record.launch is not None
    record = replace(record, launch=replace(record.launch, incarnation=LATER.incarnation))
    told = to_label(carried(fallen_back(Strategy.DFS)[0]))
    noted = entry_after(plan(WANTED, refused(record, told), (), OPERATOR))
    assert noted.unheard == Unheard(after=2, until=3, by_hand=True)
    assert from_object(to_object(noted)).unheard == noted.unheard
    ended = replace(noted, ending=Ending(incarnation=3, state=TaskState.FAILED, at_seconds=1.0))
    next_one = entry_after(plan(WANTED, observed(volumes=(ended,)), (offer("agent-2"),), OPERATOR))
    assert next_one.incarnation == 4
    assert next_one.unheard == noted.unheard
    again = entry_after(plan(WANTED, refused(next_one, told), (), OPERATOR))
    assert again.task_id == next_one.task_id, "it is not followed under the number of ours"
    assert again.unheard == Unheard(after=2, until=4, by_hand=True)


def test_what_opened_it_is_followed_though_the_keeper_was_over_by_the_next_look() -> None:
    record = entry_after(restored()[1])
    told = to_label(carried(fallen_back(Strategy.DFS)[0]))
    seen = replace(refused(record, told), tasks=tasks(record, TaskState.FAILED))
    assert entry_after(decide(seen)).task_id == LATER


def test_that_it_was_opened_says_nothing_of_data() -> None:
    """A bootstrap that was cut off leaves no marker: the directory tells, and is begun again."""
    record = replace(entry_after(restored()[1]), initialised=False)
    unknown = replace(carried(fallen_back(Strategy.DFS)[0]), initialised=False)
    followed = entry_after(decide(refused(record, to_label(unknown))))
    over = entry_after(decide(observed(volumes=(followed,), tasks={LATER: status(LATER, TaskState.GONE)})))
    (task,) = launched(decide(observed(volumes=(over,))))
    assert task.keeper.bootstrap == "Empty"
