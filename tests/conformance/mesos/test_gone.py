"""An agent that a person calls gone, and how such an agent comes back."""

from collections.abc import Iterator

import pytest

from conformance.mesos.client import Http, Json
from conformance.mesos.conftest import MASTERS, Subscribe, opened
from conformance.mesos.masters import Mesos, Whole
from conformance.mesos.recording import Recording
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import BUNDLE, bundled, framework, launch, task
from conformance.mesos.tidying import eventually, settled

UNAWARE = [{"type": "MULTI_ROLE"}, {"type": "RESERVATION_REFINEMENT"}]


@pytest.fixture(params=MASTERS)
def mesos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesos]:
    """Yield a master that loses an agent in each test."""
    if request.param == "given":
        pytest.skip("takes an agent away for good")
    with opened(request, tmp_path_factory) as one:
        yield one


def bound(one: Scheduler, name: str) -> Json:
    """Run a task on a volume, one of its operations not acknowledged; return the agent's id."""
    offer = one.offer()
    agent: Json = offer["agent_id"]
    one.accept(offer, *bundled(name, agent, f"{name}-v", "echo kept > data/file; exec sleep 300"))
    one.finished(f"{name}-v-r")
    one.operation(f"{name}-v-c", acknowledge=False)
    one.task(name, "TASK_RUNNING")
    return agent


def marked(master: Http, recording: Recording, agent: Json) -> None:
    answer = master.ask("MARK_AGENT_GONE", agent_id=agent)
    recording.call({"type": "MARK_AGENT_GONE"}, answer.status, answer.text)
    assert (answer.status, answer.text) == (200, "")


def test_all_that_was_on_a_gone_agent_is_gone(subscribe: Subscribe, master: Http, recording: Recording) -> None:
    one = subscribe(framework(checkpoint=True))
    agent = bound(one, "gone-1")
    one.call("SUPPRESS")
    one.put_back(one.offers())
    other = subscribe(framework(capabilities=UNAWARE))
    held = other.offer(lambda offer: offer["agent_id"] == agent, recorded=False)
    other.accept(held, launch(task("gone-2", agent, command="exec sleep 300")))
    other.task("gone-2", "TASK_RUNNING")
    outstanding = other.offer(lambda offer: offer["agent_id"] == agent, recorded=False)
    marked(master, recording, agent)
    marked(master, recording, agent)

    status = one.task("gone-1", "TASK_GONE_BY_OPERATOR")
    assert (status["reason"], status["message"]) == ("REASON_AGENT_REMOVED_BY_OPERATOR", "Agent has been marked gone")
    assert "uuid" not in status
    # One that knows no partitions is not told that a person said so.
    lost = other.task("gone-2", "TASK_LOST")
    assert (lost["reason"], lost["message"]) == ("REASON_AGENT_REMOVED", "Agent has been marked gone")
    told = one.operation("gone-1-v-c", seen=1)
    assert (told["state"], told["message"]) == ("OPERATION_GONE_BY_OPERATOR", "Agent has been marked gone")
    one.told("FAILURE", agent_id=agent)
    other.told("FAILURE", agent_id=agent)
    other.told("RESCIND", offer_id=outstanding["id"])
    assert agent["value"] not in str(master.get("GET_AGENTS"))


def test_what_is_drained_for_good_is_gone_by_operator_though_its_agent_tells_of_it(
    subscribe: Subscribe, master: Http, recording: Recording
) -> None:
    one = subscribe(framework(checkpoint=True))
    agent = bound(one, "gone-5")
    one.operation("gone-5-v-c")
    drained = master.ask("DRAIN_AGENT", agent_id=agent, max_grace_period={"seconds": 5}, mark_gone=True)
    recording.call({"type": "DRAIN_AGENT"}, drained.status, drained.text)
    assert (drained.status, drained.text) == (200, "")
    status = one.task("gone-5", "TASK_GONE_BY_OPERATOR")
    assert (status["source"], status["reason"]) == ("SOURCE_EXECUTOR", "REASON_AGENT_DRAINING")
    assert status["message"] == "Command terminated with signal Terminated"
    one.told("FAILURE", agent_id=agent)
    assert agent["value"] not in str(master.get("GET_AGENTS"))


def test_what_is_asked_of_a_gone_agent(subscribe: Subscribe, master: Http, recording: Recording) -> None:
    one = subscribe(framework(checkpoint=True))
    agent = bound(one, "gone-3")
    marked(master, recording, agent)
    one.task("gone-3", "TASK_GONE_BY_OPERATOR")
    named = {"task_id": {"value": "gone-3"}, "agent_id": agent}
    for call, state, text in (
        (("RECONCILE", {"tasks": [named]}), "TASK_GONE_BY_OPERATOR", "Task is gone"),
        (("RECONCILE", {"tasks": [{"task_id": named["task_id"]}]}), "TASK_UNKNOWN", "Task is unknown"),
        (("KILL", named), "TASK_GONE_BY_OPERATOR", "Task is gone"),
    ):
        seen = len(one.task_updates("gone-3"))
        one.call(*call)
        answer = one.task("gone-3", state, seen=seen)
        assert (answer["reason"], answer["message"]) == ("REASON_RECONCILIATION", f"Reconciliation: {text}")
    one.call("RECONCILE_OPERATIONS", {"operations": [{"operation_id": {"value": "gone-3-v-c"}, "agent_id": agent}]})
    told = one.operation("gone-3-v-c", seen=2)
    assert told["state"] == "OPERATION_GONE_BY_OPERATOR"
    assert told["message"] == "Reconciliation: Agent marked gone by operator"
    for kind, body, status, text in (
        ("DRAIN_AGENT", {"agent_id": agent}, 400, "Unknown agent"),
        ("MARK_AGENT_GONE", {"agent_id": {"value": "none"}}, 404, "Agent 'none' not found"),
        ("MARK_AGENT_GONE", {}, 400, "Failed to validate master::Call: Expecting 'mark_agent_gone' to be present"),
    ):
        refused = master.ask(kind, **body)
        recording.call(kind, refused.status, refused.text)
        assert (refused.status, refused.text) == (status, text)


def test_a_gone_agent_comes_back_only_as_another_and_has_its_volume(
    subscribe: Subscribe, master: Http, mesos: Mesos, whole: Whole, recording: Recording
) -> None:
    one = subscribe(framework(checkpoint=True))
    agent = bound(one, "gone-4")
    marked(master, recording, agent)
    one.task("gone-4", "TASK_GONE_BY_OPERATOR")
    eventually(lambda: len(mesos.agents()) == 1, "an agent less")
    (stays,) = mesos.agents()
    whole.kill()
    whole.forget()
    whole.start_master()
    whole.start_agents()
    settled(master, 2)
    # The one that stays was started as a new one too, and the master waits for it under its old name.
    assert not {agent["value"], stays} & set(mesos.agents())
    again = one.succeeded_by()
    held = again.offer(lambda offer: any("disk" in r for r in offer["resources"]), recorded=False)
    assert held["agent_id"]["value"] in mesos.agents()
    (kept,) = [r for r in held["resources"] if "disk" in r]
    assert kept["disk"]["persistence"]["id"] == "gone-4-v"
    command = "grep -q kept data/file"
    again.accept(held, launch(task("gone-5", held["agent_id"], [*BUNDLE[:2], kept], command)))
    again.runs_to("TASK_FINISHED", "gone-5")
    again.teardown()
