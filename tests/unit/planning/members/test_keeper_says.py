"""What a keeper says, and what becomes of it: a refusal, a disk that is full."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import EnsureSecret, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.identity import volume_record_name
from statefuldb.model.keeper import EXIT_CANNOT_LISTEN, KeeperPhase
from statefuldb.model.observed import KeeperView, TaskState
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import MESSAGE_MAX_LENGTH, Ending
from statefuldb.planning.planner import plan
from unit.planning.members.test_strays import serving
from unit.planning.world import (
    OPERATOR,
    desired,
    keeper,
    observed,
    offer,
    running,
    secret,
    serving_on,
    spec,
    status,
    tasks,
)


def test_why_a_keeper_refused_outlives_the_keeper() -> None:
    record = serving(Strategy.HOST_PATH)
    said = "/srv/db: Permission denied"
    seen = observed(
        volumes=(record,),
        tasks=tasks(record, TaskState.RUNNING),
        keepers=keeper(record, phase=KeeperPhase.REFUSED, reason=said),
    )
    decided = plan(desired(spec(Strategy.HOST_PATH)), seen, (offer(),), OPERATOR)
    (saved,) = decided.actions
    assert isinstance(saved, SaveVolume)
    over = replace(
        saved.volume, failures=4, ending=Ending(incarnation=1, state="TASK_FAILED", message="exit 64", at_seconds=999.0)
    )
    assert not plan(desired(spec(Strategy.HOST_PATH)), replace(seen, volumes=(saved.volume,)), (), OPERATOR).actions
    later = plan(desired(spec(Strategy.HOST_PATH)), observed(volumes=(over,)), (offer(),), OPERATOR)
    assert said in later.waiting[0].message


def test_a_keeper_whose_port_is_taken_is_told_of_by_its_exit_status() -> None:
    """On a real Mesos, with somebody else on both ports: `BackOff: ended 6 times in a row; ... status 1`, no more."""
    record = serving(Strategy.HOST_PATH)
    assert record.launch is not None
    message = f"Command exited with status {EXIT_CANNOT_LISTEN}"
    over = replace(
        record, failures=4, ending=Ending(incarnation=1, state="TASK_FAILED", message=message, at_seconds=999.0)
    )
    (wait,) = plan(desired(spec(Strategy.HOST_PATH)), observed(volumes=(over,)), (offer(),), OPERATOR).waiting
    assert wait.reason is Reason.BACK_OFF
    assert f"could not listen on 127.0.0.1:{record.launch.keeper_port}" in wait.message
    assert f"ss -ltnp sport = :{record.launch.keeper_port}" in wait.fix


def test_why_a_keeper_refused_is_known_though_it_was_silent_or_over_by_the_next_look() -> None:
    """Simulator, seed 42946: twenty launches were refused, and nothing said why."""
    record = serving(Strategy.HOST_PATH)
    (view,) = keeper(record, phase=KeeperPhase.REFUSED, reason="/srv/db: no marker").values()
    silent = KeeperView.silent(view.task_id, "connection refused", view)
    for state in (TaskState.RUNNING, TaskState.FAILED):
        seen = observed(volumes=(record,), tasks=tasks(record, state), keepers={view.task_id: silent})
        (saved,) = plan(desired(spec(Strategy.HOST_PATH)), seen, (), OPERATOR).actions
        assert isinstance(saved, SaveVolume)
        assert saved.volume.launch is not None
        assert saved.volume.launch.refusal == "/srv/db: no marker"
        assert saved.volume.ended is state.over


def test_a_keeper_that_does_not_answer_while_mesos_does_not_is_not_to_be_looked_for_through_mesos() -> None:
    """On a real Mesos: `look at the member's output with statefuldb logs`, which asks the master that was away."""
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    seen = running(replace(record, launch=replace(record.launch, at_seconds=0.0)))  # type: ignore[type-var]
    (task,) = seen.keepers
    silent = replace(seen, keepers={task: replace(seen.keepers[task], status=None, error="connection refused")})
    away = replace(silent, mesos=replace(silent.mesos, connected=False, error="no master"))
    for looked, says, helps in ((silent, "connection refused", "logs orders"), (away, "not connected", "--mesos")):
        wait = plan(desired(spec()), looked, (), OPERATOR).waiting[0]
        assert wait.reason is Reason.KEEPER_UNREACHABLE
        assert says in wait.message
        assert helps in wait.fix


def test_a_disk_that_is_as_good_as_full_is_said_while_the_server_still_answers() -> None:
    record = serving(Strategy.PERSISTENT_VOLUME)
    seen = observed(
        volumes=(record,),
        tasks=tasks(record, TaskState.RUNNING),
        keepers=keeper(record, disk_total_bytes=2**30, disk_free_bytes=2**20),
        secret=secret(record),
    )
    decided = plan(desired(spec()), seen, (), OPERATOR)
    assert [wait.reason for wait in decided.waiting] == [Reason.DISK_FULL]
    assert decided.members[0].ready


def test_what_is_too_long_to_be_kept_is_cut_once() -> None:
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    said = "no room " * MESSAGE_MAX_LENGTH
    views = keeper(record, phase=KeeperPhase.REFUSED, reason=said)
    (saved,) = plan(desired(spec()), replace(running(record), keepers=views), (), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.launch is not None
    assert saved.volume.launch.refusal == said[:MESSAGE_MAX_LENGTH]
    again = replace(running(saved.volume), keepers=views)
    assert not plan(desired(spec()), again, (), OPERATOR).actions
    assert saved.volume.task_id is not None
    failed = replace(status(saved.volume.task_id, TaskState.FAILED), message=said)
    ended = replace(again, tasks={failed.id: failed})
    (saved,) = plan(desired(spec()), ended, (), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.ending is not None
    assert saved.volume.ending.message == said[:MESSAGE_MAX_LENGTH]


def test_a_launch_under_a_clock_that_was_ahead_does_not_hide_a_keepers_silence() -> None:
    record = serving(Strategy.PERSISTENT_VOLUME)
    assert record.launch is not None
    seen = running(replace(record, launch=replace(record.launch, at_seconds=observed().at_seconds + 3_600.0)))
    (task,) = seen.keepers
    silent = replace(seen, keepers={task: replace(seen.keepers[task], status=None, error="connection refused")})
    assert plan(desired(spec()), silent, (), OPERATOR).waiting[0].reason is Reason.KEEPER_UNREACHABLE


@pytest.mark.parametrize(
    ("name", "account"),
    [("orders-eu.1", "orders_eu_1"), ("mysql", "mysql_db"), ("information-schema", "information_schema_db")],
)
def test_no_account_has_a_schema_of_the_servers_own(name: str, account: str) -> None:
    """A database called `mysql` had an account that could give itself any right, and read files of the others'."""
    record = serving(Strategy.HOST_PATH)
    record = replace(record, name=volume_record_name(name, 0, record.identity.uid))
    seen = observed(volumes=(record,), tasks=tasks(record, TaskState.RUNNING), keepers=keeper(record))
    ensured = plan(desired(spec(Strategy.HOST_PATH)), seen, (), OPERATOR).actions[-1]
    assert isinstance(ensured, EnsureSecret)
    assert (ensured.username, ensured.database) == (account, account)
