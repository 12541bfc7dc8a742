"""The life of task groups with their checks, where agents have a default executor."""

import pytest

from conformance.mesos.client import Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.grouping import SMALL, executor, group, refused
from conformance.mesos.masters import Control, Mesos
from conformance.mesos.scheduler import Scheduler, amounts
from conformance.mesos.things import framework, scalar, task
from conformance.mesos.tidying import settled

FATES = {"done": "exit 0", "stays": "exec sleep 300", "fails": "sleep 1; exit 3"}
# What is said of a check before it has found anything, and at the end.
SILENT = {"g-2": {"type": "TCP", "tcp": {}}}


@pytest.fixture
def runs_groups(default_executor: bool) -> None:
    """Skip where agents have no default executor."""
    if not default_executor:
        pytest.skip("needs a default executor, which the real Mesos in one process has not")


def parent_of(status: Json) -> str:
    """Return the container of an executor, as the status of one of its tasks names it."""
    assert status["source"] == "SOURCE_EXECUTOR"
    assert status["executor_id"] == {"value": "grp"}
    return str(status["container_status"]["container_id"]["parent"]["value"])


def executor_has_ended(one: Scheduler, agent: Json) -> None:
    """Wait until nothing is left for the executor to run, and it has ended by itself."""
    one.told("FAILURE", agent_id=agent, executor_id={"value": "grp"}, status=0)


@pytest.mark.usefixtures("runs_groups")
def test_a_group_lives_and_is_killed_as_one(subscribe: Subscribe) -> None:
    one = subscribe(framework(checkpoint=True))
    offer = one.offer()
    agent = offer["agent_id"]
    healthy = {
        **task("g-1", agent, command="touch ok; sleep 300"),
        "health_check": {
            "type": "COMMAND",
            "command": {"value": "test -e ok", "shell": True},
            "interval_seconds": 1,
            "delay_seconds": 0,
            "grace_period_seconds": 5,
        },
    }
    (port,) = {r["ranges"]["range"][0]["begin"] for r in offer["resources"] if r["name"] == "ports"}
    listens = {
        **task("g-2", agent, command=f"exec python3 -m http.server --bind 127.0.0.1 {port}"),
        "check": {"type": "TCP", "tcp": {"port": port}, "interval_seconds": 1, "delay_seconds": 1},
    }
    one.accept(offer, group(executor(one, {}), healthy, listens))
    parents = set()
    for name in ("g-1", "g-2"):
        starting, running = one.task(name, "TASK_STARTING"), one.task(name, "TASK_RUNNING")
        assert starting.get("check_status") == running.get("check_status") == SILENT.get(name)
        assert set(starting["container_status"]) == {"container_id"}
        assert set(running["container_status"]) == {"container_id", "network_infos", "executor_pid"}
        assert "healthy" not in running
        parents |= {parent_of(starting), parent_of(running)}
    assert len(parents) == 1
    found = one.task("g-1", "TASK_RUNNING", seen=2)
    assert found["reason"] == "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED"
    assert found["healthy"] is True
    found = one.task("g-2", "TASK_RUNNING", seen=2)
    if found["check_status"] == {"type": "TCP", "tcp": {"succeeded": False}}:
        # It was slow to start.
        found = one.task("g-2", "TASK_RUNNING", seen=3)
    assert found["reason"] == "REASON_TASK_CHECK_STATUS_UPDATED"
    assert found["check_status"] == {"type": "TCP", "tcp": {"succeeded": True}}
    one.call("KILL", {"task_id": {"value": "g-2"}})
    ends = [one.task(name, "TASK_KILLED") for name in ("g-2", "g-1")]
    for status in ends:
        assert status["message"] == "Command terminated with signal Terminated"
        assert set(status["container_status"]) == {"container_id"}
        assert "reason" not in status
        assert "healthy" not in status
    assert ends[0]["check_status"] == SILENT["g-2"]
    executor_has_ended(one, agent)
    one.offer(lambda held: held["agent_id"] == agent and one.is_whole(held), recorded=False)


