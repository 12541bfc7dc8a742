"""RECONCILE of tasks, and the same answer to KILL of an unknown one (master.cpp, reconcile)."""

from typing import Any

from statefuldb.local.mesos.master.agents import nanoseconds
from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.records import Framework, Task

Json = dict[str, Any]


def reconcile(cluster: Cluster, framework: Framework, wanted: list[Json]) -> None:
    """Answer explicitly for each task of the list; implicitly, for the known ones, where the list is empty."""
    if not wanted:
        for (owner, _), known in list(cluster.tasks.items()):
            if owner == framework.id:
                _latest(cluster, framework, known)
        return
    for entry in wanted:
        task_id = entry["task_id"]["value"]
        task = cluster.tasks.get((framework.id, task_id))
        if task is not None:
            _latest(cluster, framework, task)
        else:
            _unknown(cluster, framework, task_id, entry.get("agent_id", {}).get("value"))


def _latest(cluster: Cluster, framework: Framework, task: Task) -> None:
    _answer(cluster, framework, task.id, task.state, "Latest task state", task.agent_id, **task.container)


def _unknown(cluster: Cluster, framework: Framework, task_id: str, agent_id: str | None) -> None:
    """Answer for a task that nobody knows. Silence where an agent that may know it has not come back yet."""
    agent = cluster.agents.get(agent_id or "")
    may_know = cluster.agents.values() if agent_id is None else [agent]
    if any(one is not None and one.recovered for one in may_know):
        return
    if agent is None:
        _answer(cluster, framework, task_id, "TASK_UNKNOWN", "Task is unknown", agent_id)
    elif agent.gone:
        _answer(cluster, framework, task_id, "TASK_GONE_BY_OPERATOR", "Task is gone", agent_id)
    elif agent.unreachable:
        since = {"unreachable_time": nanoseconds(agent.unreachable_at or 0.0)}
        _answer(cluster, framework, task_id, "TASK_UNREACHABLE", "Task is unreachable", agent_id, **since)
    else:
        _answer(cluster, framework, task_id, "TASK_GONE", "Task is unknown to the agent", agent_id)


def _answer(
    cluster: Cluster, framework: Framework, task_id: str, state: str, text: str, agent_id: str | None, **more: Any
) -> None:
    why = {"reason": "REASON_RECONCILIATION", "message": f"Reconciliation: {text}"}
    cluster.tell_task(framework.id, task_id, framework.state(state), agent_id, **why, **more)
