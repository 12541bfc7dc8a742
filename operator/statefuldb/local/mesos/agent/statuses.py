"""What an agent says of tasks and operations."""

import base64
import time
import uuid
from pathlib import Path
from typing import Any

from statefuldb.local.mesos.agent.tasks import RunningTask

Json = dict[str, Any]


def of_task(
    agent_id: str, task: RunningTask, state: str, message: str, *, address: str, reason: str | None = None
) -> Json:
    """Return a task's status as its executor tells it; `address` is the agent's."""
    container: Json = {"container_id": {"value": task.sandbox.name}}
    if task.group is not None:
        container["container_id"]["parent"] = {"value": Path(task.group["sandbox"]).name}
    if task.group is None or state == "TASK_RUNNING":
        container["network_infos"] = [{"ip_addresses": [{"protocol": "IPv4", "ip_address": address}]}]
        container["executor_pid"] = task.started_pid()
    status = _status(agent_id, task.id, state, "SOURCE_EXECUTOR")
    status |= {"executor_id": {"value": task.executor_id}, "container_status": container, **_checked(task, state)}
    if message:
        status["message"] = message
    if task.draining and state in ("TASK_KILLING", "TASK_KILLED"):
        reason = "REASON_AGENT_DRAINING"
        # A real agent says so from the beginning of its end on (slave.cpp, statusUpdate), this one once it has ended.
        status["state"] = "TASK_GONE_BY_OPERATOR" if task.given_up else state
    if reason is not None:
        status["reason"] = reason
    return status


def _checked(task: RunningTask, state: str) -> Json:
    """Return what a status says of a task's checks: all of it while it runs, at its end only what it died of."""
    runs, info = state == "TASK_RUNNING", task.order["task"]
    found: Json = {}
    if "check" in info:
        kind = info["check"]["type"]
        found["check_status"] = {"type": kind, kind.lower(): task.check_found if runs else {}}
    if task.healthy is not None and (runs or not task.healthy):
        found["healthy"] = task.healthy
    return found


def of_failure(agent_id: str, executor_id: str, task_id: str, reason: str, message: str) -> Json:
    """Return the status of a task that its agent could not run."""
    status = _status(agent_id, task_id, "TASK_FAILED", "SOURCE_AGENT")
    return {**status, "executor_id": {"value": executor_id}, "reason": reason, "message": message}


def of_unknown(agent_id: str, framework: Json, task_id: str) -> Json:
    """Return the status of a task that the agent never got, or has lost."""
    aware = {"type": "PARTITION_AWARE"} in framework.get("capabilities", [])
    status = _status(agent_id, task_id, "TASK_DROPPED" if aware else "TASK_LOST", "SOURCE_AGENT")
    return {**status, "reason": "REASON_RECONCILIATION", "message": "Reconciliation: task unknown to the agent"}


def of_operation(agent_id: str, message: Json, state: str) -> Json:
    """Return the report of an operation that the master ordered by a message."""
    operation = message["operation"]
    status: Json = {"state": state, "uuid": {"value": _uuid()}, "agent_id": {"value": agent_id}}
    if "id" in operation:
        status["operation_id"] = operation["id"]
    return {
        "type": "OPERATION_UPDATE",
        "uuid_of": message["uuid"],
        "uuid": status["uuid"]["value"],
        "framework_id": message["framework_id"],
        "operation": operation,
        "status": status,
    }


def _status(agent_id: str, task_id: str, state: str, source: str) -> Json:
    return {
        "task_id": {"value": task_id},
        "state": state,
        "source": source,
        "agent_id": {"value": agent_id},
        "timestamp": time.time(),
        "uuid": _uuid(),
    }


def _uuid() -> str:
    return base64.b64encode(uuid.uuid4().bytes).decode()
