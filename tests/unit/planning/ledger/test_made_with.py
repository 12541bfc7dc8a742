"""What data is made with stays with it: other options would not open it, or not find its tables."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from statefuldb.model.actions import SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.keeper import EngineStatus, KeeperPhase
from statefuldb.model.observed import TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.spec import DatabaseSpec, EngineSpec, EngineType, Strategy
from statefuldb.model.volume import Ending, Intent, VolumePhase, VolumeRecord
from statefuldb.planning.inventory.scanning import entry_of_directory, stand
from statefuldb.planning.planner import plan
from unit.planning.inventory.test_scanning import SHARED
from unit.planning.ledger.test_behind import carried, fallen_back, sight
from unit.planning.ledger.test_recorded_storage import accepted
from unit.planning.world import (
    CLUSTER,
    KEY,
    OPERATOR,
    decide,
    desired,
    keeper,
    observed,
    offer,
    serving_on,
    spec,
    tasks,
)

EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))
SMALL_LETTERS = {"lower_case_table_names": "1"}
LARGE_PAGES = {"innodb_page_size": "32k"}


def asking(config: Mapping[str, str], strategy: Strategy = Strategy.PERSISTENT_VOLUME) -> DatabaseSpec:
    return spec(strategy, engine=EngineSpec(type=EngineType.MARIADB, version="10.11", config=config))


def begun(config: Mapping[str, str], strategy: Strategy = Strategy.PERSISTENT_VOLUME) -> VolumeRecord:
    saved, _ = decide(asking(config, strategy), observed(), offer()).actions
    assert isinstance(saved, SaveVolume)
    return saved.volume


def of_an_earlier_life(config: Mapping[str, str], strategy: Strategy = Strategy.PERSISTENT_VOLUME) -> VolumeRecord:
    return replace(
        begun(config, strategy),
        owner_uid="earlier",
        identity=replace(begun(config, strategy).identity, uid="earlier"),
        initialised=True,
        intent=Intent.RETAIN,
        phase=VolumePhase.RETAINED,
        ending=Ending(incarnation=1, state=TaskState.KILLED, at_seconds=900.0),
    )


def taken_up(record: VolumeRecord, config: Mapping[str, str]) -> tuple[bool, Plan]:
    decided = decide(asking(config, record.strategy), observed(volumes=(record,)), offer())
    return any(isinstance(a, SaveVolume) and a.volume.intent is Intent.USE for a in decided.actions), decided


@EVERY_STRATEGY
def test_retained_data_that_was_made_with_something_else_is_not_taken_up(strategy: Strategy) -> None:
    for made, asked, said in (
        ({}, SMALL_LETTERS, "it was made without lower_case_table_names, the manifest asks for 1"),
        (SMALL_LETTERS, {}, "it was made with lower_case_table_names 1, the manifest asks for none"),
        (LARGE_PAGES, {"innodb_page_size": "4k"}, "it was made with innodb_page_size 32k, the manifest asks for 4k"),
    ):
        record = of_an_earlier_life(made, strategy)
        used, decided = taken_up(record, asked)
        assert not used
        (wait,) = decided.waiting
        assert wait.reason is Reason.AMBIGUOUS_RETAINED_VOLUMES
        assert said in wait.message
        assert "have the manifest ask for what it holds" in wait.fix
        assert taken_up(record, {**made, "max_connections": "50"})[0]


def test_how_an_option_is_written_makes_no_difference() -> None:
    assert taken_up(of_an_earlier_life(LARGE_PAGES), {"innodb_page_size": "32K"})[0]


def test_what_nobody_knows_of_older_data_is_no_reason_not_to_take_it_up() -> None:
    older = replace(of_an_earlier_life({}), made_with=None)
    assert taken_up(older, SMALL_LETTERS)[0]
    assert not taken_up(replace(older, made_with={}), SMALL_LETTERS)[0]


def test_it_is_written_down_before_the_launch_and_once_there_is_data_it_stays() -> None:
    first = begun(LARGE_PAGES)
    assert first.made_with == LARGE_PAGES
    failed = replace(first, ending=Ending(incarnation=1, state=TaskState.FAILED, at_seconds=900.0))
    saved = decide(asking({}), observed(volumes=(failed,)), offer("agent-2")).actions[0]
    assert isinstance(saved, SaveVolume)
    assert saved.volume.made_with == {}, "it begins anew"
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    over = Ending(incarnation=1, state=TaskState.FAILED, at_seconds=900.0)
    for known in (record.made_with, None):
        ended = replace(record, made_with=known, ending=over)
        saved = decide(asking(LARGE_PAGES), observed(volumes=(ended,)), idle).actions[0]
        assert isinstance(saved, SaveVolume)
        assert saved.volume.made_with == known


def test_a_manifest_may_come_back_to_what_the_ledger_knows() -> None:
    record = replace(begun({}), initialised=True)
    assert not accepted(asking(LARGE_PAGES), asking({}), record).errors
    (error,) = accepted(asking(LARGE_PAGES), asking(SMALL_LETTERS | LARGE_PAGES), record).errors[:1]
    assert error.allowed == "it stays absent"
    older = replace(record, made_with=None)
    assert accepted(asking(LARGE_PAGES), asking({}), older).errors, "of that only the manifest before tells"


def test_what_a_keeper_finds_of_data_whose_entry_was_found_again_is_written_down() -> None:
    found = replace(begun(SMALL_LETTERS), initialised=True, made_with=None)
    reason = "it was made without lower_case_table_names, the manifest asks for 1"
    refused = keeper(
        found, phase=KeeperPhase.REFUSED, reason=reason, engine=EngineStatus(), made_with={}, claim_held=False
    )
    seen = observed(volumes=(found,), tasks=tasks(found, TaskState.RUNNING), keepers=refused)
    decided = plan(desired(asking(SMALL_LETTERS)), seen, (), OPERATOR)
    saved = next(action for action in decided.actions if isinstance(action, SaveVolume))
    assert saved.volume.made_with == {}
    assert saved.volume.launch is not None
    assert saved.volume.launch.refusal == reason
    assert not accepted(asking(SMALL_LETTERS), asking({}), saved.volume).errors


@pytest.mark.parametrize("told", [None, {}, LARGE_PAGES])
def test_a_directory_that_was_found_is_in_the_ledger_as_its_marker_tells(told: Mapping[str, str] | None) -> None:
    """It is one directory, whichever host tells of it."""
    lines = stand([replace(SHARED, host=host, made_with=told) for host in ("agent-1", "agent-2")], (), CLUSTER)
    entry = entry_of_directory(lines[0], KEY, 1_000.0, agent=None, mesos_role="statefuldb")
    assert (len(lines), entry.made_with) == (1, told)


@pytest.mark.parametrize(
    ("known", "told", "kept"), [(LARGE_PAGES, None, LARGE_PAGES), ({}, LARGE_PAGES, {}), (None, {}, {})]
)
def test_an_entry_that_fell_back_keeps_what_it_knows_and_learns_what_it_does_not(
    known: Mapping[str, str] | None, told: Mapping[str, str] | None, kept: Mapping[str, str]
) -> None:
    record, _ = fallen_back(Strategy.DFS)
    later = replace(carried(record), made_with=told)
    seen = sight(replace(record, made_with=known), TaskState.RUNNING, found=(later,))
    (saved,) = decide(spec(Strategy.DFS), seen).actions
    assert isinstance(saved, SaveVolume)
    assert (saved.volume.incarnation, saved.volume.made_with) == (3, kept)
