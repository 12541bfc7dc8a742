"""The master's side of its agents: registering, silence, updates, return, and the word that one is gone."""

from typing import Any

from statefuldb.local.mesos.master import feedback, groups, maintenance
from statefuldb.local.mesos.master.allocation import rescind
from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.effects import CloseAgent
from statefuldb.local.mesos.master.records import Agent, Framework, Operation, Task
from statefuldb.local.mesos.resources.multiset import Bag

Json = dict[str, Any]


class GoneByOperator(Exception):
    """An agent of which a person has said that it is gone, or its machine down: it must end itself."""


class Agents:
    """What a master does about agents.

    `unreachable_seconds` is ping time-out by count (15 s x 5 by default); `reregister_seconds` is how long a master
    that has been started again waits for agents that it knows of (`--agent_reregister_timeout`, ten minutes).
    """

    def __init__(self, cluster: Cluster, unreachable_seconds: float, reregister_seconds: float) -> None:
        self._cluster = cluster
        self._unreachable_seconds = unreachable_seconds
        self._reregister_seconds = reregister_seconds
        self._at: dict[tuple[str, int], dict[str, Agent]] = {}

    def recover(self, agents: list[Json], now: float) -> None:
        """Take up the agents in the registry after a restart: known, not yet heard of."""
        for entry in agents:
            agent = Agent(
                id=entry["id"],
                info=entry["info"],
                total=Bag(),
                connected=False,
                gone=entry.get("gone", False),
                last_seen=now,
                disconnected_at=now,
                recovered=not entry.get("gone", False),
                deactivated=entry.get("deactivated", False),
                drain_info=entry.get("drain_info"),
                drain_started_at=entry.get("drain_started_at"),
            )
            self._note(agent)

    def register(self, message: Json, now: float) -> str:
        """Admit an agent, new or returned, with what it holds and runs; return its id. Raises GoneByOperator."""
        cluster = self._cluster
        cluster.now = now
        if message.get("id") is None:
            self._succeed(message["info"])
        agent_id = message.get("id") or f"{cluster.master_id}-S{cluster.next_serial()}"
        known = cluster.agents.get(agent_id)
        if (known is not None and known.gone) or maintenance.is_down(cluster, message["info"]):
            raise GoneByOperator(agent_id)
        was_unreachable = known is not None and known.unreachable
        agent = Agent(id=agent_id, info=message["info"], total=Bag.of(message["total"]), last_seen=now)
        agent.registered_at = known.registered_at if known is not None and not known.recovered else now
        agent.reregistered_at = now if message.get("id") is not None else None
        if known is not None:
            agent.deactivated, agent.drain_info = known.deactivated, known.drain_info
            agent.drain_started_at = known.drain_started_at
        self._note(agent)
        for framework in message.get("frameworks", []):
            framework_id = framework["id"]["value"]
            if framework_id not in cluster.frameworks and framework_id not in cluster.removed:
                recovered = Framework(framework_id, framework, disconnected_at=now)
                cluster.frameworks[framework_id] = recovered
        running = {(t["framework_id"], t["task"]["task_id"]["value"]) for t in message.get("tasks", [])}
        for framework in cluster.frameworks.values():
            # In reach again, or never arrived there (Mesos' PartitionTest.ReregisterPartitionedAgentWithEnrouteTask).
            framework.unreachable = {i: task for i, task in framework.unreachable.items() if task.agent_id != agent_id}
        for entry in message.get("tasks", []):
            self._take_up(agent_id, entry, was_unreachable)
        for task in cluster.tasks_on(agent_id):
            if (task.framework_id, task.id) not in running:
                # It never got the launch, or has forgotten it: it says so itself, until that is acknowledged.
                framework = cluster.frameworks[task.framework_id].info
                cluster.order(agent_id, {"type": "UNKNOWN_TASK", "framework": framework, "task_id": task.id})
        groups.drop(cluster, agent_id=agent_id)
        for entry in message.get("executors", []):
            if entry["framework_id"] in cluster.frameworks:
                groups.take_up(cluster, agent_id, entry["framework_id"], entry["executor"])
        self._reconcile_operations(agent_id, message.get("operations", []))
        return agent_id

    def _note(self, agent: Agent) -> None:
        """Take an agent into the books, which know agents by their address too."""
        before = self._cluster.agents.get(agent.id)
        if before is not None:
            del self._at[before.info["ip"], before.info["port"]][agent.id]
        self._cluster.agents[agent.id] = agent
        self._at.setdefault((agent.info["ip"], agent.info["port"]), {})[agent.id] = agent

    def _succeed(self, info: Json) -> None:
        """Remove the agent that was at a new one's address, if it is away: it will not come back."""
        for agent in list(self._at.get((info["ip"], info["port"]), {}).values()):
            if not (agent.connected or agent.unreachable or agent.gone or agent.recovered):
                why = f"Agent {agent.info['hostname']} removed: a new agent registered at the same address"
                self._remove(agent, why)

    def _remove(self, agent: Agent, why: str) -> None:
        """Forget an agent: its tasks are lost, its operations are not known any more."""
        for task in self._end_tasks(agent):
            reason = {"reason": "REASON_AGENT_REMOVED", "message": why}
            self._cluster.tell_task(task.framework_id, task.id, "TASK_LOST", agent.id, **reason)
        for operation in self._cluster.operations.on(agent.id):
            del self._cluster.operations[operation.uuid]
        rescind(self._cluster, agent_id=agent.id)
        del self._cluster.agents[agent.id]
        del self._at[agent.info["ip"], agent.info["port"]][agent.id]
        self._failure(agent)

    def _take_up(self, agent_id: str, entry: Json, was_unreachable: bool) -> None:
        framework_id, info = entry["framework_id"], entry["task"]
        task_id = info["task_id"]["value"]
        framework = self._cluster.frameworks.get(framework_id)
        if framework is None:
            order = {"type": "SHUTDOWN", "task_id": task_id, "framework_id": framework_id}
            self._cluster.order(agent_id, order)
            return
        status = {"task_id": {"value": task_id}, **entry["status"]}
        resources = Bag.of(info["resources"])
        role = info["resources"][0].get("allocation_info", {}).get("role", "*")
        task = Task(task_id, framework_id, agent_id, info, resources, role, status)
        self._cluster.tasks[framework_id, task_id] = task
        if was_unreachable:
            self._cluster.tell_task(
                framework_id,
                task_id,
                task.state,
                agent_id,
                reason="REASON_AGENT_REREGISTERED",
                message="Unreachable agent re-reregistered",
                **task.container,
            )

    def _reconcile_operations(self, agent_id: str, reported: list[Json]) -> None:
        """Take over what the agent has not been thanked for; what it never got is dropped."""
        cluster = self._cluster
        known = {entry["uuid"] for entry in reported}
        for one in cluster.operations.on(agent_id):
            if one.uuid not in known:
                order = {"type": "UNKNOWN_OPERATION", "uuid": one.uuid, "framework_id": one.framework_id}
                cluster.order(agent_id, {**order, "operation": one.info})
        for entry in reported:
            if entry["uuid"] not in cluster.operations and entry["framework_id"] not in cluster.removed:
                one = Operation(entry["uuid"], entry["framework_id"], agent_id, entry["operation"], entry["status"])
                one.statuses = [one.status]
                cluster.operations[one.uuid] = one

    def seen(self, agent_id: str, now: float) -> None:
        """Note a sign of life."""
        agent = self._cluster.agents.get(agent_id)
        if agent is not None:
            agent.last_seen = now

    def disconnect(self, agent_id: str, now: float) -> None:
        """Note that an agent's stream has closed: its offers are withdrawn; tasks are waited for if checkpointed."""
        agent = self._cluster.agents.get(agent_id)
        if agent is None or not agent.connected:
            return
        self._cluster.now = now
        agent.connected = False
        agent.disconnected_at = now
        agent.last_seen = now
        for task in self._cluster.tasks_on(agent_id):
            if not self._cluster.frameworks[task.framework_id].info.get("checkpoint", False):
                self._cluster.tell_task(
                    task.framework_id,
                    task.id,
                    "TASK_LOST",
                    agent_id,
                    reason="REASON_AGENT_DISCONNECTED",
                    message=f"Agent {agent.info['hostname']} disconnected",
                )
                del self._cluster.tasks[task.framework_id, task.id]
        rescind(self._cluster, agent_id=agent_id)

    def update(self, agent_id: str, framework_id: str, status: Json) -> None:
        """Pass a task's status on to its framework, unless the agent was removed: of its tasks all was said then."""
        if not self._is_known(agent_id):
            return
        task = self._cluster.tasks.get((framework_id, status["task_id"]["value"]))
        if task is not None and task.alive:
            task.status = status
            self._cluster.tasks.touch(agent_id)
        self._cluster.tell(framework_id, {"type": "UPDATE", "update": {"status": status}})

    def operation_update(self, agent_id: str, message: Json) -> None:
        """Pass an operation's status on to its framework."""
        feedback.updated(self._cluster, agent_id, message)

    def executor_ended(self, agent_id: str, message: Json) -> None:
        """Tell a framework that an executor of its has ended, unless the agent was removed."""
        if not self._is_known(agent_id):
            return
        self._cluster.executors.pop((message["framework_id"], agent_id, message["executor_id"]), None)
        failure = {
            "agent_id": {"value": agent_id},
            "executor_id": {"value": message["executor_id"]},
            "status": message["status"],
        }
        self._cluster.tell(message["framework_id"], {"type": "FAILURE", "failure": failure})

    def expire(self, now: float) -> None:
        """Declare agents unreachable that have been silent for too long."""
        for agent in self._cluster.agents.values():
            patience = self._reregister_seconds if agent.recovered else self._unreachable_seconds
            silent = now - agent.last_seen >= patience
            if silent and not agent.unreachable and not agent.gone:
                self._unreachable(agent, now)

    def mark_gone(self, agent_id: str) -> bool:
        """Carry out MARK_AGENT_GONE: a person's word that the agent will never return. Say whether it was known."""
        agent = self._cluster.agents.get(agent_id)
        if agent is None or agent.gone:
            return agent is not None
        agent.gone, agent.connected = True, False
        if agent.recovered:
            # Nothing is told of what it ran, nor answered while this master leads (master.cpp, markGone).
            return True
        agent.total = Bag()
        feedback.gone(self._cluster, agent)
        for framework in self._cluster.frameworks.values():
            framework.withheld = [(i, bag) for i, bag in framework.withheld if i != agent_id]
        for task in self._end_tasks(agent):
            framework = self._cluster.frameworks[task.framework_id]
            why = {"reason": "REASON_AGENT_REMOVED_BY_OPERATOR", "message": "Agent has been marked gone"}
            if not framework.can("PARTITION_AWARE"):
                # To such a framework it is as if the agent were unreachable (master.cpp, __removeSlave).
                framework.unreachable[task.id] = task
                why["reason"] = "REASON_AGENT_REMOVED"
            state = framework.state("TASK_GONE_BY_OPERATOR")
            self._cluster.tell_task(framework.id, task.id, state, agent_id, **why)
        rescind(self._cluster, agent_id=agent_id)
        self._failure(agent)
        self._cluster.outbox.append(CloseAgent(agent_id))
        return True

    def take_down(self, agent: Agent) -> None:
        """Remove an agent whose machine goes down for maintenance: it must end itself.

        Its tasks are called lost, even to frameworks that could be told more.
        """
        maintenance.withdraw_inverse(self._cluster, agent.id)
        self._cluster.order(agent.id, {"type": "GONE"})
        self._remove(agent, f"Agent {agent.info['hostname']} removed: Operator initiated 'Machine DOWN'")

    def _is_known(self, agent_id: str) -> bool:
        agent = self._cluster.agents.get(agent_id)
        return agent is not None and not agent.gone

    def _unreachable(self, agent: Agent, now: float) -> None:
        agent.unreachable, agent.connected, agent.recovered = True, False, False
        agent.unreachable_at = now
        self._cluster.outbox.append(CloseAgent(agent.id))
        for task in self._end_tasks(agent):
            framework = self._cluster.frameworks[task.framework_id]
            framework.unreachable[task.id] = task
            self._cluster.tell_task(
                task.framework_id,
                task.id,
                framework.state("TASK_UNREACHABLE"),
                agent.id,
                reason="REASON_AGENT_REMOVED",
                message="health check timed out",
                unreachable_time=nanoseconds(now),
            )
        rescind(self._cluster, agent_id=agent.id)
        self._failure(agent)

    def _end_tasks(self, agent: Agent) -> list[Task]:
        """Take the living tasks of an agent, and its executors, out of the books; return the tasks."""
        groups.drop(self._cluster, agent_id=agent.id)
        ended = self._cluster.tasks_on(agent.id)
        for task in ended:
            del self._cluster.tasks[task.framework_id, task.id]
        return ended

    def _failure(self, agent: Agent) -> None:
        for framework_id in self._cluster.frameworks:
            event = {"type": "FAILURE", "failure": {"agent_id": {"value": agent.id}}}
            self._cluster.tell(framework_id, event)


def nanoseconds(seconds: float) -> Json:
    """Return a time as Mesos writes it."""
    return {"nanoseconds": int(seconds * 1e9)}
