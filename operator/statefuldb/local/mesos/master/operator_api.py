"""The master's v1 operator API, as far as the operator and people use it."""

from collections.abc import Iterable
from typing import Any

from statefuldb.local.mesos.master import allocation, draining, feedback, maintenance, operator_operations, quota
from statefuldb.local.mesos.master.agents import nanoseconds
from statefuldb.local.mesos.master.master import Master
from statefuldb.local.mesos.master.operator_operations import FORBIDDEN
from statefuldb.local.mesos.master.records import Agent, Framework, Task
from statefuldb.local.mesos.resources.forms import doubled
from statefuldb.local.mesos.resources.multiset import Bag

Json = dict[str, Any]
Answer = tuple[int, Json | str | None]

AGENT_CAPABILITIES = (
    "MULTI_ROLE",
    "HIERARCHICAL_ROLE",
    "RESERVATION_REFINEMENT",
    "RESOURCE_PROVIDER",
    "RESIZE_VOLUME",
    "AGENT_OPERATION_FEEDBACK",
    "AGENT_DRAINING",
    "TASK_RESOURCE_LIMITS",
)


class OperatorApi:
    """Answers operator calls."""

    def __init__(self, master: Master) -> None:
        self._master = master

    def call(self, call: Json, now: float, principal: str | None = None) -> Answer:
        """Return status code and body of one call: JSON, text, or nothing."""
        self._master.cluster.now = now
        kind = call.get("type", "")
        if kind.startswith("GET_"):
            body = self._read(kind)
            return (501, None) if body is None else (200, {"type": kind, kind.lower(): body})
        if kind.lower() not in call:
            return 400, f"Failed to validate master::Call: Expecting '{kind.lower()}' to be present"
        return self._change(kind, call[kind.lower()], principal)

    def _read(self, kind: str) -> Json | None:
        cluster = self._master.cluster
        match kind:
            case "GET_HEALTH":
                return {"healthy": True}
            case "GET_VERSION":
                return {"version_info": {"version": "1.11.0"}}
            case "GET_MASTER":
                return {"master_info": self._master.info()}
            case "GET_AGENTS":
                return self._agents()
            case "GET_FRAMEWORKS":
                found = [self._framework(one) for one in cluster.frameworks.values()]
                return {"frameworks": found} if found else {}
            case "GET_TASKS":
                return self._tasks()
            case "GET_OPERATIONS":
                found = [feedback.described(one) for one in cluster.operations.values()]
                return {"operations": found} if found else {}
            case "GET_MAINTENANCE_SCHEDULE":
                return {"schedule": {"windows": cluster.schedule} if cluster.schedule else {}}
            case "GET_MAINTENANCE_STATUS":
                return {"status": maintenance.status(cluster)}
            case "GET_QUOTA":
                return quota.shown(cluster)
        return None

    def _change(self, kind: str, body: Json, principal: str | None) -> Answer:
        cluster = self._master.cluster
        if kind in operator_operations.CALLS:
            return operator_operations.apply(cluster, kind, body, principal)
        match kind:
            case "MARK_AGENT_GONE":
                agent_id = str(body["agent_id"]["value"])
                if not cluster.acls.allow("mark_agents_gone", "agents", principal, None):
                    return 403, FORBIDDEN
                known = self._master.agents.mark_gone(agent_id)
                return (200, None) if known else (404, f"Agent '{agent_id}' not found")
            case "TEARDOWN":
                framework = cluster.frameworks.get(body["framework_id"]["value"])
                if framework is None:
                    return 400, "No framework found with ID " + body["framework_id"]["value"]
                owner = framework.info.get("principal")
                if not cluster.acls.allow("teardown_frameworks", "framework_principals", principal, owner):
                    return 403, FORBIDDEN
                self._master.remove(framework)
                return 200, None
            case "UPDATE_QUOTA":
                return quota.update(cluster, body.get("quota_configs", []))
            case "REMOVE_QUOTA":
                cluster.quota.pop(body.get("role", ""), None)
                return 200, None
        return self._retire(kind, body)

    def _retire(self, kind: str, body: Json) -> Answer:
        """Carry out the calls that take agents and machines out of service, and back."""
        cluster = self._master.cluster
        agent_id = str(body.get("agent_id", {}).get("value", ""))
        machines = list(body.get("machines", []))
        match kind:
            case "DRAIN_AGENT":
                return draining.drain(cluster, agent_id, body)
            case "DEACTIVATE_AGENT":
                return draining.deactivate(cluster, agent_id)
            case "REACTIVATE_AGENT":
                return draining.reactivate(cluster, agent_id)
            case "UPDATE_MAINTENANCE_SCHEDULE":
                return maintenance.update_schedule(cluster, body.get("schedule", {}))
            case "START_MAINTENANCE":
                status, text, ending = maintenance.start(cluster, machines)
                for agent in ending:
                    self._master.agents.take_down(agent)
                return status, text
            case "STOP_MAINTENANCE":
                return maintenance.stop(cluster, machines)
        return 501, None

    def _agents(self) -> Json:
        known = [one for one in self._master.cluster.agents.values() if not one.unreachable]
        shown: Json = {
            "agents": [self._agent(one) for one in known if not one.recovered and not one.gone],
            "recovered_agents": [self._info(one) for one in known if one.recovered],
        }
        return {name: entries for name, entries in shown.items() if entries}

    def _info(self, agent: Agent) -> Json:
        shown = {name: value for name, value in agent.info.items() if name != "ip"}
        return {**shown, "id": {"value": agent.id}, "checkpoint": True}

    def _agent(self, agent: Agent) -> Json:
        cluster = self._master.cluster
        shown: Json = {
            "agent_info": self._info(agent),
            "active": agent.connected and not agent.deactivated,
            **draining.shown(agent),
            "version": "1.11.0",
            "pid": agent.address,
            "registered_time": nanoseconds(agent.registered_at),
            **_returned(agent),
            "total_resources": _in_both_forms(agent.total),
            "allocated_resources": _of_roles((u.role, u.resources) for u in cluster.users_on(agent.id)),
            "offered_resources": _of_roles((o.role, o.resources) for o in cluster.offers_of(agent.id)),
            "capabilities": [{"type": name} for name in AGENT_CAPABILITIES],
        }
        return {name: value for name, value in shown.items() if value != []}

    def _framework(self, framework: Framework) -> Json:
        cluster, connected = self._master.cluster, framework.stream is not None
        held = [(o, cluster.agents[o.agent_id]) for o in cluster.offers.values() if o.framework_id == framework.id]
        offers = [allocation.shown(o, framework, a, maintenance.unavailability(cluster, a)) for o, a in held]
        return {
            "framework_info": framework.info,
            "active": connected,
            "connected": connected,
            "recovered": False,
            **({"offers": offers} if offers else {}),
        }

    def _tasks(self) -> Json:
        cluster = self._master.cluster
        tasks = list(cluster.tasks.values())
        shown: Json = {
            "tasks": [_task(one) for one in tasks if one.alive],
            "completed_tasks": [_task(one) for one in tasks if not one.alive],
            "unreachable_tasks": [_task(t) for f in cluster.frameworks.values() for t in f.unreachable.values()],
        }
        return {name: entries for name, entries in shown.items() if entries}


def _returned(agent: Agent) -> Json:
    return {} if agent.reregistered_at is None else {"reregistered_time": nanoseconds(agent.reregistered_at)}


def _in_both_forms(bag: Bag, role: str | None = None) -> list[Json]:
    return [doubled(resource) for resource in bag.to_json(role)]


def _of_roles(held: Iterable[tuple[str, Bag]]) -> list[Json]:
    """Return resources with the roles that they are allocated to; what goes to one role is joined."""
    by_role: dict[str, Bag] = {}
    for role, bag in held:
        by_role[role] = by_role.get(role, Bag()) + bag
    return [resource for role, bag in by_role.items() for resource in _in_both_forms(bag, role)]


def _task(task: Task) -> Json:
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
