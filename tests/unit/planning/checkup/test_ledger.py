"""What the doctor makes of the ledger: what is wrong with it, of whom, and what a person does about it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.checkup.findings import Finding, Verdict
from statefuldb.planning.checkup.ledger import ledger_findings
from statefuldb.planning.planner import plan
from statefuldb.reconcile.report import status_of_plan
from unit.planning.ledger.test_behind import fallen_back, sight
from unit.planning.ledger.test_damaged import damaged
from unit.planning.ledger.test_duplicates import SCRATCH
from unit.planning.ledger.test_lost_entries import naming
from unit.planning.world import KEY, OPERATOR, UID, desired, serving_on, spec


def stored(status: Mapping[str, object] | None = None, uid: str = UID) -> dict[str, Any]:
    """Return a database as the API server gives it."""
    found = {"metadata": {"namespace": KEY.namespace, "name": KEY.name, "uid": uid}}
    return found if status is None else {**found, "status": status}


def looked_at(seen: Observed, strategy: Strategy) -> dict[str, Any]:
    """Return a database with what the operator says of it."""
    return stored(status_of_plan(seen, plan(desired(spec(strategy)), seen, (), OPERATOR)))


def only(*entries: VolumeRecord | DamagedEntry, database: Mapping[str, Any] | None = None) -> Finding:
    (finding,) = ledger_findings(entries, [database] if database is not None else [])
    return finding


def entry(strategy: Strategy = Strategy.PERSISTENT_VOLUME) -> VolumeRecord:
    return serving_on(strategy)[0]


@pytest.mark.parametrize("status", [None, {}, {"plan": {}}, {"plan": {"waiting": [{"reason": "Stopping"}]}}])
def test_of_a_ledger_that_is_well_it_says_that(status: Mapping[str, object] | None) -> None:
    finding = only(entry(), database=stored(status))
    assert (finding.verdict, finding.what) == (Verdict.OK, "its 1 entries can be read")


@pytest.mark.parametrize("strategy", Strategy)
def test_a_database_whose_entry_is_lost_is_named_with_what_brings_it_back(strategy: Strategy) -> None:
    finding = only(database=looked_at(naming(entry(strategy).name), strategy))
    assert finding.verdict is Verdict.AMISS
    assert finding.what.startswith(f"database {KEY}: ")
    assert entry(strategy).name in finding.what
    assert "bring its agent back" in finding.remedy
    scan = f"statefuldb -n {KEY.namespace} volumes scan"
    assert (scan in finding.remedy) is (strategy is not Strategy.PERSISTENT_VOLUME)


def test_a_database_whose_entry_knows_of_no_data_that_there_may_be_is_named() -> None:
    record, _ = fallen_back(Strategy.PERSISTENT_VOLUME)
    before = replace(record, initialised=False, token=0)
    finding = only(before, database=looked_at(sight(before, TaskState.LOST), Strategy.PERSISTENT_VOLUME))
    assert finding.verdict is Verdict.AMISS
    assert "which knows of no data" in finding.what
    assert f"put a later DatabaseVolume {record.name} back" in finding.remedy


def test_of_a_copy_beside_an_entry_in_use_it_says_which_is_the_copy() -> None:
    record = entry()
    finding = only(record, replace(record, key=SCRATCH), database=stored())
    assert finding.verdict is Verdict.AMISS
    assert f"{KEY.namespace}/{record.name}, {SCRATCH.namespace}/{record.name}" in finding.what
    copy = f"kubectl delete databasevolume {record.name} -n {SCRATCH.namespace}"
    assert finding.remedy == f"delete the copy: {copy}; that touches no data"


@pytest.mark.parametrize("uid", ["another life", None])
def test_of_copies_that_nobody_has_in_use_a_person_says_which_goes(uid: str | None) -> None:
    record = replace(entry(), intent=Intent.USE if uid else Intent.RETAIN)
    finding = only(record, replace(record, key=SCRATCH), database=stored(uid=uid or UID))
    here, there = (f"kubectl delete databasevolume {record.name} -n {key.namespace}" for key in (KEY, SCRATCH))
    assert finding.remedy == f"delete the one that is the copy: {here}, or {there}; that touches no data"


def test_an_entry_that_cannot_be_read_is_named_with_what_is_wrong() -> None:
    record = entry()
    finding = only(damaged(record, "phase"))
    assert finding.verdict is Verdict.AMISS
    assert f"entry {KEY.namespace}/{record.name} cannot be read: spec.phase" in finding.what
    assert f"kubectl edit databasevolume {record.name} -n {KEY.namespace}" in finding.remedy
