"""Task groups: what is refused, and what comes of one on an agent that has no default executor."""

import pytest

from conformance.mesos.client import Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.grouping import executor, group, refused
from conformance.mesos.things import launch, scalar, task, volume

DOCKER = {"type": "DOCKER", "docker": {"image": "none"}}


EXECUTORS: dict[str, tuple[Json, str]] = {
    "no memory": (
        {"resources": [scalar("cpus", 0.1)]},
        "Executor 'grp' uses less memory (None) than the minimum required (32MB)",
    ),
    "little memory": (
        {"resources": [scalar("cpus", 0.1), scalar("mem", 16)]},
        "Executor 'grp' uses less memory (16MB) than the minimum required (32MB)",
    ),
    "few cpus": (
        {"resources": [scalar("cpus", 0.001), scalar("mem", 32)]},
        "Executor 'grp' uses less CPUs (0.001) than the minimum required (0.01)",
    ),
    "nothing": ({"resources": None}, "Executor 'grp' uses less CPUs (None) than the minimum required (0.01)"),
    "no type": ({"type": None}, "'ExecutorInfo.type' must be set"),
    "a command": ({"command": {"value": "x"}}, "'ExecutorInfo.command' must not be set for 'DEFAULT' executor"),
    "no command": ({"type": "CUSTOM"}, "'ExecutorInfo.command' must be set for 'CUSTOM' executor"),
    "docker": ({"container": DOCKER}, "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor"),
    "no framework": ({"framework_id": None}, "'ExecutorInfo.framework_id' must be set"),
    "a bad id": ({"executor_id": {"value": "a/b"}}, "'a/b' contains invalid characters"),
    "a negative amount": (
        {"resources": [scalar("cpus", -1), scalar("mem", 32)]},
        "Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0",
    ),
}
TASKS: dict[str, tuple[Json, str]] = {
    "docker": ({"container": DOCKER}, "Task 'b' is invalid: Docker ContainerInfo is not supported on the task"),
    "no resources": ({"resources": []}, "Task 'b' is invalid: Task uses no resources"),
    "another agent": ({"agent_id": {"value": "other"}}, "Task 'b' is invalid: Task uses invalid agent other"),
    "a negative grace": (
        {"kill_policy": {"grace_period": {"nanoseconds": -1}}},
        "Task 'b' is invalid: Task's 'kill_policy.grace_period' must be non-negative",
    ),
    "a negative amount": (
        {"resources": [scalar("cpus", -1)]},
        "Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0",
    ),
    "too much": ({"resources": [scalar("cpus", 100)]}, "required by task group and its executor are more than"),
}


@pytest.mark.parametrize("name", EXECUTORS)
def test_an_unfit_executor_is_told_of_each_task(subscribe: Subscribe, name: str) -> None:
    changes, text = EXECUTORS[name]
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, group(executor(one, changes), task("a", agent), task("b", agent)))
    assert refused(one, "a", "b") == {text}


@pytest.mark.parametrize("name", TASKS)
def test_one_unfit_task_is_told_of_all(subscribe: Subscribe, name: str) -> None:
    changes, text = TASKS[name]
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, group(executor(one, {}), task("a", agent), {**task("b", agent), **changes}))
    (said,) = refused(one, "a", "b")
    assert text in said


def test_one_volume_is_for_one_task_of_a_group(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    both = [task(name, offer["agent_id"], [scalar("cpus", 0.1), volume("v", 64)]) for name in "ab"]
    one.accept(offer, group(executor(one, {}), *both))
    text = "Task group and executor use duplicate persistence ID: Persistence ID 'v' is not unique"
    assert refused(one, "a", "b") == {text}


def test_a_group_has_no_operation_id(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, group(executor(one, {}), task("a", offer["agent_id"]), id={"value": "x"}))
    assert refused(one, "a") == {"The `id` field cannot be set on LAUNCH_GROUP operations"}


@pytest.mark.parametrize(
    ("given", "lacks"),
    [({}, "executor"), ({"executor": {"type": "DEFAULT"}}, "executor.executor_id")],
    ids=["executor", "executor id"],
)
def test_a_group_without_its_executor_is_no_call(subscribe: Subscribe, given: Json, lacks: str) -> None:
    one = subscribe()
    offer = one.offer()
    asked = {"type": "LAUNCH_GROUP", "launch_group": {**given, "task_group": {"tasks": [task("a", offer["agent_id"])]}}}
    answer = one.call("ACCEPT", {"offer_ids": [offer["id"]], "operations": [asked]})
    assert answer.status == 400
    assert f"Missing required fields: accept.operations[0].launch_group.{lacks}" in answer.text


def test_a_group_on_an_offer_that_is_gone_is_dropped(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.decline(offer)
    one.accept(offer, group(executor(one, {}), task("a", agent), task("b", agent)))
    for name in "ab":
        assert one.task(name, "TASK_DROPPED")["reason"] == "REASON_INVALID_OFFERS"


def test_without_a_default_executor_a_group_ends_as_it_begins(subscribe: Subscribe, default_executor: bool) -> None:
    if default_executor:
        pytest.skip("has a default executor")
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, group(executor(one, {}), task("a", agent), task("b", agent)))
    one.told("FAILURE", agent_id=agent, executor_id={"value": "grp"}, status=256)
    for name in "ab":
        status = one.task(name, "TASK_FAILED")
        assert status["reason"] == "REASON_EXECUTOR_TERMINATED"
        assert status["message"] == "Executor terminated"
        assert status["source"] == "SOURCE_AGENT"
        assert status["executor_id"] == {"value": "grp"}
    # What it held is offered again, and its ids are used up.
    again = one.offer(lambda held: held["agent_id"] == agent and one.is_whole(held), recorded=False)
    one.accept(again, launch(task("c", agent)))
    one.runs_to("TASK_FINISHED", "c")
