"""Task groups as tests send them, on the default executor (exchange 23)."""

from typing import Any

from conformance.mesos.client import Json
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import scalar

SMALL = (scalar("cpus", 0.1), scalar("mem", 32), scalar("disk", 10))


def executor(one: Scheduler, changes: Json) -> Json:
    """Return the default executor of exchange 23; None takes a field away."""
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
