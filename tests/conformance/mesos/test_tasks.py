"""Tasks: how they end, what is refused, what is told again."""

from pathlib import Path

import pytest

from conformance.mesos.client import Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.things import BUNDLE, OURS, bundled, framework, launch, operation, scalar, task, volume
from conformance.mesos.tidying import eventually

ENDINGS = {
    "exit-3": ("exit 3", "TASK_FAILED", "Command exited with status 3"),
    "not-found": ("/no/such/program", "TASK_FAILED", "Command exited with status 127"),
    "signal": ("kill -SEGV $$", "TASK_FAILED", "Command terminated with signal Segmentation fault"),
    "good": ("true", "TASK_FINISHED", "Command exited with status 0"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_command_ends(subscribe: Subscribe, name: str) -> None:
    command, state, message = ENDINGS[name]
    one = subscribe()
    offer = one.offer()
    one.accept(offer, launch(task(name, offer["agent_id"], command=command)))
    assert one.runs_to(state, name)["message"] == message


def test_a_killed_command_is_asked_to_end_first(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, launch(task("plain", offer["agent_id"], command="exec sleep 300")))
    one.task("plain", "TASK_RUNNING")
    assert one.call("KILL", {"task_id": {"value": "plain"}}).status == 202
    assert one.task("plain", "TASK_KILLED")["message"] == "Command terminated with signal Terminated"


def test_one_that_does_not_listen_is_killed_after_its_grace(subscribe: Subscribe, tmp_path: Path) -> None:
    one = subscribe()
    offer = one.offer()
    policy = {"grace_period": {"nanoseconds": 500_000_000}}
    up = tmp_path / "up"
    stubborn = f"trap '' TERM; touch {up}; while :; do sleep 1; done"
    one.accept(offer, launch(task("stubborn", offer["agent_id"], command=stubborn, kill_policy=policy)))
    one.task("stubborn", "TASK_RUNNING")
    eventually(up.exists, "the task deaf to SIGTERM")
    assert one.call("KILL", {"task_id": {"value": "stubborn"}}).status == 202
    assert one.task("stubborn", "TASK_KILLED")["message"] == "Command terminated with signal Killed"


def test_without_a_shell_there_are_arguments_and_an_environment(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    command = {
        "shell": False,
        "value": "/bin/sh",
        "arguments": ["sh", "-c", 'test "$FOO" = bar && test -n "$MESOS_SANDBOX" && test "$0" = sh'],
        "environment": {"variables": [{"name": "FOO", "value": "bar"}]},
    }
    info = {**task("argv", offer["agent_id"], command=None), "command": command}
    one.accept(offer, launch(info))
    assert one.runs_to("TASK_FINISHED", "argv")


def test_resources_of_a_task_may_be_few_and_zero(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    few = {
        "t-mem": [scalar("mem", 32)],
        "t-cpu": [scalar("cpus", 0.1)],
        "t-zero": [scalar("cpus", 0.1), scalar("mem", 32), scalar("disk", 0)],
        "b lä": [scalar("cpus", 0.1), scalar("mem", 32)],
    }
    one.accept(offer, launch(*(task(name, agent, resources) for name, resources in few.items())))
    for name in few:
        one.runs_to("TASK_FINISHED", name)


INVALID: dict[str, tuple[str, Json, str]] = {
    "no resources": ("t-none", {"resources": []}, "Task uses no resources"),
    "a slash": ("a/b", {}, "'a/b' contains invalid characters"),
    "too long": ("x" * 300, {}, "ID must not be greater than 255 characters"),
    "empty": ("", {}, "ID must not be empty"),
    "dots": ("..", {}, "'..' is disallowed"),
    "neither command nor executor": (
        "no-cmd",
        {"command": None},
        "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present",
    ),
    "a negative grace": (
        "grace",
        {"kill_policy": {"grace_period": {"nanoseconds": -1}}},
        "Task's 'kill_policy.grace_period' must be non-negative",
    ),
    "one volume twice": (
        "twice",
        {"resources": [scalar("cpus", 0.1), volume("v", 64), volume("v", 64)]},
        "Task uses duplicate persistence ID: Persistence ID 'v' is not unique",
    ),
    "a negative amount": (
        "negative",
        {"resources": [scalar("cpus", -1)]},
        "Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_task_is_an_error_that_the_master_tells(subscribe: Subscribe, name: str) -> None:
    identity, changes, text = INVALID[name]
    one = subscribe()
    offer = one.offer()
    info = {**task(identity, offer["agent_id"]), **changes}
    one.accept(offer, launch({key: value for key, value in info.items() if value is not None}))
    status = one.task(identity, "TASK_ERROR")
    assert status["message"] == text
    assert status["reason"] == "REASON_TASK_INVALID"
    assert status["source"] == "SOURCE_MASTER"
    assert "uuid" not in status


def test_a_task_for_another_agent_is_an_error(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, launch(task("wrong", {"value": "nope-S0"})))
    status = one.task("wrong", "TASK_ERROR")
    assert status["message"] == f"Task uses invalid agent nope-S0 while agent {offer['agent_id']['value']} is expected"
    assert status["agent_id"] == {"value": "nope-S0"}


def test_more_than_was_offered_is_an_error_that_says_what_there_is(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, launch(task("big", offer["agent_id"], [scalar("cpus", 400), scalar("mem", 32)])))
    message = one.task("big", "TASK_ERROR")["message"]
    want, _, have = message.removeprefix("Total resources ").partition(
        " required by task and its executor is more than available "
    )
    assert sorted(want.split("; ")) == ["cpus(allocated: svc):400", "mem(allocated: svc):32"]
    assert "cpus(allocated: svc):4" in have


def test_the_older_form_of_a_role_means_a_static_reservation(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    old = {**scalar("cpus", 0.1), "role": "svc"}
    one.accept(offer, launch(task("old", offer["agent_id"], [old, scalar("mem", 32)])))
    message = one.task("old", "TASK_ERROR")["message"]
    assert "cpus(allocated: svc)(reservations: [(STATIC,svc)]):0.1" in message


def test_a_launch_carries_no_operation_id(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, {**launch(task("lid", offer["agent_id"])), "id": {"value": "x"}})
    assert one.task("lid", "TASK_ERROR")["message"] == "The `id` field cannot be set on LAUNCH operations"


def test_later_states_wait_behind_one_that_is_not_acknowledged(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, launch(task("up-1", offer["agent_id"])))
    first = one.task("up-1", "TASK_STARTING", acknowledge=False)
    again = one.task("up-1", "TASK_STARTING", seen=1, acknowledge=False)
    assert again["uuid"] == first["uuid"]
    assert {status["state"] for status in one.task_updates("up-1")} == {"TASK_STARTING"}
    for state in ("TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"):
        one.task("up-1", state)


def test_a_running_tasks_id_is_not_used_again(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, launch(task("st-2", agent, command="exec sleep 300")))
    one.task("st-2", "TASK_RUNNING")
    other = one.offer(lambda held: held["agent_id"] != agent)
    one.accept(other, launch(task("st-2", other["agent_id"])))
    assert one.task("st-2", "TASK_ERROR")["message"] == "Task has duplicate ID: st-2"


def test_two_offers_of_one_agent_are_accepted_together(subscribe: Subscribe) -> None:
    one = subscribe(framework(checkpoint=True))
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, *bundled("st", agent, "sv", "exec sleep 300"))
    one.finished("sv-r", "sv-c")
    one.task("st", "TASK_RUNNING")
    rest = one.offer(lambda held: held["agent_id"] == agent)
    assert not [r for r in rest["resources"] if r.get("reservations")]
    one.call("KILL", {"task_id": {"value": "st"}})
    one.task("st", "TASK_KILLED")
    freed = one.offer(lambda held: held["agent_id"] == agent, keeping=[rest])
    assert all(r.get("reservations") for r in freed["resources"])
    (held,) = [r for r in freed["resources"] if "disk" in r]
    joined = task("st-2", agent, [scalar("cpus", 2), scalar("mem", 256, OURS), held], "test -d data")
    one.accept([rest, freed], launch(joined))
    one.runs_to("TASK_FINISHED", "st-2")


def test_a_volume_in_use_is_not_offered_and_its_data_waits_for_the_next_task(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, *bundled("writer", agent, "kept", "echo kept > data/file"))
    one.finished("kept-r", "kept-c")
    one.runs_to("TASK_FINISHED", "writer")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    (disk,) = [r for r in held["resources"] if "disk" in r]
    one.accept(held, launch(task("user", agent, [*BUNDLE[:2], disk], "exec sleep 300")))
    one.task("user", "TASK_RUNNING")
    rest = one.offer(lambda held: held["agent_id"] == agent)
    assert not [r for r in rest["resources"] if "disk" in r]
    one.decline(rest)
    one.call("KILL", {"task_id": {"value": "user"}})
    one.task("user", "TASK_KILLED")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    elsewhere = volume("kept", volume={"container_path": "elsewhere", "mode": "RW"})
    one.accept(held, launch(task("reader", agent, [*BUNDLE[:2], elsewhere], "grep -q kept elsewhere/file")))
    one.runs_to("TASK_FINISHED", "reader")


@pytest.mark.parametrize("path", ["/conformance-abs-data", "a/b"])
def test_a_path_with_a_slash_is_not_mounted_and_nobody_says_so(subscribe: Subscribe, path: str) -> None:
    one = subscribe()
    offer = one.offer()
    held = volume("absv", volume={"container_path": path, "mode": "RW"})
    command = f"test ! -e {path}"
    one.accept(
        offer,
        operation("RESERVE", BUNDLE, "r"),
        operation("CREATE", [held], "c"),
        launch(task("abs-t", offer["agent_id"], [*BUNDLE[:2], held], command)),
    )
    one.finished("r", "c")
    one.runs_to("TASK_FINISHED", "abs-t")
