"""Where the data of an entry that was deleted lies: what a database's status remembers of it, and what follows."""

from dataclasses import replace
from typing import Any

import pytest

from statefuldb.model.conditions import Reason
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from statefuldb.reconcile.report import status_of_plan
from unit.planning.ledger.test_lost_entries import OF_ONE_AGENT, retained, saved
from unit.planning.world import (
    CLUSTER,
    OPERATOR,
    UID,
    database,
    decide,
    desired,
    observed,
    running,
    serving_on,
    spec,
    tasks,
)

FIRST, SECOND = (f"sdb.{CLUSTER}.{UID}.0.{sequence}" for sequence in (1, 2))


def data_in_the_second_volume(name: str, **changes: Any) -> Observed:
    """Return the sight of a database whose entry is lost, and whose data is on agent-2, as its status says."""
    data = [{"name": name, "agent": "agent-2", "persistenceId": SECOND}]
    return observed(database=database(status={"storage": {"volumes": [name], "data": data}}), **changes)


def test_where_data_lies_is_published_once_there_is_any_and_while_it_is_missed() -> None:
    record, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    begun = running(replace(record, initialised=False))
    first: Any = status_of_plan(begun, decide(spec(), begun, beside))
    assert first["storage"]["data"] == []
    seen = running(record)
    status: Any = status_of_plan(seen, decide(spec(), seen, beside))
    assert status["storage"]["data"] == [{"name": record.name, "agent": "agent-1", "persistenceId": FIRST}]
    missed = observed(database=database(status=status))
    decided = decide(spec(), missed)
    assert f"{record.name} (volume {FIRST}, last on agent-1)" in decided.waiting[0].message
    assert status_of_plan(missed, decided)["storage"] == status["storage"]


@pytest.mark.parametrize("strategy", [Strategy.HOST_PATH, Strategy.DFS])
def test_the_directory_that_is_missed_is_named(strategy: Strategy) -> None:
    record, beside, _ = serving_on(strategy)
    seen = running(record)
    status = status_of_plan(seen, decide(spec(strategy), seen, beside))
    (wait,) = decide(spec(strategy), observed(database=database(status=status))).waiting
    assert f"(directory {record.directory}, last on agent-1)" in wait.message


def test_a_volume_from_before_there_was_data_is_not_taken_for_the_data() -> None:
    record, _, left = serving_on(Strategy.PERSISTENT_VOLUME)
    seen = data_in_the_second_volume(record.name, reserved=(replace(left, offer_ids=()),))
    decided = decide(spec(), seen, left)
    assert not decided.actions, "an entry with this volume would keep that with the data from being found"
    (wait,) = decided.waiting
    assert wait.reason is Reason.VOLUME_MISSING
    assert f"volume {SECOND}, last on agent-2" in wait.message
    assert f"{FIRST} on agent-1" in wait.message


def test_the_volume_with_the_data_is_found_though_another_is_seen_too() -> None:
    record, _, left = serving_on(Strategy.PERSISTENT_VOLUME)
    away = replace(left, agent_id="id-of-agent-2", hostname="agent-2", offer_ids=())
    data = tuple(
        replace(r, persistence=replace(r.persistence, id=SECOND)) if r.persistence is not None else r
        for r in away.resources
    )
    seen = data_in_the_second_volume(record.name, reserved=(left, replace(away, resources=data)))
    (found,) = saved(decide(spec(), seen))
    assert (found.persistence_id, found.agent and found.agent.hostname) == (SECOND, "agent-2")
    (used,) = saved(decide(spec(), replace(seen, volumes=(found,))))
    assert used.intent is Intent.USE


def test_an_entry_with_another_volume_than_that_with_the_data_is_not_taken_up() -> None:
    record, _, left = serving_on(Strategy.PERSISTENT_VOLUME)
    seen = data_in_the_second_volume(record.name, volumes=(retained(record),))
    decided = decide(spec(), seen, left)
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.reason is Reason.VOLUME_MISSING
    assert FIRST in wait.message
    assert SECOND in wait.message
    storage: Any = status_of_plan(seen, decided)["storage"]
    assert storage["data"][0]["persistenceId"] == SECOND
    anyway = plan(desired(spec()), observed(volumes=(retained(record),)), (left,), OPERATOR)
    assert {v.law for v in violations(anyway, seen, CLUSTER)} == {"no_empty_resurrection"}


@pytest.mark.parametrize("strategy", OF_ONE_AGENT)
def test_a_task_of_an_attempt_before_there_was_data_brings_no_entry_back(strategy: Strategy) -> None:
    record, beside, _ = serving_on(strategy)
    seen = data_in_the_second_volume(record.name, found=(record,), tasks=tasks(record, TaskState.RUNNING))
    decided = decide(spec(strategy), seen, beside)
    assert not decided.actions
    assert [wait.reason for wait in decided.waiting] == [Reason.VOLUME_MISSING]
    there = replace(seen, database=database(status={"storage": {"volumes": [record.name]}}))
    assert [entry.intent for entry in saved(decide(spec(strategy), there, beside))] == [Intent.USE]
