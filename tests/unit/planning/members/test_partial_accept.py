"""Whatever part of an ACCEPT took place, the bundle is finished, and nothing of ours is left over (law `no_leak`)."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, ForgetVolume, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.identity import OperationId
from statefuldb.model.observed import Observed, OperationState, OperationStatus, TaskState
from statefuldb.model.operations import Create, LaunchTask, Reserve, Unreserve
from statefuldb.model.resources import AgentOffer, Resource
from statefuldb.model.spec import DatabaseSpec, DiskType, PersistentVolumeSpec, ResourcesSpec, StorageSpec, Strategy
from statefuldb.model.volume import Ending, Intent, VolumePhase, VolumeRecord
from statefuldb.planning.members.undecided_tasks import PROOF_SECONDS
from statefuldb.planning.planner import plan
from unit.planning.world import (
    MIB,
    OPERATOR,
    UID,
    decide,
    keeper,
    observed,
    offer,
    remaining,
    secret,
    spec,
    tasks,
)

RESERVING = pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])


def attempt(wanted: DatabaseSpec, seen: Observed, *offers: AgentOffer) -> tuple[VolumeRecord, AcceptOffers]:
    saved, accepted = decide(wanted, seen, *offers).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    return saved.volume, accepted


def over(record: VolumeRecord, state: TaskState = TaskState.DROPPED) -> VolumeRecord:
    assert record.launch is not None
    return replace(record, ending=Ending(incarnation=record.launch.incarnation, state=state, at_seconds=0.0))


def running(record: VolumeRecord) -> Observed:
    """The member serves: whatever of it is offered now is left over."""
    serving = replace(record, initialised=True, token=1, phase=record.phase.IN_USE)
    return observed(
        volumes=(serving,),
        tasks=tasks(serving, TaskState.RUNNING),
        keepers=keeper(serving),
        secret=secret(serving),
    )


def ours(offered: AgentOffer) -> list[Resource]:
    return [r for r in offered.resources if r.labels is not None]


def settle(wanted: DatabaseSpec, seen: Observed, *agents: AgentOffer) -> tuple[Observed, list[AgentOffer]]:
    """Let the planner trim until it rests; return what each agent then offers."""
    world = list(agents)
    for _ in range(10):
        decided = decide(wanted, seen, *world)
        if not decided.actions:
            assert not decided.wants_offers
            return seen, world
        for action in decided.actions:
            if isinstance(action, SaveVolume):
                seen = replace(seen, volumes=(action.volume,))
            elif isinstance(action, AcceptOffers):
                assert {type(o) for o in action.operations} == {Unreserve}
                world = [remaining(o, action, launched=True) if o.agent_id == action.agent.id else o for o in world]
    raise AssertionError("the planner does not come to rest")


@RESERVING
@pytest.mark.parametrize("accepted_operations", range(4))
def test_every_prefix_of_an_accept_is_finished_by_the_next_one(strategy: Strategy, accepted_operations: int) -> None:
    wanted = spec(strategy)
    first, accept = attempt(wanted, observed(), offer())
    happened = replace(accept, operations=accept.operations[:accepted_operations])
    world = remaining(offer(), happened, launched=False)
    second, completing = attempt(wanted, observed(volumes=(over(first),)), world)
    whole = [Reserve, Create, LaunchTask] if strategy is Strategy.PERSISTENT_VOLUME else [Reserve, LaunchTask]
    done = min(accepted_operations, len(whole) - 1)
    assert [type(o) for o in completing.operations] == whole[done:]
    assert second.persistence_id == (first.persistence_id if accepted_operations >= 2 else second.persistence_id)
    left = remaining(world, completing, launched=True)
    assert not ours(left)
    assert not decide(wanted, running(second), left).actions


@RESERVING
@pytest.mark.parametrize("accepted_operations", [1, 2])
def test_what_is_left_on_an_agent_that_was_not_used_in_the_end_is_given_back(
    strategy: Strategy, accepted_operations: int
) -> None:
    wanted = spec(strategy)
    first, accept = attempt(wanted, observed(), offer())
    here = remaining(offer(), replace(accept, operations=accept.operations[:accepted_operations]), launched=False)
    if strategy is Strategy.HOST_PATH:
        waits = decide(wanted, observed(volumes=(over(first),)), offer("agent-2"))
        assert not waits.actions, "a directory may have been begun there: the pin holds"
        return
    second, accept = attempt(wanted, observed(volumes=(over(first),)), offer("agent-2"))
    assert second.elsewhere == ("agent-1",)
    assert second.persistence_id != first.persistence_id
    there = remaining(offer("agent-2"), accept, launched=True)
    waits = decide(wanted, running(second), there)
    assert waits.wants_offers
    assert [w.reason for w in waits.waiting] == [Reason.RECONCILING]
    assert "agent-1" in waits.waiting[0].message
    seen, (here, there) = settle(wanted, running(second), here, there)
    (record,) = seen.volumes
    assert not ours(there)
    assert not record.elsewhere
    # A volume is never destroyed in passing: it stays known, and goes with the entry.
    assert [r.persistence is not None for r in ours(here)] == [True] * (accepted_operations - 1)
    assert record.superseded == ("agent-1",) * (accepted_operations - 1)


def test_a_superseded_volume_goes_with_its_entry_and_the_entry_waits_for_it() -> None:
    wanted = spec()
    first, accept = attempt(wanted, observed(), offer())
    here = remaining(offer(), replace(accept, operations=accept.operations[:2]), launched=False)
    second, accept = attempt(wanted, observed(volumes=(over(first),)), offer("agent-2"))
    there = remaining(offer("agent-2"), accept, launched=False)
    deleting = replace(over(second, TaskState.KILLED), intent=Intent.DELETE, initialised=True)
    world, seen = [there], observed(database=None, volumes=(deleting,))
    for round_number in range(6):
        decided = plan(None, replace(seen, at_seconds=2_000.0 + round_number), tuple(world), OPERATOR)
        if any(isinstance(action, ForgetVolume) for action in decided.actions):
            break
        for action in decided.actions:
            if isinstance(action, SaveVolume):
                seen = replace(seen, volumes=(action.volume,))
            elif isinstance(action, AcceptOffers):
                world = [remaining(o, action, launched=False) if o.agent_id == action.agent.id else o for o in world]
        if not decided.actions:
            assert "agent-1" in decided.waiting[0].message
            world = [*world, here]
        world = [replace(o, received_at_seconds=2_000.5 + round_number) for o in world]
    assert len(world) == 2, "the entry was forgotten before its other agent was seen"
    assert not any(ours(offered) for offered in world)


@RESERVING
def test_a_doubled_reservation_is_seen_by_its_label_and_given_back(strategy: Strategy) -> None:
    wanted = spec(strategy)
    first, accept = attempt(wanted, observed(), offer())
    once = remaining(offer(), replace(accept, operations=accept.operations[:1]), launched=False)
    free = replace(once, resources=tuple(r for r in once.resources if r.unreserved))
    _, again = attempt(wanted, observed(volumes=(over(replace(first, agent=None)),)), free)
    twice = remaining(once, replace(again, operations=again.operations[:1]), launched=False)
    assert len({r.labels.reservation for r in ours(twice) if r.labels}) == 2
    third, accept = attempt(wanted, observed(volumes=(over(replace(first, incarnation=2)),)), twice)
    assert third.launch is not None
    assert third.launch.leaves_surplus
    assert not any(isinstance(o, Reserve) for o in accept.operations)
    seen, (left,) = settle(wanted, running(third), remaining(twice, accept, launched=True))
    assert not ours(left)
    assert seen.volumes[0].launch is not None
    assert not seen.volumes[0].launch.leaves_surplus


def test_a_surplus_that_nobody_expected_is_given_back_when_it_is_seen() -> None:
    record, accept = attempt(spec(), observed(), offer())
    left = remaining(offer(), accept, launched=True)
    late = remaining(offer(cpus=1, mem_mib=64, disk_mib=1), accept_of(accept, "cpus"), launched=False)
    _, (after,) = settle(spec(), running(record), replace(left, resources=late.resources))
    assert not ours(after)


def accept_of(accept: AcceptOffers, name: str) -> AcceptOffers:
    (reserve,) = [o for o in accept.operations if isinstance(o, Reserve)]
    return replace(accept, operations=(Reserve(resources=tuple(r for r in reserve.resources if r.name == name)),))


@RESERVING
def test_the_bundle_of_a_task_whose_end_is_not_told_yet_is_no_surplus(strategy: Strategy) -> None:
    # An agent that comes back can offer what a dead task held before it says that the task is dead.
    record, accept = attempt(spec(strategy), observed(), offer())
    idle = remaining(offer(), accept, launched=False)
    seen = running(replace(record, launch=replace(record.launch, leaves_surplus=True) if record.launch else None))
    assert not any(isinstance(a, AcceptOffers) for a in decide(spec(strategy), seen, idle).actions)


@pytest.mark.parametrize("disk_type", [DiskType.ROOT, DiskType.PATH])
@pytest.mark.parametrize(("found_mib", "free_mib", "reserved_mib"), [(4096, 0, 0), (600, 512, 424), (600, 8192, 1024)])
def test_reserved_disk_of_another_size_is_used_in_part_made_larger_or_replaced(
    disk_type: DiskType, found_mib: int, free_mib: int, reserved_mib: int
) -> None:
    volume = StorageSpec(
        strategy=Strategy.PERSISTENT_VOLUME,
        size_bytes=1024 * MIB,
        persistent_volume=PersistentVolumeSpec(disk_type=disk_type),
    )
    wanted = spec(storage=volume)
    source = replace(offer().resources[2].source, type=disk_type, wire=None if disk_type is DiskType.ROOT else "PATH")

    def with_disk(amount_mib: int) -> AgentOffer:
        base = offer()
        disk = replace(base.resources[2], amount_milli=amount_mib * 1000, source=source)
        others = [r for r in base.resources if r.name != "disk"]
        return replace(base, resources=(*others, disk) if amount_mib else tuple(others))

    other_size = spec(storage=replace(volume, size_bytes=found_mib * MIB))
    first, accept = attempt(other_size, observed(), with_disk(found_mib + free_mib))
    half = remaining(with_disk(found_mib + free_mib), replace(accept, operations=accept.operations[:1]), launched=False)
    record = replace(over(first), size_bytes=1024 * MIB)
    second, accept = attempt(wanted, observed(volumes=(record,)), half)
    reserved = [r for o in accept.operations if isinstance(o, Reserve) for r in o.resources]
    assert sum(r.amount_milli for r in reserved) == reserved_mib * 1000
    (create,) = [o for o in accept.operations if isinstance(o, Create)]
    assert create.volume.amount_milli == 1024 * 1000
    left = remaining(half, accept, launched=True)
    _, (after,) = settle(wanted, running(second), left)
    assert not ours(after)


def test_a_mount_disk_is_taken_whole_and_never_joined_with_another() -> None:
    mount = StorageSpec(
        strategy=Strategy.PERSISTENT_VOLUME,
        size_bytes=1024 * MIB,
        persistent_volume=PersistentVolumeSpec(disk_type=DiskType.MOUNT),
    )
    base = offer()
    disks = tuple(
        replace(
            base.resources[2],
            amount_milli=size * 1000,
            source=replace(base.resources[2].source, type=DiskType.MOUNT, root=f"/mnt/{size}", wire="MOUNT"),
        )
        for size in (700, 800, 3000)
    )
    world = replace(base, resources=(*(r for r in base.resources if r.name != "disk"), *disks))
    first, accept = attempt(spec(storage=mount), observed(), world)
    (create,) = [o for o in accept.operations if isinstance(o, Create)]
    assert (create.volume.amount_milli, create.volume.source.root) == (3_000_000, "/mnt/3000")
    half = remaining(world, replace(accept, operations=accept.operations[:1]), launched=False)
    _, accept = attempt(spec(storage=mount), observed(volumes=(over(first),)), half)
    assert [type(o) for o in accept.operations] == [Create, LaunchTask]
    remaining(half, accept, launched=True)


def test_a_lost_launch_reserves_nothing_anew_and_a_smaller_wish_gives_the_rest_back() -> None:
    first, accept = attempt(spec(), observed(), offer())
    bundle = remaining(offer(), accept, launched=False)
    smaller = spec(resources=ResourcesSpec(cpus_milli=200, memory_bytes=512 * MIB))
    second, again = attempt(smaller, observed(volumes=(over(first),)), bundle)
    assert [type(o) for o in again.operations] == [LaunchTask]
    _, (left,) = settle(smaller, running(second), remaining(bundle, again, launched=True))
    assert not ours(left)


def releasing(record: VolumeRecord) -> VolumeRecord:
    """Return the entry of a deleted member that had left a volume on agent-2 too."""
    return replace(
        over(record, TaskState.KILLED),
        intent=Intent.DELETE,
        phase=VolumePhase.RELEASING,
        released_at_seconds=1_500.0,
        superseded=("agent-2",),
    )


def test_agents_that_offer_one_after_the_other_show_together_that_nothing_is_left() -> None:
    """Simulator, seed 110 of then: two agents never offered at once, and the entry stayed for good."""
    first, _ = attempt(spec(), observed(), offer())
    released = releasing(first)
    seen = observed(database=None, at_seconds=2_000.0)
    there = replace(offer("agent-2"), received_at_seconds=1_600.0)
    looked = plan(None, replace(seen, volumes=(released,)), (there,), OPERATOR)
    (saved,) = looked.actions
    assert isinstance(saved, SaveVolume)
    assert not saved.volume.superseded
    here = replace(offer("agent-1"), received_at_seconds=1_700.0)
    decided = plan(None, replace(seen, volumes=(saved.volume,)), (here,), OPERATOR)
    assert any(isinstance(action, ForgetVolume) for action in decided.actions)


@pytest.mark.parametrize("received_at", [1_400.0, 1_600.0])
def test_an_old_offer_or_one_whose_agent_has_not_obeyed_yet_shows_nothing(received_at: float) -> None:
    first, _ = attempt(spec(), observed(), offer())
    released = releasing(first)
    there = replace(offer("agent-2"), received_at_seconds=received_at)
    assert first.task_id is not None
    destroy = OperationId(uid=UID, ordinal=0, offer="o", position=0, kind="destroy")
    pending = OperationStatus(id=destroy, state=OperationState.PENDING, agent_id="id-of-agent-2")
    open_ones = (pending,) if received_at > released.released_at_seconds else ()
    seen = observed(database=None, at_seconds=2_000.0, volumes=(released,), operations=open_ones)
    assert not plan(None, seen, (there,), OPERATOR).actions


@pytest.mark.parametrize(
    ("framework", "waited", "forgotten"),
    [("earlier", 1, False), ("earlier", 2, True), ("framework-1", 1, True), ("", 1, True)],
)
def test_what_an_earlier_framework_asked_an_agent_to_give_back_is_believed_once_it_must_have_heard_of_it(
    framework: str, waited: int, forgotten: bool
) -> None:
    """Simulator, seed 59073: no framework is told any more whether a cut off agent has obeyed one that was removed."""
    first, _ = attempt(spec(), observed(), offer())
    released = replace(releasing(first), superseded=(), released_by_framework=framework)
    came_at = released.released_at_seconds + waited * (PROOF_SECONDS - 1.0)
    seen = observed(database=None, at_seconds=came_at, volumes=(released,))
    decided = plan(None, seen, (replace(offer(), received_at_seconds=came_at),), OPERATOR)
    assert any(isinstance(action, ForgetVolume) for action in decided.actions) is forgotten
    if not forgotten:
        assert [wait.fix for wait in decided.waiting] == [""], "no agent is to be brought back"
        assert "earlier framework" in decided.waiting[0].message
        assert decided.look_again_after_seconds == released.released_at_seconds + PROOF_SECONDS - came_at
