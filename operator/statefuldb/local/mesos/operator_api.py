"""The master's v1 operator API, as far as the operator and people use it (transcript 25)."""

from typing import Any

from statefuldb.local.mesos.cluster import TERMINAL, Agent, Task
from statefuldb.local.mesos.master import Master

Json = dict[str, Any]


class OperatorApi:
    """Answers operator calls."""

    def __init__(self, master: Master) -> None:
        self._master = master

    def call(self, call: Json, now: float) -> tuple[int, Json | None]:
        """Return status code and body of one call."""
        kind = call.get("type", "")
        cluster = self._master.cluster
        match kind:
            case "GET_HEALTH":
                body: Json = {"healthy": True}
            case "GET_VERSION":
                body = {"version_info": {"version": "1.11.0"}}
            case "GET_MASTER":
                body = {"master_info": self._master.info()}
            case "GET_AGENTS":
                body = {"agents": [self._agent(a) for a in cluster.agents.values() if not a.gone]}
            case "GET_FRAMEWORKS":
                body = {"frameworks": [self._framework(i) for i in cluster.frameworks]}
            case "GET_TASKS":
                body = self._tasks()
            case "MARK_AGENT_GONE":
                self._master.agents.mark_gone(call["mark_agent_gone"]["agent_id"]["value"])
                return 200, None
            case "TEARDOWN":
                framework = cluster.frameworks.get(call["teardown"]["framework_id"]["value"])
                if framework is None:
                    return 400, None
                self._master.remove(framework)
                return 200, None
            case _:
                return 501, None
        return 200, {"type": kind, kind.lower(): body}

    def _agent(self, agent: Agent) -> Json:
        return {
            "agent_info": {**agent.info, "id": {"value": agent.id}},
            "active": agent.connected,
            "version": "1.11.0",
            "pid": f"slave(1)@{agent.info['ip']}:{agent.info['port']}",
            "total_resources": agent.total.to_json(),
            "allocated_resources": self._master.cluster.used(agent.id).to_json(),
            "offered_resources": self._master.cluster.offered(agent.id).to_json(),
            "capabilities": [
                {"type": t}
                for t in (
                    "MULTI_ROLE",
                    "HIERARCHICAL_ROLE",
                    "RESERVATION_REFINEMENT",
                    "RESOURCE_PROVIDER",
                    "AGENT_OPERATION_FEEDBACK",
                )
            ],
        }

    def _framework(self, framework_id: str) -> Json:
        framework = self._master.cluster.frameworks[framework_id]
        connected = framework.stream is not None
        return {
            "framework_info": framework.info,
            "active": connected,
            "connected": connected,
            "recovered": False,
        }

    def _tasks(self) -> Json:
        tasks = self._master.cluster.tasks.values()
        return {
            "tasks": [self._task(t) for t in tasks if t.state not in TERMINAL],
            "completed_tasks": [self._task(t) for t in tasks if t.state in TERMINAL],
        }

    def _task(self, task: Task) -> Json:
        info = task.info
        return {
            "name": info.get("name", ""),
            "task_id": info["task_id"],
            "framework_id": {"value": task.framework_id},
            "agent_id": {"value": task.agent_id},
            "state": task.state,
            "resources": info["resources"],
            "labels": info.get("labels", {}),
        }
