"""What crashes a real agent or master: the embedded ones die of it too, the real one is spared."""

from collections.abc import Iterator

import pytest

from conformance.mesos.client import Json
from conformance.mesos.conftest import AGENTS, MASTERS, Subscribe, opened
from conformance.mesos.grouping import executor, group
from conformance.mesos.masters import Control, Mesos
from conformance.mesos.things import OURS, framework, launch, operation, scalar, task, volume
from conformance.mesos.tidying import eventually, settled

NOTHING = {
    "RESERVE": ("RESERVE", [scalar("cpus", 0, OURS)], "zero"),
    "RESERVE-without-id": ("RESERVE", [scalar("cpus", 0, OURS)], None),
    "CREATE": ("CREATE", [volume("zero", 0)], "zero"),
}


@pytest.fixture(params=MASTERS)
def mesos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesos]:
    """Yield an embedded master that may be crashed."""
    if request.param != "embedded":
        pytest.skip("would crash a real Mesos 1.11.0")
    with opened(request, tmp_path_factory) as one:
        yield one


@pytest.mark.parametrize("asked", NOTHING.values(), ids=list(NOTHING))
def test_an_operation_on_nothing_ends_the_master(
    subscribe: Subscribe, control: Control, mesos: Mesos, asked: tuple[str, list[Json], str | None]
) -> None:
    one = subscribe()
    offer = one.offer()
    with pytest.raises(ConnectionError):
        one.accept(offer, operation(*asked))
    one.stream.wait(lambda: one.stream.ended == "broken", about="the end of the stream")
    assert not one.operation_updates("zero")
    control.run("stop", "master")
    control.run("start", "master")
    settled(mesos.http, AGENTS)
    again = one.succeeded_by()
    assert again.error is None
    again.offer()


def test_a_group_with_one_task_twice_ends_the_master(subscribe: Subscribe, control: Control, mesos: Mesos) -> None:
    one = subscribe()
    offer = one.offer()
    twice = [task("twice", offer["agent_id"])] * 2
    with pytest.raises(ConnectionError):
        one.accept(offer, group(executor(one, {}), *twice))
    one.stream.wait(lambda: one.stream.ended == "broken", about="the end of the stream")
    control.run("stop", "master")
    control.run("start", "master")
    settled(mesos.http, AGENTS)


def test_a_task_id_used_again_at_once_ends_the_agent(subscribe: Subscribe, control: Control, mesos: Mesos) -> None:
    one = subscribe(framework(checkpoint=True))
    offer = one.offer()
    agent: Json = offer["agent_id"]
    one.accept(offer, launch(task("again", agent)))
    again = one.offer(lambda held: held["agent_id"] == agent, recorded=False)
    one.runs_to("TASK_FINISHED", "again")
    seen = len(one.task_updates("again"))
    one.accept(again, launch(task("again", agent)))
    eventually(lambda: agent["value"] not in mesos.agents(), "an agent that has crashed")
    # Its process is gone; the other is started again as well, as it is all the same which one it was.
    for number in range(AGENTS):
        control.run("stop", "agent", number)
        control.run("start", "agent", number)
    settled(mesos.http, AGENTS)
    dropped = one.task("again", "TASK_DROPPED", seen=seen)
    assert (dropped["reason"], dropped["source"]) == ("REASON_RECONCILIATION", "SOURCE_AGENT")
    assert dropped["message"] == "Reconciliation: task unknown to the agent"
