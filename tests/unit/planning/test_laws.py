"""Each law of `planning/invariants.py` and `planning/laws/ledger_entries.py`, broken on purpose."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, Action, FenceAgent, KillTask, SaveVolume
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.operations import Create, LaunchTask, Operation, Reserve
from statefuldb.model.plan import Plan
from statefuldb.model.spec import RiskClass, Strategy
from statefuldb.model.volume import Ending, Fencing, Intent, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from unit.planning.members.test_strays import serving
from unit.planning.world import CLUSTER, OPERATOR, UID, database, desired, observed, offer, spec, tasks

EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))
ASKS_FOR_DELETION = {"deletionProtection": "Disabled", "retention": {"whenDeleted": "Delete"}}
OTHER = "22222222-2222-3333-4444-555555555555"


def broken(seen: Observed, *actions: Action) -> set[str]:
    return {violation.law for violation in violations(Plan(actions=actions), seen, CLUSTER)}


def saved(record: VolumeRecord) -> SaveVolume:
    return SaveVolume(volume=record, why="test")


def relaunch(record: VolumeRecord) -> tuple[SaveVolume, AcceptOffers]:
    """Return the launch that would follow if the last one of `record` were over."""
    over = replace(record, ending=Ending(incarnation=record.incarnation, state=TaskState.KILLED))
    wanted = desired(spec(record.strategy))
    first = plan(wanted, observed(), (offer(),), OPERATOR).actions[1]
    assert isinstance(first, AcceptOffers)
    made = [o.volume for o in first.operations if isinstance(o, Create)]
    written, accepted = plan(wanted, observed(volumes=(over,)), (offer(extra=tuple(made)),), OPERATOR).actions
    assert isinstance(written, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    return written, accepted


def with_keeper(accepted: AcceptOffers, **changes: object) -> AcceptOffers:
    def changed(operation: Operation) -> Operation:
        if not isinstance(operation, LaunchTask):
            return operation
        return replace(operation, keeper=replace(operation.keeper, **changes))  # type: ignore[arg-type]

    return replace(accepted, operations=tuple(changed(o) for o in accepted.operations))


@pytest.mark.parametrize(
    ("law", "changes"),
    [
        ("data_outlives_everything", {"intent": Intent.DELETE}),
        ("data_outlives_everything", {"owner_uid": OTHER}),
        ("ours_only", {"identity": "other"}),
        ("one_writer", {"incarnation": 0}),
        ("one_writer", {"token": 0}),
        ("no_empty_resurrection", {"initialised": False}),
        ("no_empty_resurrection", {"persistence_id": "sdb.another"}),
        ("no_empty_resurrection", {"directory": "/srv/another"}),
        ("no_empty_resurrection", {"made_with": {"innodb_page_size": "4k"}}),
        ("no_empty_resurrection", {"made_with": None}),
    ],
)
def test_an_entry_in_use_keeps_what_it_says(law: str, changes: dict[str, object]) -> None:
    record = serving(Strategy.PERSISTENT_VOLUME)
    if "identity" in changes:
        changes = {"identity": replace(record.identity, uid=OTHER)}
    changed = replace(record, **changes)  # type: ignore[arg-type]
    assert broken(observed(volumes=(record,)), saved(changed)) == {law}
    assert not broken(observed(volumes=(record,)), saved(replace(record, failures=3)))


def test_only_the_deletion_of_its_own_database_marks_data_for_removal() -> None:
    record = serving(Strategy.HOST_PATH)
    deleted = saved(replace(record, intent=Intent.DELETE))
    gone = database(deleting=True, spec=ASKS_FOR_DELETION)
    seen = observed(database=gone, volumes=(record,))
    assert not broken(seen, deleted)
    assert broken(replace(seen, database=replace(gone, uid=OTHER)), deleted)
    assert broken(replace(seen, database=replace(gone, deleting=False)), deleted)
    assert broken(replace(seen, database=None), deleted)


@pytest.mark.parametrize(
    "changes",
    [
        {"deletionProtection": "Enabled"},
        {"deletionProtection": None},
        {"retention": {"whenDeleted": "Retain"}},
        {"retention": {}},
        {"retention": None},
    ],
)
def test_data_is_marked_for_removal_as_the_manifest_says_and_not_with_all_the_rest(changes: dict[str, object]) -> None:
    record = serving(Strategy.HOST_PATH)
    deleted = saved(replace(record, intent=Intent.DELETE))
    gone = database(deleting=True, spec={**ASKS_FOR_DELETION, **changes})
    assert broken(observed(database=gone, volumes=(record,)), deleted)
    asked = observed(database=database(deleting=True, spec=ASKS_FOR_DELETION), volumes=(record,))
    assert broken(replace(asked, crd_terminating=True), deleted)
    assert broken(replace(asked, namespace_terminating=True), deleted)


def test_retained_data_may_change_hands_and_released_data_may_not() -> None:
    record = replace(serving(Strategy.HOST_PATH), owner_uid=OTHER)
    for intent, laws in ((Intent.RETAIN, set()), (Intent.DELETE, {"data_outlives_everything"})):
        held = replace(record, intent=intent)
        taken = saved(replace(held, owner_uid=UID, intent=Intent.USE))
        assert broken(observed(volumes=(held,)), taken) == laws


@EVERY_STRATEGY
def test_a_launch_whose_predecessor_is_not_proved_over_is_refused(strategy: Strategy) -> None:
    record = serving(strategy)
    actions = relaunch(record)
    over = replace(record, ending=Ending(incarnation=1, state=TaskState.KILLED))
    assert not broken(observed(volumes=(over,)), *actions)
    lost = observed(volumes=(record,), tasks=tasks(record, TaskState.UNREACHABLE))
    # Mesos offers no volume that a task uses: there, the offer itself is the proof.
    assert broken(lost, *actions) == (set() if strategy is Strategy.PERSISTENT_VOLUME else {"one_writer"})


def test_what_proves_that_a_lost_member_writes_no_more() -> None:
    shared = serving(Strategy.DFS)
    for incarnation, laws in ((1, set()), (0, {"one_writer"})):
        fenced = replace(shared, fencing=Fencing(incarnation=incarnation, by="ops"))
        assert broken(observed(volumes=(fenced,)), *relaunch(shared)) == laws
    for lost_at, laws in ((500.0, set()), (900.0, {"one_writer"})):
        fenced = replace(shared, fencing=Fencing(incarnation=1, by="ops", lost_at_seconds=500.0))
        told = {t: replace(s, unreachable_at_seconds=lost_at) for t, s in tasks(shared, TaskState.UNREACHABLE).items()}
        assert broken(observed(volumes=(fenced,), tasks=told), *relaunch(shared)) == laws
    local = serving(Strategy.HOST_PATH)
    written, accepted = relaunch(local)
    again = replace(accepted, agent=replace(accepted.agent, id="another-id-of-the-same-host"))
    assert not broken(observed(volumes=(local,)), written, again)


@EVERY_STRATEGY
def test_a_keeper_that_would_check_another_mount_than_that_of_its_data_is_not_launched(strategy: Strategy) -> None:
    record = serving(strategy)
    over = observed(volumes=(replace(record, ending=Ending(incarnation=1, state=TaskState.KILLED)),))
    written, accepted = relaunch(record)
    for mount_point in ("/mnt/other", "/mnt/share"):
        (data,) = [o.keeper.data for o in accepted.operations if isinstance(o, LaunchTask)]
        elsewhere = with_keeper(accepted, data=replace(data, mount_point=mount_point))
        assert broken(over, written, elsewhere) == {"one_writer"}


def test_only_the_file_system_that_data_lies_on_is_what_a_lost_agent_is_cut_off_from() -> None:
    record = serving(Strategy.DFS)
    assert record.dfs is not None
    assert record.launch is not None
    assert record.task_id is not None
    cut = FenceAgent(key=record.key, task_id=record.task_id, agent=record.launch.agent, dfs=record.dfs)
    lost = observed(volumes=(record,), tasks=tasks(record, TaskState.UNREACHABLE))
    assert not broken(lost, cut)
    for dfs in (replace(record.dfs, mount_point="/mnt/other"), replace(record.dfs, mount_point="/mnt/share")):
        assert broken(lost, replace(cut, dfs=dfs)) == {"one_writer"}
    assert broken(observed(), cut) == {"one_writer"}, "nobody knows what it has"


@EVERY_STRATEGY
def test_only_what_is_to_be_deleted_is_emptied_and_data_is_never_begun_anew(strategy: Strategy) -> None:
    record = serving(strategy)
    over = observed(volumes=(replace(record, ending=Ending(incarnation=1, state=TaskState.KILLED)),))
    written, accepted = relaunch(record)
    assert broken(over, written, with_keeper(accepted, mode="Erase")) == {"data_outlives_everything"}
    assert broken(over, written, with_keeper(accepted, bootstrap="Empty")) == {"no_empty_resurrection"}


def test_no_volume_is_made_in_the_place_of_data_and_nothing_is_reserved_in_anothers_name() -> None:
    first = plan(desired(spec()), observed(), (offer(),), OPERATOR).actions[1]
    assert isinstance(first, AcceptOffers)
    without_launch = replace(first, operations=first.operations[:2])
    assert not broken(observed(), without_launch)
    has_data = observed(volumes=(serving(Strategy.PERSISTENT_VOLUME),))
    assert broken(has_data, without_launch) == {"no_empty_resurrection"}
    (reserve,) = [o for o in first.operations if isinstance(o, Reserve)]
    unlabelled = tuple(replace(r, reservations=(replace(r.reservations[-1], labels=()),)) for r in reserve.resources)
    assert broken(observed(), replace(first, operations=(Reserve(resources=unlabelled),))) == {"ours_only"}


def test_a_task_that_the_ledger_does_not_know_is_not_stopped() -> None:
    record = serving(Strategy.DFS)
    for uid, laws in ((UID, set()), (OTHER, {"no_surprise_teardown"})):
        task_id = TaskId(uid=uid, ordinal=0, incarnation=1)
        kill = KillTask(task_id=task_id, agent_id=None, grace_seconds=60, why="test", risk=RiskClass.RESTART)
        assert broken(observed(volumes=(record,)), kill) == laws
