"""What agents do not give back, since Mesos refuses or never hears of it: it is asked for ever more rarely, and told.

The masters' ACLs may lack `unreserve_resources` or `destroy_volumes` for the operator. It asked each second, for ever.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from statefuldb.model.actions import AcceptOffers, ForgetVolume, SaveVolume
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.identity import OperationId
from statefuldb.model.observed import Observed, OperationState, OperationStatus
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, GivingBack, Intent, VolumePhase, VolumeRecord
from statefuldb.planning.checkup.findings import Verdict
from statefuldb.planning.checkup.ledger import ledger_findings
from statefuldb.planning.invariants import violations
from statefuldb.planning.inventory.comparison import compare
from statefuldb.planning.members.asked_back import LIMIT_SECONDS
from statefuldb.planning.planner import plan
from unit.planning.world import CLUSTER, OPERATOR, desired, observed, offer, remaining, running, serving_on, spec

SAID = "Principal 'statefuldb' no authorized to perform action UNRESERVE_RESOURCES"
FEEDBACK = pytest.mark.parametrize("feedback", [True, False])
See = Callable[[VolumeRecord], Observed]


def refused(record: VolumeRecord, offer_id: str = "O1") -> OperationStatus:
    sent = OperationId(uid=record.identity.uid, ordinal=0, offer=offer_id, position=0, kind="UNRESERVE")
    return OperationStatus(id=sent, state=OperationState.ERROR, agent_id="id-of-agent-1", message=SAID)


class Refusing:
    """A Mesos that offers the same each second, whatever it is asked, with an operator that looks each second."""

    def __init__(self, record: VolumeRecord, offered: AgentOffer, see: See, *, feedback: bool) -> None:
        self.record, self.offered = record, offered
        self._see, self._feedback = see, feedback
        self._said: tuple[OperationStatus, ...] = ()
        self.now = 1_000.0

    def look(self, *, offers: bool = True) -> Plan:
        """Make one pass, a second later, and do what it says."""
        self.now += 1.0
        offer_id = f"O{self.now:g}"
        there = (replace(self.offered, offer_ids=(offer_id,), received_at_seconds=self.now),) if offers else ()
        seen = replace(self._see(self.record), at_seconds=self.now, operations=self._said)
        decided = plan(None if seen.database is None else desired(spec()), seen, there, OPERATOR)
        assert not violations(decided, seen, CLUSTER)
        for action in decided.actions:
            if isinstance(action, SaveVolume):
                self.record = action.volume
            if isinstance(action, AcceptOffers) and self._feedback:
                self._said = (refused(self.record, offer_id),)
        return decided

    def asked_at(self, seconds: int) -> list[float]:
        """Return when it was asked within so many seconds."""
        return [self.now for _ in range(seconds) if asks(self.look())]


def asks(decided: Plan) -> bool:
    return any(isinstance(action, AcceptOffers) for action in decided.actions)


def deleted() -> tuple[VolumeRecord, AgentOffer]:
    """Return the entry of data that goes, and what its agent offers of it."""
    record, _, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    ended = Ending(incarnation=1, state="TASK_KILLED", at_seconds=0.0)
    return replace(record, owner_uid="gone", intent=Intent.DELETE, ending=ended), idle


def releasing(*, feedback: bool = True) -> Refusing:
    record, idle = deleted()
    return Refusing(record, idle, lambda r: observed(database=None, volumes=(r,), reserved=(idle,)), feedback=feedback)


def trimming(*, feedback: bool) -> Refusing:
    """Return a member that serves, and more that is reserved for it than it uses."""
    record, beside, idle = serving_on(Strategy.PERSISTENT_VOLUME)
    assert record.launch is not None
    mine = replace(record, launch=replace(record.launch, leaves_surplus=True))
    ours = next(r for r in idle.resources if r.labels is not None and r.name == "cpus")
    extra = replace(beside, resources=(*beside.resources, ours.part(100)))
    return Refusing(mine, extra, lambda r: running(r, reserved=(extra,)), feedback=feedback)


@FEEDBACK
@pytest.mark.parametrize("begin", [releasing, trimming])
def test_it_is_asked_for_ever_more_rarely(begin: Callable[..., Refusing], feedback: bool) -> None:
    moments = begin(feedback=feedback).asked_at(1_300)
    pauses = [after - before for before, after in pairwise(moments)]
    assert len([moment for moment in moments if moment <= 1_600.0]) <= 12
    assert all(after >= before for before, after in pairwise(pauses))
    assert pauses[0] == 1.0, "what was lost on its way is made up for at once"
    assert pauses[-1] == LIMIT_SECONDS


@pytest.mark.parametrize(("begin", "reason"), [(releasing, Reason.RELEASING), (trimming, Reason.RECONCILING)])
def test_meanwhile_nothing_is_asked_of_mesos_and_its_words_are_told(
    begin: Callable[..., Refusing], reason: Reason
) -> None:
    mesos = begin(feedback=True)
    mesos.asked_at(100)
    decided = mesos.look()
    assert not asks(decided)
    assert not decided.wants_offers
    assert decided.look_again_after_seconds is not None
    assert 0 < decided.look_again_after_seconds <= LIMIT_SECONDS
    (wait,) = [wait for wait in decided.waiting if wait.reason is reason]
    assert SAID in wait.message
    assert "unreserve_resources" in wait.fix
    assert "doctor" in wait.fix
    mesos.look()
    later = [wait for wait in mesos.look().waiting if wait.reason is reason]
    assert [w.message for w in later] == [wait.message], "nothing that is written anew each time"


def test_a_database_that_serves_stays_ready_whatever_is_not_given_back() -> None:
    mesos = trimming(feedback=True)
    looks = [mesos.look() for _ in range(100)]
    assert any(asks(decided) for decided in looks)
    ready = [c for decided in looks for c in decided.conditions if c.type is ConditionType.READY]
    assert {condition.status for condition in ready} == {True}


def test_of_data_whose_database_is_gone_it_is_told_too() -> None:
    mesos = releasing()
    assert not [told for _ in range(2) for told in mesos.look().announcements]
    told = {announcement for _ in range(300) for announcement in mesos.look().announcements}
    (announcement,) = told
    assert announcement.warning
    assert announcement.about_uid == "gone"
    assert SAID in announcement.message
    (line,) = compare([mesos.record], None)
    assert SAID in line.note
    (finding,) = ledger_findings([mesos.record], [])
    assert finding.verdict is Verdict.AMISS
    assert SAID in finding.what
    assert "unreserve_resources" in finding.remedy


def test_where_mesos_says_nothing_that_is_told() -> None:
    mesos = releasing(feedback=False)
    mesos.asked_at(100)
    (wait,) = mesos.look().waiting
    assert "unreserve_resources" in wait.fix
    (line,) = compare([mesos.record], None)
    assert "is still there" in line.note


def test_a_first_release_is_sent_at_once_and_seen_at_once() -> None:
    """Also where what the member no longer used was refused before, and where a person has marked it."""
    record, idle = deleted()
    trimmed = trimming(feedback=True)
    trimmed.asked_at(600)
    for before in (
        replace(record, giving_back=trimmed.record.giving_back),
        replace(record, phase=VolumePhase.RELEASING, released_at_seconds=999.0),
    ):
        mesos = Refusing(
            before,
            idle,
            lambda r: observed(database=None, volumes=(r,), reserved=()),
            feedback=False,
        )
        decided = mesos.look()
        assert asks(decided)
        assert mesos.look(offers=False).wants_offers, "what came of it is looked for at once"
        released = next(action for action in decided.actions if isinstance(action, AcceptOffers))
        mesos.offered = remaining(idle, released, launched=False)
        assert isinstance(mesos.look().actions[-1], ForgetVolume)


def test_what_several_agents_hold_is_given_back_without_delay() -> None:
    record, idle = deleted()
    hosts = ("agent-1", "agent-2", "agent-3")
    held = [replace(idle, hostname=host, agent_id=f"id-of-{host}", offer_ids=(host,)) for host in hosts]
    record, now, asked = replace(record, elsewhere=hosts[1:]), 1_000.0, list[str]()
    while held and now < 1_005.0:
        seen = observed(database=None, volumes=(record,), at_seconds=now, reserved=tuple(held))
        for action in plan(None, seen, tuple(held), OPERATOR).actions:
            if isinstance(action, SaveVolume):
                record = action.volume
            if isinstance(action, AcceptOffers):
                asked.append(action.agent.hostname)
                held = [each for each in held if each.agent_id != action.agent.id]
        now += 1.0
    assert asked == list(hosts)


def test_what_is_given_back_after_all_is_not_remembered_as_refused() -> None:
    mesos = trimming(feedback=True)
    mesos.asked_at(600)
    assert mesos.record.giving_back is not None
    _, beside, _ = serving_on(Strategy.PERSISTENT_VOLUME)
    freed = Refusing(mesos.record, beside, lambda r: running(r, reserved=()), feedback=False)
    (saved,) = freed.look().actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.giving_back is None


def test_an_attempt_of_the_future_is_not_waited_for() -> None:
    """The clock was set back since it was made."""
    mesos = releasing()
    mesos.asked_at(100)
    mesos.now -= 3_600.0
    assert asks(mesos.look())


def test_what_is_left_over_long_after_is_something_else() -> None:
    mesos = trimming(feedback=True)
    mesos.asked_at(600)
    mesos.now += 3_600.0
    assert asks(mesos.look())
    assert mesos.record.giving_back is not None
    assert (mesos.record.giving_back.attempts, mesos.record.giving_back.refusal) == (1, "")


def test_what_was_not_given_back_while_it_ran_is_not_said_of_a_release() -> None:
    record, _ = deleted()
    before = replace(record, giving_back=GivingBack(attempts=9, at_seconds=1_000.0, refusal=SAID))
    (line,) = compare([before], None)
    assert SAID not in line.note


def test_what_one_agent_has_given_back_counts_for_the_others() -> None:
    record, idle = deleted()
    asked = GivingBack(attempts=9, at_seconds=1_000.0, refusal=SAID)
    record = replace(
        record, phase=VolumePhase.RELEASING, released_at_seconds=1_000.0, elsewhere=("agent-2",), giving_back=asked
    )
    seen = observed(database=None, volumes=(record,), at_seconds=1_001.0)
    freed = replace(offer("agent-2"), received_at_seconds=1_001.0)
    (saved,) = plan(None, seen, (freed,), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.elsewhere == ()
    (_, again) = plan(None, replace(seen, volumes=(saved.volume,)), (idle,), OPERATOR).actions
    assert isinstance(again, AcceptOffers)
