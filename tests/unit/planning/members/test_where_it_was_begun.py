"""A member on a local directory stays on the host where it was begun, and what it waits for says only what is true."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.observed import TaskState
from statefuldb.model.plan import Waiting
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import AgentAttribute, DatabaseSpec, PlacementSpec, Strategy
from statefuldb.model.volume import Ending, VolumeRecord
from unit.planning.world import decide, observed, offer, spec

ON_A_HOST = spec(Strategy.HOST_PATH)
ANEW = "if you know that nobody ever wrote to it, delete the database and its data, and apply it again"
BEGUN = "orders-0 was begun on agent-1"


def begun(state: TaskState = TaskState.DROPPED) -> VolumeRecord:
    """Return the entry of a member that never served, once its first launch, on agent-1, has ended like this."""
    saved, _ = decide(ON_A_HOST, observed(), offer()).actions
    assert isinstance(saved, SaveVolume)
    return replace(saved.volume, ending=Ending(incarnation=1, state=state, at_seconds=100.0))


def waits(record: VolumeRecord, *offers: AgentOffer, wanted: DatabaseSpec = ON_A_HOST) -> Waiting:
    decided = decide(wanted, observed(volumes=(record,)), *offers)
    assert not decided.actions
    (wait,) = decided.waiting
    assert wait.hosts == ("agent-1",)
    return wait


@pytest.mark.parametrize("state", [TaskState.DROPPED, TaskState.ERROR, TaskState.FAILED])
@pytest.mark.parametrize("offers", [(), (offer("agent-2"),)])
def test_where_nobody_knows_of_data_none_is_spoken_of(state: TaskState, offers: tuple[AgentOffer, ...]) -> None:
    """It was `the data is on agent-1`, for ever, though there was none, with the advice to free resources."""
    wait = waits(begun(state), *offers)
    assert wait.reason is Reason.NO_SUITABLE_OFFER
    assert BEGUN in wait.message
    assert "data is" not in wait.message
    assert "agent-1" in wait.fix
    assert ANEW in wait.fix
    assert "spec.resources" not in wait.fix


def test_where_the_manifest_asks_for_another_host_since_both_are_said() -> None:
    wanted = replace(ON_A_HOST, placement=PlacementSpec(attributes=(AgentAttribute(name="rack", value="2"),)))
    wait = waits(begun(), offer(), offer("agent-2", attributes={"rack": "2"}), wanted=wanted)
    assert "agent-1 lacks rack:2" in wait.message
    assert BEGUN in wait.message
    assert "spec.placement.attributes" in wait.fix
    assert ANEW in wait.fix


def test_where_its_host_has_too_little_that_is_said_too() -> None:
    wait = waits(begun(), offer(cpus=0.1), offer("agent-2"))
    assert dict(wait.refusals) == {"cpus": 1, "pinned": 1}
    assert "spec.resources" in wait.fix
    assert ANEW in wait.fix


def test_data_that_is_known_is_on_its_host_and_never_begun_anew() -> None:
    record = replace(begun(TaskState.KILLED), initialised=True, token=1)
    wait = waits(record, offer("agent-2"))
    assert wait.reason is Reason.AWAITING_VOLUME_OFFER
    assert "the data is on agent-1, not agent-2" in wait.message
    assert "see that agent-1 is active" in wait.fix
    assert "apply it again" not in wait.fix
    assert "spec.resources" not in wait.fix
    short = waits(record, offer(cpus=0.1), offer("agent-2"))
    assert "spec.resources" in short.fix
    assert "apply it again" not in short.fix
