"""Mesos holds several volumes of one member: the last one made counts as its data, and all of them are named."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import ForgetVolume, SaveVolume
from statefuldb.model.identity import PersistenceId
from statefuldb.model.operations import Destroy
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent, VolumePhase, VolumeRecord
from statefuldb.planning.inventory.comparison import ClusterView, VolumeLine, VolumeState, compare
from statefuldb.planning.inventory.orphans import orphan_to_adopt, orphan_to_release
from statefuldb.planning.inventory.uninstalling import obstacles
from statefuldb.planning.ledger.rebuilding import unknown
from statefuldb.planning.planner import plan
from unit.planning.inventory.test_inventory import HOME, IDENTITY, LABELS, NAME, cluster, decide, entry, holds, reserved
from unit.planning.world import CLUSTER, KEY, OPERATOR, observed, offer

FIRST, LAST = (str(PersistenceId(identity=IDENTITY, sequence=sequence)) for sequence in (9, 10))
# What a first start has left on an agent that was cut off, and where the member went on to serve.
LEFT = holds(reserved(volume=FIRST), host="agent-1")
SERVED = holds(reserved(volume=LAST), host="agent-2")
SCRATCH = holds(reserved(volume="scratch-of-bob"), host="agent-1")


def seen(*held: AgentOffer, running: tuple[VolumeRecord, ...] = ()) -> ClusterView:
    return cluster(*held, hosts=("agent-1", "agent-2"), running=running)


def only(*held: AgentOffer, entries: tuple[VolumeRecord, ...] = ()) -> VolumeLine:
    (line,) = compare(entries, seen(*held))
    return line


def adopted(line: VolumeLine) -> VolumeRecord:
    record = orphan_to_adopt(line, line.key, 1_000.0)
    assert record is not None
    return record


@pytest.mark.parametrize("held", [(LEFT, SERVED), (SERVED, LEFT)])
def test_what_is_adopted_is_the_volume_that_the_operator_takes_too(held: tuple[AgentOffer, ...]) -> None:
    """The first one was adopted, and then a release of that destroyed the one with the data."""
    line = only(*held)
    record = adopted(line)
    assert (line.where, record.persistence_id, record.agent and record.agent.hostname) == (LAST, LAST, "agent-2")
    (_, volume) = unknown(observed(), held, CLUSTER)[IDENTITY]
    assert volume.persistence is not None
    assert volume.persistence.id == record.persistence_id


def test_an_orphan_names_all_its_volumes_with_their_agents_and_that_which_counts() -> None:
    note = only(LEFT, SERVED).note
    assert f"volume {LAST} on agent-2 was made last and counts as the data" in note
    assert f"with it would be released volume {FIRST} on agent-1" in note
    assert "counts as the data" not in only(SERVED).note


def test_a_volume_that_an_administrator_made_under_our_labels_is_not_adopted() -> None:
    line = only(SCRATCH, SERVED)
    assert adopted(line).persistence_id == LAST
    assert "volume scratch-of-bob on agent-1 (somebody else made it)" in line.note
    alone = only(SCRATCH)
    assert orphan_to_adopt(alone, alone.key, 1_000.0) is None
    assert (alone.where, alone.strategy) == ("", Strategy.HOST_PATH)
    assert "adopt" not in alone.note
    assert "scratch-of-bob" in alone.note
    assert orphan_to_release(alone, alone.key, 1_000.0).persistence_id is None


def test_what_was_adopted_is_noted_to_have_left_something_elsewhere_and_warns_of_nothing() -> None:
    record = adopted(only(LEFT, SERVED))
    assert record.elsewhere == ("agent-1",)
    line = only(LEFT, SERVED, entries=(record,))
    assert (line.state, line.later) == (VolumeState.RETAINED, False)
    assert line.note == f"with it would be released volume {FIRST} on agent-1"
    known = only(LEFT, SERVED, entries=(replace(record, agent=HOME, persistence_id=FIRST, elsewhere=("agent-2",)),))
    assert not known.later, "the member itself went back to its first volume"


@pytest.mark.parametrize(
    ("intent", "remedy"),
    [
        (Intent.RETAIN, f"kubectl delete databasevolume {NAME} -n shop"),
        (Intent.USE, "release nothing, and see docs/operations.md"),
    ],
)
def test_an_entry_of_an_earlier_volume_says_so_and_what_helps(intent: Intent, remedy: str) -> None:
    """It was found again, or adopted, while the agent with the data was away."""
    line = only(LEFT, SERVED, entries=(entry(persistence_id=FIRST, intent=intent),))
    assert line.later
    assert f"volume {LAST} on agent-2 was made later than the entry's and counts as the data" in line.note
    assert remedy in line.note


def test_without_the_wrong_entry_the_volume_with_the_data_is_found_again() -> None:
    sight = observed(database=None, reserved=(LEFT, SERVED))
    (saved,) = plan(None, sight, (), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.persistence_id == LAST


def test_a_start_that_goes_on_names_what_the_one_before_has_left() -> None:
    begun = entry(persistence_id=LAST, initialised=False)
    (line,) = compare((), seen(LEFT, SERVED, running=(begun,)))
    assert line.note.endswith(f"with it would be released volume {FIRST} on agent-1")
    listed = only(LEFT, SERVED, entries=(begun,))
    assert (listed.state, listed.later) == (VolumeState.PENDING, False)
    assert not only(LEFT, SERVED, entries=(entry(persistence_id=FIRST, initialised=False),)).later


def test_an_uninstallation_advises_no_release_of_an_entry_of_an_earlier_volume() -> None:
    line = only(LEFT, SERVED, entries=(entry(persistence_id=FIRST, intent=Intent.RETAIN),))
    (obstacle,) = obstacles((), (line,), (), cluster=CLUSTER, leave_lost=True)
    assert LAST in obstacle.what
    assert obstacle.remedy == f"kubectl delete databasevolume {NAME} -n shop"


def test_an_orphan_that_is_released_is_forgotten_once_each_of_its_agents_holds_nothing() -> None:
    record = orphan_to_release(only(LEFT, SERVED), KEY, 900.0)
    assert record.elsewhere == ("agent-1",)
    for held in (LEFT, SERVED):
        offered = replace(held, offer_ids=("o",), received_at_seconds=1_000.0)
        _, accept = decide(record, offered)
        (destroyed,) = [o for o in accept.operations if isinstance(o, Destroy)]  # type: ignore[attr-defined]
        assert destroyed.volume in held.resources
    asked = replace(record, phase=VolumePhase.RELEASING, released_at_seconds=1_000.0)
    empty = [replace(offer(host), received_at_seconds=2_000.0) for host in ("agent-1", "agent-2")]
    assert not any(isinstance(done, ForgetVolume) for done in decide(asked, empty[1]))
    assert any(isinstance(done, ForgetVolume) for done in decide(asked, *empty))


def test_reservations_on_several_agents_are_all_given_back() -> None:
    held = [holds(reserved("cpus", labels=LABELS, volume=None), host=host) for host in ("agent-1", "agent-2")]
    assert orphan_to_release(only(*held), KEY, 900.0).elsewhere == ("agent-2",)
