"""An agent that comes back under another host name, as after a reboot with another /etc/hosts: it is another agent.

It is told by the volume that it offers, as one under another id is.
"""

from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, ForgetVolume, SaveVolume
from statefuldb.model.operations import LaunchTask
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, Intent, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from unit.planning.members.test_undecided_tasks import serving
from unit.planning.world import CLUSTER, OPERATOR, decide, observed, remaining, running, spec

LATER = 2_000.0


def elsewhere(offered: AgentOffer) -> AgentOffer:
    """Return what the same machine offers under another name."""
    return replace(offered, agent_id="another-id", hostname="agent-1.example.org")


def ended(record: VolumeRecord) -> VolumeRecord:
    return replace(record, ending=Ending(incarnation=1, state="TASK_KILLED"))


def test_a_member_that_serves_there_again_waits_for_nothing_of_the_name_before() -> None:
    begun, idle = serving(Strategy.PERSISTENT_VOLUME)
    for record in (begun, replace(begun, initialised=False)):
        saved, accepted = decide(spec(), observed(volumes=(ended(record),)), elsewhere(idle)).actions
        assert isinstance(saved, SaveVolume)
        assert isinstance(accepted, AcceptOffers)
        assert [type(operation) for operation in accepted.operations] == [LaunchTask]
        assert saved.volume.persistence_id == record.persistence_id
        assert saved.volume.elsewhere == ()
        assert saved.volume.superseded == ()
        launched = replace(saved.volume, initialised=True, token=1, phase=begun.phase)
        assert [wait.reason for wait in decide(spec(), running(launched)).waiting] == []


def test_what_is_given_back_there_is_not_waited_for_under_the_name_before() -> None:
    record, idle = serving(Strategy.PERSISTENT_VOLUME)
    deleted = replace(ended(record), intent=Intent.DELETE)
    decided = plan(None, observed(database=None, volumes=(deleted,)), (elsewhere(idle),), OPERATOR)
    assert not violations(decided, observed(database=None, volumes=(deleted,)), CLUSTER)
    saved, release = decided.actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(release, AcceptOffers)
    freed = replace(remaining(elsewhere(idle), release, launched=False), received_at_seconds=LATER)
    done = plan(None, observed(database=None, volumes=(saved.volume,), reserved=()), (freed,), OPERATOR)
    assert isinstance(done.actions[-1], ForgetVolume)
