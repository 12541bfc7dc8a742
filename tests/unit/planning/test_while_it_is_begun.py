"""Edits while a first launch is not over: what its data is begun with, and where, stays until that is known."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, FenceAgent, SaveVolume
from statefuldb.model.observed import TaskState
from statefuldb.model.operations import LaunchTask
from statefuldb.model.spec import (
    DatabaseSpec,
    DiskType,
    EngineSpec,
    EngineType,
    HostPathSpec,
    NodeLossAction,
    PersistentVolumeSpec,
    PlacementSpec,
    ReconcileMode,
    ReconcileSpec,
    ResourcesSpec,
    Strategy,
)
from statefuldb.model.volume import Ending, VolumeRecord
from statefuldb.planning.planner import plan
from unit.planning.ledger.test_recorded_storage import accepted, moved
from unit.planning.members.test_fencing import FENCING, wanted
from unit.planning.members.test_strays import serving
from unit.planning.world import MIB, decide, desired, observed, offer, running, spec, tasks

Edit = Callable[[DatabaseSpec], DatabaseSpec]
BOTH_MOUNTS = offer(attributes={"statefuldb_dfs": "/mnt/other"})


def on_another_path(given: DatabaseSpec) -> DatabaseSpec:
    return replace(given, storage=replace(given.storage, host_path=HostPathSpec(path="/srv/other")))


def on_another_mount(given: DatabaseSpec) -> DatabaseSpec:
    return moved(given, "/mnt/other")


def below_another_path(given: DatabaseSpec) -> DatabaseSpec:
    assert given.storage.dfs is not None
    return replace(given, storage=replace(given.storage, dfs=replace(given.storage.dfs, sub_path="other")))


def on_another_disk(given: DatabaseSpec) -> DatabaseSpec:
    volume = PersistentVolumeSpec(disk_type=DiskType.MOUNT)
    return replace(given, storage=replace(given.storage, persistent_volume=volume))


def of_another_role(given: DatabaseSpec) -> DatabaseSpec:
    return replace(given, placement=PlacementSpec(mesos_role="other"))


def with_larger_pages(given: DatabaseSpec) -> DatabaseSpec:
    engine = EngineSpec(type=EngineType.MARIADB, version="10.11", config={"innodb_page_size": "32k"})
    return replace(given, engine=engine)


EDITS = pytest.mark.parametrize(
    ("strategy", "edit", "path"),
    [
        (Strategy.HOST_PATH, on_another_path, "spec.storage.hostPath.path"),
        (Strategy.DFS, on_another_mount, "spec.storage.dfs"),
        (Strategy.DFS, below_another_path, "spec.storage.dfs"),
        (Strategy.PERSISTENT_VOLUME, on_another_disk, "spec.storage.persistentVolume.diskType"),
        (Strategy.PERSISTENT_VOLUME, of_another_role, "spec.placement.mesosRole"),
        (Strategy.PERSISTENT_VOLUME, with_larger_pages, "spec.engine.config.innodb_page_size"),
    ],
)


def begun(strategy: Strategy, given: DatabaseSpec | None = None) -> VolumeRecord:
    """Return the entry of a member that was launched for the first time."""
    saved, _ = decide(given or spec(strategy), observed(), offer()).actions
    assert isinstance(saved, SaveVolume)
    return saved.volume


def over(record: VolumeRecord) -> VolumeRecord:
    return replace(record, ending=Ending(incarnation=record.incarnation, state=TaskState.FAILED, at_seconds=900.0))


@EDITS
def test_what_data_is_begun_with_and_where_stays_while_its_first_launch_is_not_over(
    strategy: Strategy, edit: Edit, path: str
) -> None:
    before, record = spec(strategy), begun(strategy)
    kept = accepted(before, edit(before), record)
    assert [error.path for error in kept.errors] == [path]
    assert "wait until that serves or has failed" in kept.errors[0].fix
    assert kept.spec == before


def test_where_nothing_is_looked_after_the_way_is_to_look_first() -> None:
    """Nobody learns what becomes of the launch, and the edit that would change that is refused with the rest."""
    paused = spec(Strategy.HOST_PATH, reconcile=ReconcileSpec(mode=ReconcileMode.PAUSED))
    edit = replace(on_another_path(paused), reconcile=ReconcileSpec())
    (error,) = accepted(paused, edit, begun(Strategy.HOST_PATH)).errors
    assert error.fix.startswith("set spec.reconcile.mode to Apply first, and nothing else: ")


@EDITS
def test_a_first_launch_that_failed_may_be_followed_by_another_as_asked(
    strategy: Strategy, edit: Edit, path: str
) -> None:
    before, record = spec(strategy), begun(strategy)
    assert not accepted(before, edit(before), over(record)).errors
    assert [e.path for e in accepted(before, edit(before), replace(over(record), initialised=True)).errors] == [path]


def test_what_is_no_place_of_data_may_be_edited_meanwhile() -> None:
    before, record = spec(), begun(Strategy.PERSISTENT_VOLUME)
    more = replace(before, resources=ResourcesSpec(cpus_milli=900, memory_bytes=512 * MIB))
    assert not accepted(before, more, record).errors


@pytest.mark.parametrize(
    ("strategy", "edit"),
    [
        (Strategy.HOST_PATH, on_another_path),
        (Strategy.DFS, on_another_mount),
        (Strategy.DFS, below_another_path),
    ],
)
def test_the_manifest_may_come_back_to_where_the_ledger_has_the_data(strategy: Strategy, edit: Edit) -> None:
    """As after a restore of the API, or an edit that an earlier version accepted while it was begun."""
    there = spec(strategy)
    elsewhere, record = edit(there), replace(begun(strategy), initialised=True)
    assert not accepted(elsewhere, there, record).errors
    assert not accepted(elsewhere, elsewhere, record).errors, "it is no edit"
    third = moved(there, "/mnt/third") if strategy is Strategy.DFS else None
    if third is not None:
        (error,) = accepted(elsewhere, third, record).errors
        assert error.allowed == 'it stays ["/mnt/shared", "databases"]'


def test_the_manifest_may_come_back_although_the_ledger_was_told_of_another_mount() -> None:
    """As an earlier version wrote it at the next launch."""
    there, record = spec(Strategy.DFS), replace(begun(Strategy.DFS), initialised=True)
    elsewhere = moved(there, "/mnt/other")
    told = replace(record, dfs=elsewhere.storage.dfs)
    assert not accepted(elsewhere, there, told).errors
    assert accepted(elsewhere, moved(there, "/mnt/third"), told).errors


def launched(given: DatabaseSpec, record: VolumeRecord) -> tuple[VolumeRecord, LaunchTask]:
    saved, sent = decide(given, observed(volumes=(record,)), BOTH_MOUNTS).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(sent, AcceptOffers)
    (task,) = [operation for operation in sent.operations if isinstance(operation, LaunchTask)]
    return saved.volume, task


def test_a_keeper_checks_the_mount_on_which_its_data_lies_and_a_lost_agent_is_cut_off_from_that() -> None:
    elsewhere = moved(wanted(NodeLossAction.REATTACH, 0), "/mnt/other")
    record, task = launched(elsewhere, over(serving(Strategy.DFS)))
    assert (task.keeper.data.mount_point, task.keeper.data.root) == ("/mnt/shared", "/mnt/shared/databases")
    lost = observed(volumes=(record,), tasks=tasks(record, TaskState.UNREACHABLE))
    cut, _ = plan(desired(elsewhere), lost, (BOTH_MOUNTS,), FENCING).actions
    assert isinstance(cut, FenceAgent)
    assert cut.dfs.mount_point == "/mnt/shared"


def test_a_keeper_is_told_of_what_is_mounted_as_it_is_asked_for_now() -> None:
    """Type and source of what is mounted may be put right; only where it is mounted says which data it is."""
    given = spec(Strategy.DFS)
    assert given.storage.dfs is not None
    attribute = replace(given.storage.dfs.agent_attribute, value="/mnt/other")
    put_right = replace(given.storage.dfs, type="NFS", source="fs1:/volume", agent_attribute=attribute)
    edited = replace(given, storage=replace(given.storage, dfs=put_right))
    _, task = launched(edited, over(serving(Strategy.DFS)))
    assert (task.keeper.data.filesystem, task.keeper.data.source) == ("NFS", "fs1:/volume")


def test_an_edit_that_is_refused_while_data_is_begun_costs_nothing_that_runs() -> None:
    before, record = spec(Strategy.DFS), begun(Strategy.DFS)
    kept = accepted(before, moved(before, "/mnt/other"), record)
    assert kept.spec is not None
    (learned,) = [a for a in decide(kept.spec, running(record), offer()).actions if isinstance(a, SaveVolume)]
    assert learned.volume.initialised
    assert (learned.volume.root, learned.volume.dfs) == (record.root, before.storage.dfs)
