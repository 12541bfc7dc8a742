"""A member that failed and has served for a while since: its failures are past, at that time and unseen by anybody."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import SaveVolume
from statefuldb.model.conditions import ConditionType
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Plan
from statefuldb.model.spec import Strategy
from statefuldb.planning.members.serving import HEALTHY_AFTER_SECONDS
from statefuldb.planning.planner import plan
from unit.planning.world import OPERATOR, desired, running, serving_on, spec


@pytest.fixture
def seen() -> Observed:
    """The sight of a member that was launched just now, after a failure, and serves."""
    record, _, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    return running(replace(record, failures=1))


def test_failures_are_past_when_they_are_due_to_be(seen: Observed) -> None:
    young = decided(later(seen, 10.0))
    assert not young.actions
    assert young.look_again_after_seconds == HEALTHY_AFTER_SECONDS - 10.0
    (saved,) = decided(later(seen, HEALTHY_AFTER_SECONDS)).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume == replace(seen.volumes[0], failures=0)


def test_nothing_is_due_any_more_once_they_are_past(seen: Observed) -> None:
    forgiven = replace(seen, volumes=(replace(seen.volumes[0], failures=0),))
    for seconds in (10.0, HEALTHY_AFTER_SECONDS):
        rests = decided(later(forgiven, seconds))
        assert not rests.actions
        assert rests.look_again_after_seconds is None


def test_a_database_that_serves_stays_ready_while_its_failures_become_past(seen: Observed) -> None:
    assert is_ready(decided(later(seen, 10.0)))
    assert is_ready(decided(later(seen, HEALTHY_AFTER_SECONDS)))


def test_a_database_is_not_ready_before_the_ledger_knows_of_its_data(seen: Observed) -> None:
    unknown = replace(seen, volumes=(replace(seen.volumes[0], initialised=False),))
    for seconds in (10.0, HEALTHY_AFTER_SECONDS):
        assert not is_ready(decided(later(unknown, seconds)))


def test_a_launch_under_a_clock_that_was_ahead_is_not_waited_for(seen: Observed) -> None:
    """Simulator, seed 125 of then: with the clock set back, failures were outlived long after all was at rest."""
    (saved,) = decided(later(seen, -3_600.0)).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.failures == 0


def later(seen: Observed, seconds: float) -> Observed:
    return replace(seen, at_seconds=seen.at_seconds + seconds)


def decided(seen: Observed) -> Plan:
    return plan(desired(spec()), seen, (), OPERATOR)


def is_ready(plan: Plan) -> bool:
    return any(c.type is ConditionType.READY and c.status is True for c in plan.conditions)
