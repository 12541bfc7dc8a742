"""Objects that go without a word and come back: their data waits, and a member that runs goes on."""

from dataclasses import replace

from statefuldb.model.actions import KillTask, SaveVolume
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.spec import Retention, RetentionSpec
from statefuldb.model.volume import Intent
from statefuldb.planning.planner import plan
from unit.planning.test_planner import serving
from unit.planning.world import OPERATOR, database, desired, observed, offer, spec, tasks

ANOTHER_UID = "99999999-2222-3333-4444-555555555555"


def decide(seen: Observed) -> Plan:
    return plan(desired(spec()), seen, (offer(),), OPERATOR)


def saved(decided: Plan) -> list[tuple[str, Intent, str]]:
    found = [a.volume for a in decided.actions if isinstance(a, SaveVolume)]
    return [(volume.name, volume.intent, volume.owner_uid) for volume in found]


def test_a_database_made_again_under_its_name_is_not_begun_beside_the_data_of_the_first() -> None:
    record = serving()
    seen = observed(database=database(uid=ANOTHER_UID), volumes=(record,), tasks=tasks(record, TaskState.RUNNING))
    decided = decide(replace(seen, reserved=()))
    assert saved(decided) == [(record.name, Intent.RETAIN, record.owner_uid)]
    assert len(decided.actions) == 1


def test_it_takes_up_that_data_and_its_running_member_is_not_stopped() -> None:
    record = replace(serving(), intent=Intent.RETAIN)
    seen = observed(database=database(uid=ANOTHER_UID), volumes=(record,), tasks=tasks(record, TaskState.RUNNING))
    decided = decide(replace(seen, reserved=()))
    assert saved(decided) == [(record.name, Intent.USE, ANOTHER_UID)]
    assert len(decided.actions) == 1


def test_what_does_not_fit_is_still_stopped() -> None:
    record = replace(serving(), intent=Intent.RETAIN, engine_version="10.6")
    seen = observed(database=database(uid=ANOTHER_UID), volumes=(record,), tasks=tasks(record, TaskState.RUNNING))
    decided = decide(replace(seen, reserved=()))
    assert [type(action) for action in decided.actions] == [KillTask]


def test_while_the_definitions_go_or_are_gone_no_task_and_no_volume_is_touched() -> None:
    record = serving()
    for intent in (Intent.RETAIN, Intent.DELETE):
        left = replace(record, intent=intent)
        for state in (TaskState.RUNNING, TaskState.KILLED):
            seen = observed(database=None, volumes=(left,), tasks=tasks(record, state), crd_terminating=True)
            assert not plan(None, seen, (offer(),), OPERATOR).actions
    wanted = spec(deletion_protection=False, retention=RetentionSpec(when_deleted=Retention.DELETE))
    gone = observed(database=database(deleting=True), volumes=(record,), crd_terminating=True)
    decided = plan(desired(wanted), replace(gone, tasks=tasks(record, TaskState.RUNNING)), (), OPERATOR)
    assert saved(decided) == [(record.name, Intent.RETAIN, record.owner_uid)]
    assert not [action for action in decided.actions if isinstance(action, KillTask)]
