"""What the ledger says of a member's storage is what its keeper was told: edits before there is data included."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, FenceAgent, SaveVolume
from statefuldb.model.canonical import canonical
from statefuldb.model.conditions import Reason
from statefuldb.model.observed import TaskState
from statefuldb.model.plan import Accepted
from statefuldb.model.spec import DatabaseSpec, HostPathSpec, NodeLossAction, Strategy
from statefuldb.model.volume import Ending, Intent, VolumeRecord
from statefuldb.planning.desired import Desired, desired_of
from statefuldb.planning.planner import plan
from unit.planning.members.test_fencing import FENCING, wanted
from unit.planning.members.test_strays import serving
from unit.planning.world import OPERATOR, database, desired, observed, offer, running, serving_on, spec, tasks


def moved(given: DatabaseSpec, mount_point: str) -> DatabaseSpec:
    assert given.storage.dfs is not None
    attribute = replace(given.storage.dfs.agent_attribute, value=mount_point)
    dfs = replace(given.storage.dfs, mount_point=mount_point, agent_attribute=attribute)
    return replace(given, storage=replace(given.storage, dfs=dfs))


def failed(record: VolumeRecord) -> VolumeRecord:
    ended = Ending(incarnation=record.incarnation, state=TaskState.FAILED)
    return replace(record, initialised=False, ending=ended)


def test_a_lost_agent_is_cut_off_from_the_file_system_that_its_member_was_launched_on() -> None:
    first = failed(serving(Strategy.DFS))
    edited = moved(wanted(NodeLossAction.REATTACH, 0), "/mnt/other")
    there = offer(attributes={"statefuldb_dfs": "/mnt/other"})
    saved, accepted = plan(desired(edited), observed(volumes=(first,)), (there,), FENCING).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    serves = replace(saved.volume, initialised=True)
    lost = observed(volumes=(serves,), tasks=tasks(serves, TaskState.UNREACHABLE))
    (cut, _) = plan(desired(edited), lost, (there,), FENCING).actions
    assert isinstance(cut, FenceAgent)
    assert cut.dfs.mount_point == "/mnt/other"


def accepted(before: DatabaseSpec, after: DatabaseSpec, *volumes: VolumeRecord) -> Desired:
    """Return what is aimed at after an edit."""
    status = {"accepted": {"generation": 1, "spec": canonical(before)}}
    stored = database(generation=2, spec=canonical(after), status=status)
    found = desired_of(observed(database=stored, volumes=volumes), ())
    assert found is not None
    return found


def test_the_strategy_stays_once_a_member_was_launched() -> None:
    before, after = spec(Strategy.HOST_PATH), spec(Strategy.DFS)
    record = failed(serving(Strategy.HOST_PATH))
    kept = accepted(before, after, record)
    assert [error.path for error in kept.errors] == ["spec.storage.strategy"]
    assert kept.accepted == Accepted(generation=1, spec=before)
    assert not accepted(before, after).errors, "before anything was launched, anything may change"


def test_data_below_another_root_is_not_taken_up_as_if_it_lay_where_the_manifest_says() -> None:
    for strategy in (Strategy.HOST_PATH, Strategy.DFS):
        record = serving(strategy)
        kept = replace(
            record, owner_uid="gone", intent=Intent.RETAIN, ending=Ending(incarnation=1, state=TaskState.KILLED)
        )
        elsewhere = spec(strategy)
        if strategy is Strategy.DFS:
            elsewhere = moved(elsewhere, "/mnt/other")
        else:
            host_path = HostPathSpec(path="/srv/other")
            elsewhere = replace(elsewhere, storage=replace(elsewhere.storage, host_path=host_path))
        decided = plan(desired(elsewhere), observed(volumes=(kept,)), (offer(),), OPERATOR)
        assert [wait.reason for wait in decided.waiting] == [Reason.AMBIGUOUS_RETAINED_VOLUMES]
        assert not [a for a in decided.actions if isinstance(a, SaveVolume) and a.volume.intent is Intent.USE]


@pytest.mark.parametrize("strategy", [Strategy.HOST_PATH, Strategy.DFS])
def test_the_size_of_a_directory_is_the_one_that_is_asked_for(strategy: Strategy) -> None:
    record, beside, _ = serving_on(strategy)
    given = spec(strategy)
    larger = replace(given, storage=replace(given.storage, size_bytes=2 * given.storage.size_bytes))
    (saved,) = plan(desired(larger), running(record), (beside,), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume == replace(record, size_bytes=larger.storage.size_bytes)
    assert not plan(desired(larger), running(saved.volume), (beside,), OPERATOR).actions
