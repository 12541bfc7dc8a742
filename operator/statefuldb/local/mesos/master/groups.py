"""LAUNCH_GROUP: what makes a task group invalid, in Mesos's words (master/validation.cpp).

One that is valid goes to its agent, whose default executor runs it. An executor that runs already takes another group.
"""

from typing import Any

from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.launching import tasks_of, tell_error, unfit
from statefuldb.local.mesos.master.records import Agent, Executor, Framework, Task
from statefuldb.local.mesos.resources import rules as rules
from statefuldb.local.mesos.resources.multiset import Bag
from statefuldb.local.mesos.resources.operations import MasterAborted

Json = dict[str, Any]
LEAST_CPUS, LEAST_MEGABYTES = 0.01, 32


def launch_group(cluster: Cluster, framework: Framework, agent: Agent, role: str, operation: Json, pool: Bag) -> Bag:
    """Launch a group out of what is left of the offers, or tell each of its tasks why not; return what is left then."""
    executor, tasks = operation["launch_group"]["executor"], tasks_of(operation)
    denied = next((why for why in (cluster.acls.denied_launch(info, framework.info) for info in tasks) if why), None)
    problem = _problem(framework, cluster, agent, executor, tasks)
    key = framework.id, agent.id, executor["executor_id"]["value"]
    added = [] if key in cluster.executors else executor.get("resources", [])
    wanted = Bag.of([*added, *(r for info in tasks for r in info["resources"])])
    if problem is None and not pool.contains(wanted):
        problem = (
            f"Total resources {wanted.text(role)} required by task group and its executor are more than available "
            f"{pool.text(role)}"
        )
    if problem is None and denied is not None:
        problem = f"Principal '{framework.info.get('principal', '')}' no authorized to {denied}"
        return _refused(cluster, framework, tasks, problem, "GROUP_UNAUTHORIZED", pool)
    if problem is not None:
        return _refused(cluster, framework, tasks, problem, "GROUP_INVALID", pool)
    if len({info["task_id"]["value"] for info in tasks}) < len(tasks):
        raise MasterAborted("Check failed: !tasks.contains(task->task_id())")
    for info in tasks:
        task_id = info["task_id"]["value"]
        status = {"task_id": info["task_id"], "state": "TASK_STAGING", "agent_id": {"value": agent.id}}
        held = Bag.of(info["resources"])
        cluster.tasks[framework.id, task_id] = Task(task_id, framework.id, agent.id, info, held, role, status)
    if key not in cluster.executors:
        take_up(cluster, agent.id, framework.id, executor)
    cluster.order(agent.id, {"type": "RUN_GROUP", "framework": framework.info, "executor": executor, "tasks": tasks})
    return pool - wanted.exclusive()


def take_up(cluster: Cluster, agent_id: str, framework_id: str, info: Json) -> None:
    """Note an executor that runs on an agent, with what it holds."""
    held = info.get("resources", [])
    role = held[0].get("allocation_info", {}).get("role", "*") if held else "*"
    identity = info["executor_id"]["value"]
    one = Executor(identity, framework_id, agent_id, info, Bag.of(held), role)
    cluster.executors[framework_id, agent_id, identity] = one


def drop(cluster: Cluster, *, agent_id: str | None = None, framework_id: str | None = None) -> None:
    """Forget the executors of an agent, or of a framework."""
    for key, one in list(cluster.executors.items()):
        if agent_id == one.agent_id or framework_id == one.framework_id:
            del cluster.executors[key]


def _refused(cluster: Cluster, framework: Framework, tasks: list[Json], problem: str, reason: str, pool: Bag) -> Bag:
    for info in tasks:
        tell_error(cluster, framework, info, problem, reason)
    return pool


def _problem(framework: Framework, cluster: Cluster, agent: Agent, executor: Json, tasks: list[Json]) -> str | None:
    for info in tasks:
        reason = unfit(framework, cluster, agent, info)
        if reason is None and info.get("container", {}).get("type") == "DOCKER":
            reason = "Docker ContainerInfo is not supported on the task"
        if reason is not None:
            return f"Task '{info['task_id']['value']}' is invalid: {reason}"
    reason = _unfit_executor(framework, executor)
    if reason is not None:
        return reason
    known = cluster.executors.get((framework.id, agent.id, executor["executor_id"]["value"]))
    if known is not None and known.info != executor:
        return "ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID)."
    everything = [*executor.get("resources", []), *(r for info in tasks for r in info["resources"])]
    doubled = rules.doubled_persistence_id(everything)
    return f"Task group and executor use duplicate persistence ID: {doubled}" if doubled is not None else None


def _unfit_executor(framework: Framework, executor: Json) -> str | None:
    kind, identity = executor.get("type"), executor["executor_id"]["value"]
    owner = executor.get("framework_id", {}).get("value")
    for wrong, reason in (
        (kind is None, "'ExecutorInfo.type' must be set"),
        (kind == "DEFAULT" and "command" in executor, "'ExecutorInfo.command' must not be set for 'DEFAULT' executor"),
        (
            kind == "DEFAULT" and executor.get("container", {}).get("type", "MESOS") != "MESOS",
            "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor",
        ),
        (
            kind == "CUSTOM" and "command" not in executor,
            "'ExecutorInfo.command' must be set for 'CUSTOM' executor",
        ),
        (rules.id_refused(identity) is not None, rules.id_refused(identity) or ""),
        (owner is None, "'ExecutorInfo.framework_id' must be set"),
        (
            owner != framework.id,
            f"ExecutorInfo has an invalid FrameworkID (Actual: {owner} vs Expected: {framework.id})",
        ),
    ):
        if wrong:
            return reason
    return _too_small(identity, executor.get("resources", []))


def _too_small(identity: str, resources: list[Json]) -> str | None:
    """Return what an executor has too little of, or None."""
    for name, called, least, unit in (
        ("cpus", "CPUs", LEAST_CPUS, ""),
        ("mem", "memory", LEAST_MEGABYTES, "MB"),
    ):
        amounts = [float(one["scalar"]["value"]) for one in resources if one["name"] == name]
        if not amounts or sum(amounts) < least:
            shown = f"{sum(amounts):g}{unit}" if amounts else "None"
            return f"Executor '{identity}' uses less {called} ({shown}) than the minimum required ({least}{unit})"
    return None
