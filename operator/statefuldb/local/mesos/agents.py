"""The master's side of its agents: registering, silence, updates, return."""

from typing import Any

from statefuldb.local.mesos.allocation import rescind
from statefuldb.local.mesos.cluster import TERMINAL, Agent, CloseAgent, Cluster, Framework, Task, task_status
from statefuldb.local.mesos.resources import Bag

Json = dict[str, Any]


class Agents:
    """What a master does about agents. `unreachable_seconds` is ping time-out by count (15 s x 5 by default)."""

    def __init__(self, cluster: Cluster, unreachable_seconds: float) -> None:
        self._cluster = cluster
        self._unreachable_seconds = unreachable_seconds

    def recover(self, agents: list[Json], now: float) -> None:
        """Take up the agents in the registry after a restart: known, not yet heard of."""
        for entry in agents:
            self._cluster.agents[entry["id"]] = Agent(
                id=entry["id"],
                info=entry["info"],
                total=Bag(),
                connected=False,
                gone=entry.get("gone", False),
                last_seen=now,
                disconnected_at=now,
            )

    def register(self, message: Json, now: float) -> str:
        """Admit an agent, new or returned, with what it holds and runs; return its id."""
        cluster = self._cluster
        agent_id = message.get("id") or f"{cluster.master_id}-S{cluster.next_serial()}"
        known = cluster.agents.get(agent_id)
        was_unreachable = known is not None and known.unreachable
        cluster.agents[agent_id] = Agent(
            id=agent_id, info=message["info"], total=Bag.of(message["total"]), last_seen=now
        )
        for framework in message.get("frameworks", []):
            framework_id = framework["id"]["value"]
            if framework_id not in cluster.frameworks and framework_id not in cluster.removed:
                recovered = Framework(framework_id, framework, disconnected_at=now)
                cluster.frameworks[framework_id] = recovered
        running = {(t["framework_id"], t["task"]["task_id"]["value"]) for t in message.get("tasks", [])}
        for entry in message.get("tasks", []):
            self._take_up(agent_id, entry, was_unreachable)
        for (owner, task_id), task in list(cluster.tasks.items()):
            if task.agent_id == agent_id and (owner, task_id) not in running:
                self._lost_on_agent(task)
        return agent_id

    def _take_up(self, agent_id: str, entry: Json, was_unreachable: bool) -> None:
        framework_id, info = entry["framework_id"], entry["task"]
        task_id = info["task_id"]["value"]
        if framework_id in self._cluster.removed:
            order = {"type": "SHUTDOWN", "task_id": task_id, "framework_id": framework_id}
            self._cluster.order(agent_id, order)
            return
        status = {"task_id": {"value": task_id}, "state": entry["state"]}
        resources = Bag.of(info["resources"])
        role = info["resources"][0].get("allocation_info", {}).get("role", "*")
        self._cluster.tasks[framework_id, task_id] = Task(
            task_id, framework_id, agent_id, info, resources, role, status
        )
        if was_unreachable:
            event = task_status(
                task_id,
                entry["state"],
                reason="REASON_AGENT_REREGISTERED",
                message="Unreachable agent re-reregistered",
                agent_id=agent_id,
            )
            self._cluster.tell(framework_id, event)

    def _lost_on_agent(self, task: Task) -> None:
        """A task that the agent never got or has forgotten (the launch was dropped on the way)."""
        event = task_status(
            task.id,
            "TASK_GONE" if task.state != "TASK_STAGING" else "TASK_DROPPED",
            reason="REASON_SLAVE_DISCONNECTED",
            message="Task is unknown to the agent",
            agent_id=task.agent_id,
        )
        self._cluster.tell(task.framework_id, event)
        del self._cluster.tasks[task.framework_id, task.id]

    def seen(self, agent_id: str, now: float) -> None:
        """Note a sign of life."""
        agent = self._cluster.agents.get(agent_id)
        if agent is not None:
            agent.last_seen = now

    def disconnect(self, agent_id: str, now: float) -> None:
        """Note that an agent's stream has closed: its offers are withdrawn, its tasks are waited for."""
        agent = self._cluster.agents.get(agent_id)
        if agent is not None and agent.connected:
            agent.connected = False
            agent.disconnected_at = now
            agent.last_seen = now
            rescind(self._cluster, agent_id=agent_id)

    def update(self, agent_id: str, framework_id: str, status: Json) -> None:
        """Pass a task's status on to its framework."""
        task = self._cluster.tasks.get((framework_id, status["task_id"]["value"]))
        if task is not None and task.state not in TERMINAL:
            task.status = status
        self._cluster.tell(framework_id, {"type": "UPDATE", "update": {"status": status}})

    def operation_update(self, framework_id: str, status: Json) -> None:
        """Pass an operation's status on to its framework."""
        event = {"type": "UPDATE_OPERATION_STATUS", "update_operation_status": {"status": status}}
        self._cluster.tell(framework_id, event)

    def expire(self, now: float) -> None:
        """Declare agents unreachable that have been silent for too long."""
        for agent in self._cluster.agents.values():
            silent = now - agent.last_seen >= self._unreachable_seconds
            if silent and not agent.unreachable and not agent.gone:
                self._unreachable(agent)

    def mark_gone(self, agent_id: str) -> None:
        """Carry out MARK_AGENT_GONE: a person's word that the agent will never return."""
        agent = self._cluster.agents.get(agent_id)
        if agent is None:
            return
        agent.gone = True
        self._end_tasks(agent, "TASK_GONE_BY_OPERATOR", "REASON_SLAVE_REMOVED_BY_OPERATOR")
        rescind(self._cluster, agent_id=agent_id)
        self._failure(agent)

    def state_of_unknown(self, agent_id: str | None) -> str | None:
        """Return what is answered for a task nobody knows, or None for silence (reference table 1.8)."""
        agents = self._cluster.agents
        if agent_id is None:
            recovering = any(not a.connected and not a.unreachable for a in agents.values())
            return None if recovering else "TASK_UNKNOWN"
        agent = agents.get(agent_id)
        if agent is None:
            return "TASK_UNKNOWN"
        if agent.gone:
            return "TASK_GONE_BY_OPERATOR"
        if agent.unreachable:
            return "TASK_UNREACHABLE"
        return "TASK_GONE" if agent.connected else None

    def _unreachable(self, agent: Agent) -> None:
        agent.unreachable = True
        agent.connected = False
        self._cluster.outbox.append(CloseAgent(agent.id))
        self._end_tasks(agent, "TASK_UNREACHABLE", "REASON_SLAVE_REMOVED")
        rescind(self._cluster, agent_id=agent.id)
        self._failure(agent)

    def _end_tasks(self, agent: Agent, state: str, reason: str) -> None:
        for (owner, task_id), task in list(self._cluster.tasks.items()):
            if task.agent_id == agent.id and task.state not in TERMINAL:
                event = task_status(
                    task_id,
                    state,
                    reason=reason,
                    message=f"Agent {agent.info['hostname']} is out of reach",
                    agent_id=agent.id,
                )
                self._cluster.tell(owner, event)
                del self._cluster.tasks[owner, task_id]

    def _failure(self, agent: Agent) -> None:
        for framework_id in self._cluster.frameworks:
            event = {"type": "FAILURE", "failure": {"agent_id": {"value": agent.id}}}
            self._cluster.tell(framework_id, event)
