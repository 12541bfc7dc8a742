"""The task that empties a released directory: it runs to its end, once."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, ForgetVolume, KillTask, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.keeper import KeeperPhase
from statefuldb.model.observed import TaskState
from statefuldb.model.plan import Plan
from statefuldb.model.resources import Unavailability
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, Intent, VolumeRecord
from statefuldb.planning.checkup.findings import Verdict
from statefuldb.planning.checkup.ledger import ledger_findings
from statefuldb.planning.inventory.comparison import compare
from statefuldb.planning.planner import plan
from unit.planning.members.test_strays import serving
from unit.planning.world import OPERATOR, keeper, observed, offer, tasks

BOTH = pytest.mark.parametrize("strategy", [Strategy.HOST_PATH, Strategy.DFS])


def erasing(strategy: Strategy) -> VolumeRecord:
    """Return the entry of a released directory, once the task that empties it is launched."""
    released = replace(
        serving(strategy),
        owner_uid="gone",
        intent=Intent.DELETE,
        initialised=True,
        ending=Ending(incarnation=1, state=TaskState.KILLED),
    )
    saved, accepted = plan(None, observed(database=None, volumes=(released,)), (offer(),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    return saved.volume


def seen(record: VolumeRecord, state: TaskState) -> Plan:
    return plan(None, observed(database=None, volumes=(record,), tasks=tasks(record, state)), (offer(),), OPERATOR)


@BOTH
@pytest.mark.parametrize("state", [TaskState.STAGING, TaskState.STARTING, TaskState.RUNNING])
def test_it_is_waited_for_while_it_runs(strategy: Strategy, state: TaskState) -> None:
    record = erasing(strategy)
    decided = seen(record, state)
    assert not decided.actions
    (wait,) = decided.waiting
    assert str(record.directory) in wait.message
    assert decided.look_again_after_seconds is None, "its end is an update of Mesos, nothing to look for"


@BOTH
def test_it_is_not_launched_again_once_it_has_finished(strategy: Strategy) -> None:
    (saved,) = seen(erasing(strategy), TaskState.FINISHED).actions
    assert isinstance(saved, SaveVolume)
    decided = plan(None, observed(database=None, volumes=(saved.volume,)), (offer(),), OPERATOR)
    assert not [action for action in decided.actions if isinstance(action, AcceptOffers)]
    assert decided.wants_offers or isinstance(decided.actions[-1], (ForgetVolume, SaveVolume))


@BOTH
def test_data_that_is_to_be_kept_after_all_is_not_emptied_further(strategy: Strategy) -> None:
    decided = seen(replace(erasing(strategy), intent=Intent.RETAIN), TaskState.RUNNING)
    assert [type(action) for action in decided.actions] == [KillTask]


SAID = "/srv/db/shop/orders/0/mysql/x below /srv/db/shop/orders/0 is the directory of another member: release that one"


def refused(strategy: Strategy) -> tuple[VolumeRecord, Plan]:
    """Return the entry and the plan once the keeper that was to empty the directory has said why it does not."""
    record = erasing(strategy)
    views = keeper(record, phase=KeeperPhase.REFUSED, reason=SAID)
    seen = observed(database=None, volumes=(record,), tasks=tasks(record, TaskState.RUNNING), keepers=views)
    decided = plan(None, seen, (offer(),), OPERATOR)
    (saved,) = decided.actions
    assert isinstance(saved, SaveVolume)
    assert not plan(None, replace(seen, volumes=(saved.volume,)), (offer(),), OPERATOR).actions
    return saved.volume, decided


@BOTH
def test_why_its_keeper_refused_is_told_and_outlives_the_keeper(strategy: Strategy) -> None:
    """It was `removing ... failed: exit status 64`, for ever, and nothing else told why."""
    record, decided = refused(strategy)
    (wait,) = decided.waiting
    assert wait.reason is Reason.RELEASING
    assert SAID in wait.message
    (told,) = decided.announcements
    assert told.warning
    assert told.about_uid == "gone", "of the database itself nothing is left"
    assert SAID in told.message
    ended = Ending(incarnation=record.incarnation, state="TASK_FAILED", message="exit status 64", at_seconds=1_000.0)
    over = replace(record, failures=1, ending=ended)
    (wait,) = plan(None, observed(database=None, volumes=(over,)), (offer(),), OPERATOR).waiting
    assert SAID in wait.message
    assert "put right what it names" in wait.fix
    (line,) = compare([over], None)
    assert SAID in line.note
    (finding,) = ledger_findings([over], [])
    assert finding.verdict is Verdict.AMISS
    assert SAID in finding.what


@BOTH
def test_why_its_keeper_refused_is_told_while_it_is_tried_again(strategy: Strategy) -> None:
    """It was not while an agent was waited for, nor while the next attempt had yet to be refused."""
    record, _ = refused(strategy)
    ended = Ending(incarnation=record.incarnation, state="TASK_FAILED", message="exit status 64", at_seconds=1_000.0)
    seen = observed(database=None, volumes=(replace(record, ending=ended),), at_seconds=10_000.0)
    (wait,) = plan(None, seen, (), OPERATOR).waiting
    assert wait.wants_offers
    assert SAID in wait.message
    assert "put right what it names" in wait.fix
    saved, _ = plan(None, seen, (offer(),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    running = tasks(saved.volume, TaskState.RUNNING)
    (wait,) = plan(None, replace(seen, volumes=(saved.volume,), tasks=running), (), OPERATOR).waiting
    assert SAID in wait.message
    again = keeper(saved.volume, phase=KeeperPhase.REFUSED, reason=SAID)
    told = plan(None, replace(seen, volumes=(saved.volume,), tasks=running, keepers=again), (), OPERATOR)
    assert not told.actions
    assert not told.announcements


@pytest.mark.parametrize(("refusal", "seconds"), [(SAID, 300.0), ("", 60.0)])
def test_it_is_tried_again_ever_more_rarely(refusal: str, seconds: float) -> None:
    record, _ = refused(Strategy.HOST_PATH)
    assert record.launch is not None
    over = replace(
        record,
        failures=20,
        launch=replace(record.launch, refusal=refusal),
        ending=Ending(incarnation=record.incarnation, state="TASK_FAILED", at_seconds=1_000.0),
    )
    seen = observed(database=None, volumes=(over,))
    assert plan(None, seen, (offer(),), OPERATOR).look_again_after_seconds == seconds
    later = replace(seen, at_seconds=1_000.0 + seconds)
    launched = plan(None, later, (offer(),), OPERATOR).actions
    assert [type(action) for action in launched] == [SaveVolume, AcceptOffers]


def failed_again(record: VolumeRecord, at_seconds: float) -> VolumeRecord:
    """Return the entry once its keeper has refused on the agent that has lost the mount, and its task is over."""
    views = keeper(record, phase=KeeperPhase.REFUSED, reason="/mnt/shared is not a mount point on this agent")
    refused = observed(database=None, volumes=(record,), tasks=tasks(record, TaskState.RUNNING), keepers=views)
    for action in plan(None, refused, (), OPERATOR).actions:
        assert isinstance(action, SaveVolume)
        record = action.volume
    ended = observed(database=None, volumes=(record,), tasks=tasks(record, TaskState.FAILED), at_seconds=at_seconds)
    (over,) = plan(None, ended, (), OPERATOR).actions
    assert isinstance(over, SaveVolume)
    return over.volume


def test_shared_data_that_one_agent_cannot_remove_is_removed_on_another() -> None:
    """An agent that says it has the mount, and has lost it, was tried for ever, with others idle."""
    record, agents, now = erasing(Strategy.DFS), (offer("agent-1"), offer("agent-2")), 1_000.0
    used = []
    for _ in range(4):
        assert record.launch is not None
        used.append(record.launch.agent.hostname)
        record = failed_again(record, now)
        now += 400.0
        later = observed(database=None, volumes=(record,), at_seconds=now)
        saved, accepted = plan(None, later, agents, OPERATOR).actions
        assert isinstance(saved, SaveVolume)
        assert isinstance(accepted, AcceptOffers)
        assert saved.volume.launch is not None
        assert accepted.agent == saved.volume.launch.agent
        record = saved.volume
    assert used == ["agent-1", "agent-1", "agent-2", "agent-1"]


def test_what_one_agents_keeper_refuses_is_not_said_of_another() -> None:
    record = replace(failed_again(erasing(Strategy.DFS), 1_000.0), failures=2)
    later = observed(database=None, volumes=(record,), at_seconds=2_000.0)
    saved, _ = plan(None, later, (offer("agent-1"), offer("agent-2")), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.launch is not None
    assert saved.volume.launch.agent.hostname == "agent-2"
    running = replace(later, volumes=(saved.volume,), tasks=tasks(saved.volume, TaskState.RUNNING))
    (wait,) = plan(None, running, (), OPERATOR).waiting
    assert "agent-2" in wait.message
    assert "refused" not in wait.message


@BOTH
def test_it_is_not_launched_on_an_agent_that_is_about_to_be_away(strategy: Strategy) -> None:
    record = replace(
        serving(strategy), owner_uid="gone", intent=Intent.DELETE, ending=Ending(incarnation=1, state=TaskState.KILLED)
    )
    seen = observed(database=None, volumes=(record,))
    leaving = replace(offer("agent-1"), unavailability=Unavailability(start_seconds=1_060.0))
    decided = plan(None, seen, (leaving,), OPERATOR)
    assert not decided.actions
    assert decided.wants_offers
    assert "maintenance of agent-1" in decided.waiting[0].message
    if strategy is Strategy.DFS:
        _, accepted = plan(None, seen, (leaving, offer("agent-2")), OPERATOR).actions
        assert isinstance(accepted, AcceptOffers)
        assert accepted.agent.hostname == "agent-2"
