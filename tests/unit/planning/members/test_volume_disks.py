"""Whole disks: how large a volume on one is."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, Action, SaveVolume
from statefuldb.model.observed import Observed
from statefuldb.model.operations import LaunchTask, Operation
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer, DiskSource, Resource
from statefuldb.model.spec import DatabaseSpec, DiskType, PersistentVolumeSpec, Strategy
from statefuldb.model.volume import Ending, VolumePhase, VolumeRecord
from statefuldb.planning.ledger.rebuilding import entry_of
from unit.planning.world import KEY, MIB, decide, observed, offer, remaining, spec, storage

MOUNT = DiskSource(type=DiskType.MOUNT, root="/data/0")


def wanting(disk_type: DiskType, mib: int = 1024) -> DatabaseSpec:
    usual = storage(Strategy.PERSISTENT_VOLUME)
    volume = PersistentVolumeSpec(disk_type=disk_type)
    return spec(storage=replace(usual, size_bytes=mib * MIB, persistent_volume=volume))


def disk(mib: float, source: DiskSource) -> Resource:
    return Resource(name="disk", amount_milli=int(mib * 1000), source=source)


def launched(actions: tuple[Action, ...]) -> tuple[VolumeRecord, AcceptOffers]:
    """Return the member that serves after a launch, and the ACCEPT of it."""
    saved, accepted = actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    return replace(saved.volume, initialised=True, token=1, phase=VolumePhase.IN_USE), accepted


def serving(wanted: DatabaseSpec, free: AgentOffer) -> tuple[VolumeRecord, AgentOffer]:
    """Return a member that serves, and what its agent would offer without it."""
    record, accepted = launched(decide(wanted, observed(), free).actions)
    return record, remaining(free, accepted, launched=False)


def stopped(record: VolumeRecord) -> Observed:
    ending = Ending(incarnation=record.incarnation, state="TASK_KILLED", at_seconds=1_000.0)
    return observed(volumes=(replace(record, ending=ending),))


def operations(decided: Plan) -> list[type[Operation]]:
    return [type(o) for action in decided.actions if isinstance(action, AcceptOffers) for o in action.operations]


@pytest.mark.parametrize("mib", [10_000.0, 10_000.5])
def test_a_member_on_a_whole_disk_is_launched_again_and_again(mib: float) -> None:
    wanted = wanting(DiskType.MOUNT)
    record, idle = serving(wanted, offer(extra=(disk(mib, MOUNT),)))
    for _ in range(3):
        decided = decide(wanted, stopped(record), idle)
        assert operations(decided) == [LaunchTask]
        record, _ = launched(decided.actions)
        assert record.size_bytes == int(mib * MIB)


def test_a_member_whose_entry_was_rebuilt_from_a_whole_disk_is_launched() -> None:
    wanted = wanting(DiskType.MOUNT)
    _, idle = serving(wanted, offer(extra=(disk(10_000.5, MOUNT),)))
    (volume,) = [r for r in idle.resources if r.persistence is not None]
    found = entry_of(KEY, 1_000.0, idle, volume)
    (adopted,) = decide(wanted, observed(volumes=(found,)), idle).actions
    assert isinstance(adopted, SaveVolume)
    assert operations(decide(wanted, observed(volumes=(adopted.volume,)), idle)) == [LaunchTask]
