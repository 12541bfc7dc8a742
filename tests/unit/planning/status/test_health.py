"""What conditions say of a database's health, and how kstatus reads them."""

from dataclasses import replace
from typing import Any

import pytest

from kstatus import kstatus
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.errors import FieldError
from statefuldb.model.keeper import DATA_EXPECTED, KeeperPhase
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, Intent, VolumeRecord
from statefuldb.planning.desired import Desired
from statefuldb.planning.invariants import Violation
from statefuldb.planning.planner import plan
from statefuldb.reconcile.decide import refused
from statefuldb.reconcile.report import status_of_plan
from unit.planning.test_planner import serving
from unit.planning.world import OPERATOR, desired, keeper, observed, offer, secret, spec, tasks

EVERY_STRATEGY = pytest.mark.parametrize("strategy", list(Strategy))


def read(decided: Plan, seen: Observed) -> str:
    """Return what kstatus makes of what would be published."""
    published = status_of_plan(seen, decided)
    assert {c["generation"] for c in _conditions(published)} == {1}, "observedGeneration everywhere"
    return kstatus({"metadata": {"generation": 1}, "status": published})


def _conditions(published: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**c, "generation": c["observedGeneration"]} for c in published["conditions"]]


def held(decided: Plan, kind: ConditionType) -> tuple[str, Reason]:
    found = next(c for c in decided.conditions if c.type is kind)
    return found.status_text, found.reason


def running(record: VolumeRecord, **said: object) -> Observed:
    return observed(
        volumes=(record,),
        tasks=tasks(record, TaskState.RUNNING),
        keepers=keeper(record, **said),
        secret=secret(record),
    )


@EVERY_STRATEGY
def test_one_whose_entry_is_marked_for_removal_waits_for_a_person(strategy: Strategy) -> None:
    marked = replace(serving(strategy), intent=Intent.DELETE, ending=Ending(incarnation=1, state=TaskState.KILLED))
    seen = observed(volumes=(marked,))
    decided = plan(desired(spec(strategy)), seen, (offer(),), OPERATOR)
    assert held(decided, ConditionType.STALLED) == ("True", Reason.DELETION_PROTECTED)
    assert read(decided, seen) == "Failed"


def test_one_that_is_being_made_is_in_progress() -> None:
    seen = observed()
    decided = plan(desired(spec()), seen, (offer(),), OPERATOR)
    assert read(decided, seen) == "InProgress"
    assert held(decided, ConditionType.RECONCILING)[0] == "True"
    assert held(decided, ConditionType.DEGRADED) == ("False", Reason.AS_EXPECTED)
    assert held(decided, ConditionType.DATA_AT_RISK) == ("False", Reason.DATA_SAFE)


def test_one_without_a_fitting_offer_is_in_progress_and_says_why() -> None:
    seen = observed()
    decided = plan(desired(spec()), seen, (offer(cpus=0.1),), OPERATOR)
    assert read(decided, seen) == "InProgress"
    assert held(decided, ConditionType.RECONCILING) == ("True", Reason.NO_SUITABLE_OFFER)


@EVERY_STRATEGY
def test_one_that_serves_is_current(strategy: Strategy) -> None:
    seen = running(serving(strategy))
    decided = plan(desired(spec(strategy)), seen, (), OPERATOR)
    assert read(decided, seen) == "Current"
    assert held(decided, ConditionType.STALLED) == ("False", Reason.AS_EXPECTED)
    assert held(decided, ConditionType.RECONCILING) == ("False", Reason.SETTLED)


def test_one_that_is_stopped_as_asked_is_current() -> None:
    record = replace(serving(), ending=Ending(incarnation=1, state="TASK_KILLED"))
    seen = observed(volumes=(record,))
    decided = plan(desired(spec(replicas=0)), seen, (offer(),), OPERATOR)
    assert read(decided, seen) == "Current"
    assert held(decided, ConditionType.READY) == ("True", Reason.STOPPED_AS_ASKED)
    assert held(decided, ConditionType.AVAILABLE) == ("False", Reason.STOPPED_AS_ASKED)


