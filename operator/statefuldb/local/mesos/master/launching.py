"""LAUNCH: what makes a task invalid, in Mesos's words, and the order to run it."""

from typing import Any

from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.records import Agent, Framework, Task
from statefuldb.local.mesos.resources import rules as rules
from statefuldb.local.mesos.resources.multiset import Bag

Json = dict[str, Any]


def tasks_of(operation: Json) -> list[Json]:
    """Return the tasks of a LAUNCH or LAUNCH_GROUP."""
    match operation.get("type"):
        case "LAUNCH":
            return list(operation.get("launch", {}).get("task_infos", []))
        case "LAUNCH_GROUP":
            return list(operation["launch_group"].get("task_group", {}).get("tasks", []))
    return []


def launch(cluster: Cluster, framework: Framework, agent: Agent, role: str, info: Json, pool: Bag) -> Bag:
    """Launch one task out of what is left of the offers, or tell why not; return what is left then."""
    task_id = info["task_id"]["value"]
    denied = cluster.acls.denied_launch(info, framework.info)
    if denied is not None:
        principal = framework.info.get("principal", "")
        tell_error(cluster, framework, info, f"Principal '{principal}' no authorized to {denied}", "UNAUTHORIZED")
        return pool
    wanted = Bag.of(info.get("resources", []))
    problem = unfit(framework, cluster, agent, info) or _without_a_purpose(info) or _too_much(wanted, pool, role)
    if problem is not None:
        tell_error(cluster, framework, info, problem)
        return pool
    status = {"task_id": {"value": task_id}, "state": "TASK_STAGING", "agent_id": {"value": agent.id}}
    cluster.tasks[framework.id, task_id] = Task(task_id, framework.id, agent.id, info, wanted, role, status)
    cluster.order(agent.id, {"type": "RUN_TASK", "framework": framework.info, "task": info})
    return pool - wanted.exclusive()


def tell_error(cluster: Cluster, framework: Framework, info: Json, problem: str, reason: str = "INVALID") -> None:
    """Tell that a task cannot be."""
    agent_id = info.get("agent_id", {}).get("value")
    why = {"reason": f"REASON_TASK_{reason}", "message": problem}
    cluster.tell_task(framework.id, info["task_id"]["value"], "TASK_ERROR", agent_id, **why)


def unfit(framework: Framework, cluster: Cluster, agent: Agent, info: Json) -> str | None:
    """Return why a task, alone or in a group, cannot be on an agent, or None."""
    task_id, resources = info["task_id"]["value"], info.get("resources", [])
    reason = rules.id_refused(task_id)
    if reason is not None:
        return reason
    if (framework.id, task_id) in cluster.tasks:
        return f"Task has duplicate ID: {task_id}"
    if task_id in framework.unreachable:
        return f"Task reuses the ID of an unreachable task: {task_id}"
    given = info.get("agent_id", {}).get("value")
    if given != agent.id:
        return f"Task uses invalid agent {given} while agent {agent.id} is expected"
    if int(info.get("kill_policy", {}).get("grace_period", {}).get("nanoseconds", 0)) < 0:
        return "Task's 'kill_policy.grace_period' must be non-negative"
    if not resources:
        return "Task uses no resources"
    for prefix, reason in (
        ("Task uses invalid resources", rules.invalid(resources)),
        ("Task uses duplicate persistence ID", rules.doubled_persistence_id(resources)),
        ("Invalid task resources", rules.of_several_roles(resources)),
    ):
        if reason is not None:
            return f"{prefix}: {reason}"
    return None


def _without_a_purpose(info: Json) -> str | None:
    if ("command" in info) == ("executor" in info):
        return "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present"
    return None


def _too_much(wanted: Bag, pool: Bag, role: str) -> str | None:
    if pool.contains(wanted):
        return None
    return (
        f"Total resources {wanted.text(role)} required by task and its executor is more than available "
        f"{pool.text(role)}"
    )
