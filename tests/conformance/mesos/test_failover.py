"""Fail-over, a broken stream, reconciliation, KILL."""

from conformance.mesos.client import Http
from conformance.mesos.conftest import Subscribe
from conformance.mesos.things import framework, launch, task
from conformance.mesos.tidying import eventually


def states(master: Http, name: str) -> list[str]:
    """The states of a task by name, ended ones included."""
    answer = master.get("GET_TASKS")
    return [
        one["state"] for kind in ("tasks", "completed_tasks") for one in answer.get(kind, []) if one["name"] == name
    ]


def test_a_second_subscription_deposes_the_first_and_has_its_updates(subscribe: Subscribe) -> None:
    old = subscribe(framework(checkpoint=True))
    offer = old.offer()
    agent = offer["agent_id"]
    old.accept(offer, launch(task("fo-1", agent, command="exec sleep 300")))
    pending = old.task("fo-1", "TASK_STARTING", acknowledge=False)
    new = old.succeeded_by()
    assert new.framework_id == old.framework_id
    old.stream.wait(lambda: old.stream.ended, about="the end of the first stream")
    assert old.error == "Framework failed over"
    assert old.stream.ended == "clean"
    assert old.call("REVIVE").status == 400
    assert new.task("fo-1", "TASK_STARTING", acknowledge=False)["uuid"] == pending["uuid"]
    new.task("fo-1", "TASK_RUNNING")
    known = {"task_id": {"value": "fo-1"}, "agent_id": agent}
    seen = len(new.task_updates("fo-1"))
    assert new.call("RECONCILE", {"tasks": [known, {**known, "task_id": {"value": "never-was"}}]}).status == 202
    answer = new.task("fo-1", "TASK_RUNNING", seen=seen)
    assert answer["reason"] == "REASON_RECONCILIATION"
    assert answer["message"] == "Reconciliation: Latest task state"
    assert answer["source"] == "SOURCE_MASTER"
    assert "uuid" not in answer
    answer = new.task("never-was", "TASK_GONE")
    assert answer["message"] == "Reconciliation: Task is unknown to the agent"
    assert new.call("RECONCILE", {"tasks": []}).status == 202
    answer = new.task("fo-1", "TASK_RUNNING", seen=seen + 1)
    assert answer["message"] == "Reconciliation: Latest task state"
    assert new.call("KILL", known).status == 202
    assert new.task("fo-1", "TASK_KILLED")["message"] == "Command terminated with signal Terminated"
    assert new.call("KILL", {"task_id": {"value": "no-such"}}).status == 202
    answer = new.task("no-such", "TASK_UNKNOWN")
    assert answer["message"] == "Reconciliation: Task is unknown"
    assert "agent_id" not in answer
    new.teardown()


def test_an_unknown_agent_makes_its_tasks_unknown(subscribe: Subscribe) -> None:
    one = subscribe()
    agent = one.offer()["agent_id"]["value"]
    nowhere = {"value": agent.rpartition("-")[0] + "-S99"}
    assert one.call("RECONCILE", {"tasks": [{"task_id": {"value": "x"}, "agent_id": nowhere}]}).status == 202
    answer = one.task("x", "TASK_UNKNOWN")
    assert answer["message"] == "Reconciliation: Task is unknown"
    assert answer["agent_id"] == nowhere


def test_without_a_fail_over_timeout_a_broken_stream_ends_the_framework(subscribe: Subscribe, master: Http) -> None:
    one = subscribe(framework(failover_timeout=0))
    offer = one.offer()
    one.accept(offer, launch(task("nf-1", offer["agent_id"], command="exec sleep 300")))
    one.task("nf-1", "TASK_RUNNING")
    one.stream.close()
    eventually(lambda: "TASK_RUNNING" not in states(master, "nf-1"), "the end of the task")
    again = one.succeeded_by()
    again.stream.wait(lambda: again.stream.ended, about="the end of the stream")
    assert again.error == "Framework has been removed"


def test_with_one_the_task_lives_on_and_the_framework_returns(subscribe: Subscribe, master: Http) -> None:
    one = subscribe(framework(failover_timeout=60))
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, launch(task("ff-1", agent, command="exec sleep 300")))
    one.task("ff-1", "TASK_RUNNING")
    one.stream.close()
    eventually(
        lambda: [f for f in master.get("GET_FRAMEWORKS").get("frameworks", []) if not f["connected"]],
        "a framework that is away",
    )
    answer = one.call("REVIVE")
    assert (answer.status, answer.text) == (403, "Framework is not subscribed")
    again = one.succeeded_by()
    assert again.framework_id == one.framework_id
    assert again.call("RECONCILE", {"tasks": []}).status == 202
    assert again.task("ff-1", "TASK_RUNNING")["reason"] == "REASON_RECONCILIATION"
    held = again.offer(lambda other: other["agent_id"] == agent)
    assert sum(r["scalar"]["value"] for r in held["resources"] if r["name"] == "cpus") == 3.9
