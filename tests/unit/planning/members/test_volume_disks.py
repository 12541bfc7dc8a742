"""Several disks on one agent: which one a volume lies on, how large that is, and that it grows by no other."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, Action, KillTask, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.keeper import EngineStatus, KeeperPhase
from statefuldb.model.observed import Observed
from statefuldb.model.operations import Grow, LaunchTask, Operation, Reserve
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer, DiskSource, Reservation, Resource
from statefuldb.model.spec import DatabaseSpec, DiskType, PersistentVolumeSpec, ReconcileMode, ReconcileSpec, Strategy
from statefuldb.model.volume import Ending, Growth, VolumeDisk, VolumePhase, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.ledger.rebuilding import entry_of
from statefuldb.planning.members.volume_growth import ATTEMPTS
from statefuldb.planning.planner import plan
from unit.planning.world import (
    CLUSTER,
    KEY,
    MIB,
    OPERATOR,
    ROLE,
    database,
    desired,
    keeper,
    observed,
    offer,
    remaining,
    running,
    spec,
    storage,
)

ROOT, MOUNT = DiskSource(), DiskSource(type=DiskType.MOUNT, root="/data/0")
FIRST, SECOND = (DiskSource(type=DiskType.PATH, root=f"/data/{n}") for n in (0, 1))
SET_ASIDE = (Reservation(dynamic=False, role=ROLE),)
BELOW = f"{ROLE}/{CLUSTER}"


def wanting(disk_type: DiskType, mib: int = 1024) -> DatabaseSpec:
    usual = storage(Strategy.PERSISTENT_VOLUME)
    volume = PersistentVolumeSpec(disk_type=disk_type)
    return spec(storage=replace(usual, size_bytes=mib * MIB, persistent_volume=volume))


def disk(mib: float, source: DiskSource, reservations: tuple[Reservation, ...] = ()) -> Resource:
    return Resource(name="disk", amount_milli=int(mib * 1000), source=source, reservations=reservations)


def agent(*disks: Resource, role: str = ROLE) -> AgentOffer:
    """An agent with these disks and no other."""
    rest = tuple(r for r in offer().resources if r.name != "disk")
    return replace(offer(), role=role, resources=(*rest, *disks))


def beside(offered: AgentOffer, *disks: Resource) -> AgentOffer:
    return replace(offered, resources=(*offered.resources, *disks))


def decide(wanted: DatabaseSpec, seen: Observed, offered: AgentOffer) -> Plan:
    decided = plan(desired(wanted), seen, (offered,), replace(OPERATOR, mesos_role=offered.role))
    assert not violations(decided, seen, CLUSTER)
    return decided


def launched(actions: tuple[Action, ...]) -> tuple[VolumeRecord, AcceptOffers]:
    """Return the member that serves after a launch, and the ACCEPT of it."""
    saved, accepted = actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    return replace(saved.volume, initialised=True, token=1, phase=VolumePhase.IN_USE), accepted


def serving(wanted: DatabaseSpec, free: AgentOffer) -> tuple[VolumeRecord, AgentOffer, AgentOffer]:
    """Return a member that serves, what its agent offers beside it, and what it would offer without it."""
    record, accepted = launched(decide(wanted, observed(), free).actions)
    return record, remaining(free, accepted, launched=True), remaining(free, accepted, launched=False)


def stopped(record: VolumeRecord, now: float = 1_000.0, since_seconds: float = 0.0) -> Observed:
    ending = Ending(incarnation=record.incarnation, state="TASK_KILLED", at_seconds=now - since_seconds)
    return observed(volumes=(replace(record, ending=ending),), at_seconds=now)


def operations(decided: Plan) -> list[type[Operation]]:
    return [type(o) for action in decided.actions if isinstance(action, AcceptOffers) for o in action.operations]


def kills(decided: Plan) -> list[type[Action]]:
    return [type(action) for action in decided.actions if isinstance(action, KillTask)]


@pytest.mark.parametrize("mib", [10_000.0, 10_000.5])
def test_a_member_on_a_whole_disk_is_launched_again_and_again(mib: float) -> None:
    wanted = wanting(DiskType.MOUNT)
    record, _, idle = serving(wanted, agent(disk(mib, MOUNT)))
    for _ in range(3):
        assert record.size_bytes == int(mib * MIB)
        assert record.disk == VolumeDisk(type=DiskType.MOUNT, root="/data/0")
        decided = decide(wanted, stopped(record), idle)
        assert operations(decided) == [LaunchTask]
        record, _ = launched(decided.actions)


def test_a_member_whose_entry_was_rebuilt_from_a_whole_disk_is_launched() -> None:
    wanted = wanting(DiskType.MOUNT)
    _, _, idle = serving(wanted, agent(disk(10_000.5, MOUNT)))
    (volume,) = [r for r in idle.resources if r.persistence is not None]
    found = entry_of(KEY, 1_000.0, idle, volume)
    (adopted,) = decide(wanted, observed(volumes=(found,)), idle).actions
    assert isinstance(adopted, SaveVolume)
    assert operations(decide(wanted, observed(volumes=(adopted.volume,)), idle)) == [LaunchTask]


def test_a_volume_waits_for_room_on_its_own_disk_whatever_is_free_on_others() -> None:
    record, used, idle = serving(wanting(DiskType.PATH), agent(disk(1024, FIRST)))
    other, larger = disk(90_000, SECOND), wanting(DiskType.PATH, 3072)
    waits = decide(larger, running(record), beside(used, other))
    assert not waits.actions
    (wait,) = waits.waiting
    assert wait.reason is Reason.AWAITING_DISK
    assert "disk /data/0 of agent-1 does not offer 2048 MiB more" in wait.message
    assert waits.wants_offers
    room = disk(4096, FIRST)
    assert kills(decide(larger, running(record), beside(used, other, room))) == [KillTask]
    grows = decide(larger, stopped(record), beside(idle, other, room))
    assert operations(grows) == [Reserve, Grow]
    grown = remaining(beside(idle, other, room), launched(grows.actions)[1], launched=False)
    record, _ = launched(decide(larger, stopped(record), grown).actions)
    assert record.size_bytes == 3072 * MIB


@pytest.mark.parametrize(
    ("role", "of_volume", "of_other"),
    [(BELOW, (), SET_ASIDE), (BELOW, SET_ASIDE, ()), (ROLE, (), SET_ASIDE), (ROLE, SET_ASIDE, ())],
)
def test_a_volume_grows_by_what_is_set_aside_as_it_is(
    role: str, of_volume: tuple[Reservation, ...], of_other: tuple[Reservation, ...]
) -> None:
    record, used, idle = serving(wanting(DiskType.ROOT), agent(disk(1024, ROOT, of_volume), role=role))
    other, room = disk(4096, ROOT, of_other), disk(4096, ROOT, of_volume)
    larger = wanting(DiskType.ROOT, 3072)
    assert not decide(larger, running(record), beside(used, other)).actions
    assert kills(decide(larger, running(record), beside(used, other, room))) == [KillTask]
    grows = operations(decide(larger, stopped(record), beside(idle, other, room)))
    assert Grow in grows, "it is stopped for nothing that does not make it larger"


def test_a_stop_after_which_the_room_was_gone_is_made_again_but_not_at_once() -> None:
    record, used, idle = serving(wanting(DiskType.PATH), agent(disk(1024, FIRST)))
    larger, room = wanting(DiskType.PATH, 3072), disk(4096, FIRST)
    for number in range(2 * ATTEMPTS):
        now = 10_000.0 * (number + 1)
        assert kills(decide(larger, running(record, at_seconds=now), beside(used, room))) == [KillTask]
        relaunch = decide(larger, stopped(record, now, since_seconds=20), idle)
        assert operations(relaunch) == [LaunchTask]
        record, _ = launched(relaunch.actions)
        soon = decide(larger, running(record, at_seconds=now + 60), beside(used, room))
        assert not soon.actions
        assert [wait.reason for wait in soon.waiting] == [Reason.AWAITING_DISK]
        assert soon.look_again_after_seconds == pytest.approx(240.0)
        assert not soon.wants_offers


def test_a_member_that_does_not_serve_for_want_of_space_is_not_left_alone_meanwhile() -> None:
    record, used, idle = serving(wanting(DiskType.PATH), agent(disk(1024, FIRST)))
    larger, room = wanting(DiskType.PATH, 3072), disk(4096, FIRST)
    record, _ = launched(decide(larger, stopped(record, since_seconds=20), idle).actions)
    seen = running(record, at_seconds=1_001.0)
    full = replace(seen, keepers=keeper(record, phase=KeeperPhase.DISK_FULL, engine=EngineStatus()))
    assert not decide(larger, seen, beside(used, room)).actions
    assert kills(decide(larger, full, beside(used, room))) == [KillTask]


def test_a_launch_by_an_earlier_operator_tells_nothing_of_the_disk_and_the_next_one_does() -> None:
    record, used, idle = serving(wanting(DiskType.PATH), agent(disk(1024, FIRST)))
    larger, other = wanting(DiskType.PATH, 3072), disk(90_000, SECOND)
    given_up = Growth(size_bytes=3072 * MIB, attempts=ATTEMPTS)
    for growth in (None, given_up):
        earlier = replace(record, disk=None, growth=growth)
        assert kills(decide(larger, running(earlier), beside(used, other))) == [KillTask]
        relaunch = decide(larger, stopped(earlier, since_seconds=20), beside(idle, other))
        assert operations(relaunch) == [LaunchTask]
        noted, _ = launched(relaunch.actions)
        for now in (1_060.0, 10_000.0):
            waits = decide(larger, running(noted, at_seconds=now), beside(used, other))
            assert not waits.actions
            assert [wait.reason for wait in waits.waiting] == [Reason.AWAITING_DISK]
        assert waits.wants_offers, "room that comes later is used without another word"
        assert kills(decide(larger, running(noted, at_seconds=now), beside(used, disk(4096, FIRST)))) == [KillTask]


def test_what_mesos_refuses_is_given_up_though_an_earlier_operator_noted_no_disk() -> None:
    record, _, idle = serving(wanting(DiskType.PATH), agent(disk(1024, FIRST), disk(4096, FIRST)))
    seen, larger = stopped(replace(record, disk=None)), wanting(DiskType.PATH, 3072)
    for _ in range(ATTEMPTS):
        decided = decide(larger, seen, idle)
        assert operations(decided) == [Reserve, Grow]
        seen = observed(volumes=(launched(decided.actions)[0],))
    assert operations(decide(larger, seen, idle)) == [LaunchTask]


def test_a_size_that_changed_before_there_was_data_is_what_the_first_launch_writes_down() -> None:
    larger, free = wanting(DiskType.ROOT, 3072), agent(disk(40_960, ROOT))
    saved, _ = decide(wanting(DiskType.ROOT), observed(), free).actions
    assert isinstance(saved, SaveVolume)
    dropped = Ending(incarnation=1, state="TASK_DROPPED", at_seconds=0.0)
    again = decide(larger, observed(volumes=(replace(saved.volume, ending=dropped),)), free)
    record, accepted = launched(again.actions)
    assert record.size_bytes == 3072 * MIB
    rests = decide(larger, running(record), remaining(free, accepted, launched=True))
    assert not rests.actions, "it is not stopped to become as large as it is"
    assert not rests.waiting


def test_a_plan_to_be_approved_has_the_growth_of_a_volume_on_any_disk() -> None:
    for reservations, role in (((), ROLE), (SET_ASIDE, ROLE), (SET_ASIDE, BELOW)):
        free = agent(disk(1024, FIRST, reservations), role=role)
        record, used, _ = serving(wanting(DiskType.PATH), free)
        larger = replace(wanting(DiskType.PATH, 3072), reconcile=ReconcileSpec(mode=ReconcileMode.PLAN_ONLY))
        seen = replace(running(record), database=database())
        for offered in (used, beside(used, disk(4096, FIRST, reservations))):
            approval = decide(larger, seen, offered).approval
            assert approval is not None
            assert [action.type for action in approval.actions[:3]] == ["KillTask", "AcceptOffers", "AcceptOffers"]