@pytest.mark.usefixtures("runs_groups")
def test_a_task_that_finishes_leaves_the_others_alone_and_one_that_fails_ends_them(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    tasks = [task(name, agent, command=what) for name, what in FATES.items()]
    one.accept(offer, group(executor(one, {}), *tasks))
    assert one.task("done", "TASK_FINISHED")["message"] == "Command exited with status 0"
    one.task("stays", "TASK_RUNNING")
    assert one.task("fails", "TASK_FAILED")["message"] == "Command exited with status 3"
    assert one.task("stays", "TASK_KILLED")["message"] == "Command terminated with signal Terminated"
    executor_has_ended(one, agent)


@pytest.mark.usefixtures("runs_groups")
def test_an_executor_holds_its_resources_and_takes_another_group(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, group(executor(one, {}), task("a", agent, command="exec sleep 300")))
    first = one.task("a", "TASK_RUNNING")
    rest = one.offer(lambda held: held["agent_id"] == agent, recorded=False)
    assert round(amounts(offer["resources"])["cpus"] - amounts(rest["resources"])["cpus"], 3) == 0.2
    changed = executor(one, {"resources": [*SMALL[:2], scalar("disk", 11)]})
    one.accept(rest, group(changed, task("b", agent)))
    (said,) = refused(one, "b")
    assert said.startswith("ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID")
    rest = one.offer(lambda held: held["agent_id"] == agent, recorded=False)
    one.accept(rest, group(executor(one, {}), task("c", agent, command="exit 0")))
    again = one.task("c", "TASK_RUNNING")
    assert parent_of(again) == parent_of(first)
    one.task("c", "TASK_FINISHED")
    one.call("KILL", {"task_id": {"value": "a"}})
    one.task("a", "TASK_KILLED")
    executor_has_ended(one, agent)


@pytest.mark.usefixtures("runs_groups")
def test_what_is_found_ill_too_often_is_killed_with_its_group(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    check = {"type": "COMMAND", "command": {"value": "exit 1"}, "consecutive_failures": 2}
    times = {"interval_seconds": 0.1, "delay_seconds": 0, "grace_period_seconds": 0}
    ill = {**task("ill", agent, command="exec sleep 300"), "health_check": {**check, **times}}
    one.accept(offer, group(executor(one, {}), ill, task("well", agent, command="exec sleep 300")))
    end = one.task("ill", "TASK_KILLED")
    assert end["healthy"] is False
    assert [status.get("healthy") for status in one.task_updates("ill")] == [None, None, False, False, False]
    assert "healthy" not in one.task("well", "TASK_KILLED")
    executor_has_ended(one, agent)


@pytest.mark.usefixtures("runs_groups")
@pytest.mark.parametrize(
    ("kind", "what", "found"),
    [
        ("COMMAND", {"command": {"value": "exit 7"}}, {"exit_code": 7}),
        # Nobody listens there, so that there is no status code to tell.
        ("HTTP", {"port": 1, "path": "/"}, {}),
        ("TCP", {"port": 1}, {"succeeded": False}),
    ],
)
def test_a_check_tells_what_it_found(subscribe: Subscribe, kind: str, what: Json, found: Json) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    check = {"type": kind, kind.lower(): what, "interval_seconds": 0.1, "delay_seconds": 0}
    checked = {**task("checked", agent, command="exec sleep 300"), "check": check}
    one.accept(offer, group(executor(one, {}), checked))
    running = one.task("checked", "TASK_RUNNING")
    assert running["check_status"] == {"type": kind, kind.lower(): {}}
    if found:
        assert one.task("checked", "TASK_RUNNING", seen=2)["check_status"] == {"type": kind, kind.lower(): found}
    one.call("KILL", {"task_id": {"value": "checked"}})
    one.task("checked", "TASK_KILLED")


@pytest.mark.usefixtures("runs_groups")
def test_a_group_outlives_its_agents_process(subscribe: Subscribe, control: Control, mesos: Mesos) -> None:
    agents = len(mesos.agents())
    one = subscribe(framework(checkpoint=True))
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, group(executor(one, {}), *(task(name, agent, command="exec sleep 300") for name in "ab")))
    for name in "ab":
        one.task(name, "TASK_RUNNING")
    for number in range(agents):
        control.run("kill9", "agent", number)
        control.run("start", "agent", number)
    settled(mesos.http, agents)
    rest = one.offer(lambda held: held["agent_id"] == agent, recorded=False)
    assert round(amounts(offer["resources"])["cpus"] - amounts(rest["resources"])["cpus"], 3) == 0.3
    for name in "ab":
        for status in one.task_updates(name):
            # An acknowledgement just before the agent's death may be lost.
            assert "uuid" not in status or one.acknowledge(status).status == 202
    one.call("KILL", {"task_id": {"value": "a"}})
    for name in "ab":
        assert one.task(name, "TASK_KILLED")["message"] == "Command terminated with signal Terminated"
    executor_has_ended(one, agent)