def test_one_that_is_still_stopping_is_not() -> None:
    seen = running(serving())
    assert read(plan(desired(spec(replicas=0)), seen, (), OPERATOR), seen) == "InProgress"


def test_a_refused_edit_has_failed_although_the_old_target_serves() -> None:
    seen = running(serving())
    error = FieldError(path="spec.replicas", value="3", reason="NotSupportedYet", allowed="0 or 1")
    wanted = Desired(accepted=desired(spec()).accepted, errors=(error,))
    decided = plan(wanted, seen, (), OPERATOR)
    assert read(decided, seen) == "Failed"
    assert held(decided, ConditionType.STALLED) == ("True", Reason.NOT_SUPPORTED_YET)
    assert held(decided, ConditionType.READY)[0] == "True"


def test_one_that_was_never_accepted_has_failed() -> None:
    seen = observed()
    error = FieldError(path="spec.replicas", value="3", reason="NotSupportedYet", allowed="0 or 1")
    assert read(plan(Desired(accepted=None, errors=(error,)), seen, (), OPERATOR), seen) == "Failed"


def test_a_plan_that_breaks_a_law_has_failed() -> None:
    seen = running(serving())
    decided = refused(plan(desired(spec()), seen, (), OPERATOR), (Violation(law="bundle", message="half"),))
    assert read(decided, seen) == "Failed"
    assert len({c.type for c in decided.conditions}) == len(decided.conditions)


def test_a_lost_agent_puts_data_at_risk_where_it_lies_on_that_agent_alone() -> None:
    for strategy, risk in ((Strategy.PERSISTENT_VOLUME, "True"), (Strategy.HOST_PATH, "True"), (Strategy.DFS, "False")):
        record = serving(strategy)
        seen = observed(volumes=(record,), tasks=tasks(record, TaskState.UNREACHABLE))
        decided = plan(desired(spec(strategy)), seen, (offer("agent-2"),), OPERATOR)
        assert held(decided, ConditionType.DATA_AT_RISK)[0] == risk, strategy
        assert held(decided, ConditionType.DEGRADED)[0] == "True"
        assert read(decided, seen) == ("Failed" if strategy is Strategy.DFS else "InProgress")


@EVERY_STRATEGY
def test_a_directory_that_was_emptied_puts_data_at_risk_and_an_option_that_is_refused_does_not(
    strategy: Strategy,
) -> None:
    """On a real Mesos: another framework destroyed a stopped member's volume and created one with the same id."""
    found = {f"/x has no identity marker, {DATA_EXPECTED}: ...": "True", "unknown option frobnicate": "False"}
    for reason, risk in found.items():
        record = serving(strategy)
        seen = running(record, phase=KeeperPhase.REFUSED, reason=reason)
        assert record.launch is not None
        over = replace(
            record,
            failures=4,
            launch=replace(record.launch, refusal=reason),
            ending=Ending(incarnation=1, state="TASK_FAILED", at_seconds=seen.at_seconds - 1),
        )
        for looked in (seen, observed(volumes=(over,))):
            decided = plan(desired(spec(strategy)), looked, (), OPERATOR)
            assert held(decided, ConditionType.DATA_AT_RISK)[0] == risk, (reason, decided.waiting)


def test_a_disk_that_is_nearly_full_degrades_one_that_serves() -> None:
    seen = running(serving(), disk_total_bytes=2**30, disk_free_bytes=2**20)
    decided = plan(desired(spec()), seen, (), OPERATOR)
    assert held(decided, ConditionType.DEGRADED) == ("True", Reason.DISK_FULL)
    assert held(decided, ConditionType.READY)[0] == "True"
    assert read(decided, seen) == "Current"
