"""Task groups as tests send them, on the default executor."""

from typing import Any

from conformance.mesos.client import Json
from conformance.mesos.masters import Mesos
from conformance.mesos.recording import Recording
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import framework, scalar, task
from conformance.mesos.tidying import tidy

SMALL = (scalar("cpus", 0.1), scalar("mem", 32), scalar("disk", 10))


def executor(one: Scheduler, changes: Json) -> Json:
    """Return a default executor; None takes a field away."""
    info = {
        "type": "DEFAULT",
        "executor_id": {"value": "grp"},
        "framework_id": one.framework_id,
        "resources": list(SMALL),
        **changes,
    }
    return {name: value for name, value in info.items() if value is not None}


def group(of: Json, *tasks: Json, **more: Any) -> Json:
    return {"type": "LAUNCH_GROUP", "launch_group": {"executor": of, "task_group": {"tasks": list(tasks)}}, **more}


def has_default_executor(mesos: Mesos) -> bool:
    """Find out whether agents run groups: the real Mesos in one process has no program for that."""
    one = Scheduler(mesos.http, Recording(), framework(name="probe"))
    offer = one.offer()
    one.accept(offer, group(executor(one, {}), task("probe", offer["agent_id"])))
    status = one.stream.wait(lambda: one.task_updates("probe"), about="the first word of a group")[0]
    tidy(mesos.http, [one.framework_id] if one.framework_id is not None else [])
    one.stream.close()
    return bool(status["state"] == "TASK_STARTING")


def refused(one: Scheduler, *identities: str) -> set[str]:
    """Return what the master says of each task of a refused group."""
    said = set()
    for identity in identities:
        status = one.task(identity, "TASK_ERROR")
        assert status["reason"] == "REASON_TASK_GROUP_INVALID"
        assert status["source"] == "SOURCE_MASTER"
        assert "uuid" not in status
        said.add(status["message"])
    return said
