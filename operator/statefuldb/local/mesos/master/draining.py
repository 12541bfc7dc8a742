"""Draining, deactivating and reactivating agents, by a person's call (Mesos docs, maintenance)."""

from typing import Any

from statefuldb.local.mesos.master import maintenance
from statefuldb.local.mesos.master.agents import Agents, nanoseconds
from statefuldb.local.mesos.master.allocation import rescind
from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.records import Agent

Json = dict[str, Any]
Answer = tuple[int, str | None]


def drain(cluster: Cluster, agent_id: str, config: Json) -> Answer:
    """Stop offering an agent and have it end its tasks, each within its own grace or the one given."""
    agent = cluster.agents.get(agent_id)
    if agent is None or agent.gone:
        return 400, "Unknown agent"
    machine = maintenance.machine_of(agent)
    if maintenance.unavailability(cluster, agent) is not None:
        where = f"{machine['hostname']} ({machine['ip']})"
        return 400, f"Agent {agent_id} is part of a maintenance schedule under Machine {where}"
    grace = config.get("max_grace_period")
    agent.drain_info = {"state": "DRAINING", "config": {"mark_gone": bool(config.get("mark_gone", False))}}
    if grace is not None:
        seconds = float(grace.get("seconds", 0)) + float(grace.get("nanoseconds", 0)) / 1e9
        agent.drain_info["config"]["max_grace_period"] = nanoseconds(seconds)
    agent.drain_started_at = cluster.now
    deactivate(cluster, agent_id)
    order(cluster, agent)
    return 200, None


def deactivate(cluster: Cluster, agent_id: str) -> Answer:
    """Stop offering an agent."""
    agent = cluster.agents.get(agent_id)
    if agent is None or agent.gone:
        return 400, "Unknown agent"
    agent.deactivated = True
    rescind(cluster, agent_id=agent_id)
    return 200, None


def reactivate(cluster: Cluster, agent_id: str) -> Answer:
    """Offer an agent again, once it is drained."""
    agent = cluster.agents.get(agent_id)
    if agent is None or not agent.deactivated:
        return 400, "Agent is not deactivated"
    if agent.drain_info is not None and agent.drain_info["state"] == "DRAINING":
        return 400, "Agent is still in the DRAINING state"
    agent.deactivated, agent.drain_info, agent.drain_started_at = False, None, None
    return 200, None


def order(cluster: Cluster, agent: Agent) -> None:
    """Tell a draining agent so; again, when it comes back."""
    if agent.drain_info is not None and agent.drain_info["state"] == "DRAINING":
        cluster.order(agent.id, {"type": "DRAIN", "config": agent.drain_info["config"]})


def progress(cluster: Cluster, agents: Agents) -> None:
    """Note which agents have nothing left of what they had to end; those to be gone then are gone."""
    for agent in list(cluster.agents.values()):
        if agent.drain_info is None or agent.drain_info["state"] != "DRAINING" or not agent.connected:
            continue
        busy = any(task.agent_id == agent.id for task in cluster.tasks.values())
        if not busy and not any(one.agent_id == agent.id for one in cluster.operations.values()):
            agent.drain_info = {**agent.drain_info, "state": "DRAINED"}
            if agent.drain_info["config"]["mark_gone"]:
                agents.mark_gone(agent.id)


def shown(agent: Agent) -> Json:
    """Return what GET_AGENTS shows of it."""
    if agent.drain_info is None:
        return {"deactivated": agent.deactivated}
    started = nanoseconds(agent.drain_started_at or 0.0)
    return {"deactivated": True, "drain_info": agent.drain_info, "estimated_drain_start_time": started}
