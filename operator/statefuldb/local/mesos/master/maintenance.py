"""Maintenance: a schedule of windows, offers that say when their agent goes, inverse offers that ask for it back.

Mesos docs, maintenance; texts as a real 1.11.0 gives them.
"""

import json
from typing import Any

from statefuldb.local.mesos.master.allocation import DEFAULT_REFUSE_SECONDS, rescind
from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.records import Agent, Framework, InverseOffer

Json = dict[str, Any]
Answer = tuple[int, str | None]


def machine_of(agent: Agent) -> Json:
    """Return the id of the machine that an agent runs on."""
    return {"hostname": agent.info["hostname"], "ip": agent.info["ip"]}


def unavailability(cluster: Cluster, agent: Agent) -> Json | None:
    """Return when an agent's machine goes, or None."""
    for window in cluster.schedule:
        if machine_of(agent) in window.get("machine_ids", []):
            found: Json = window["unavailability"]
            return found
    return None


def update_schedule(cluster: Cluster, schedule: Json) -> Answer:
    """Replace the schedule: what was offered of machines that are concerned is withdrawn and asked for anew."""
    windows = schedule.get("windows", [])
    seen: list[Json] = []
    for window in windows:
        if not window.get("machine_ids"):
            return 400, "List of machines in the maintenance window is empty"
        for machine in window["machine_ids"]:
            if machine in seen:
                return 400, f"Machine '{_text(machine)}' appears more than once in the schedule"
            seen.append(machine)
    for machine in cluster.down:
        if machine not in seen:
            return 400, f"Machine '{_text(machine)}' is deactivated and cannot be removed from the schedule"
    before = {agent.id: unavailability(cluster, agent) for agent in cluster.agents.values()}
    cluster.schedule = windows
    for agent in cluster.agents.values():
        if before[agent.id] != unavailability(cluster, agent):
            rescind(cluster, agent_id=agent.id)
            withdraw_inverse(cluster, agent.id)
    return 200, None


def start(cluster: Cluster, machines: list[Json]) -> tuple[int, str | None, list[Agent]]:
    """Take machines down; return the agents that must end."""
    for machine in machines:
        if machine not in _scheduled(cluster):
            return 400, f"Machine '{_text(machine)}' is not part of a maintenance schedule", []
        if machine in cluster.down:
            return 400, f"Machine '{_text(machine)}' is not in DRAINING mode and cannot be brought down", []
    cluster.down = [*cluster.down, *machines]
    return 200, None, [agent for agent in cluster.agents.values() if machine_of(agent) in machines]


def stop(cluster: Cluster, machines: list[Json]) -> Answer:
    """Bring machines up again; they leave the schedule."""
    for machine in machines:
        if machine not in _scheduled(cluster):
            return 400, f"Machine '{_text(machine)}' is not part of a maintenance schedule"
        if machine not in cluster.down:
            return 400, f"Machine '{_text(machine)}' is not in DOWN mode and cannot be brought up"
    cluster.down = [machine for machine in cluster.down if machine not in machines]
    for window in cluster.schedule:
        window["machine_ids"] = [one for one in window["machine_ids"] if one not in machines]
    cluster.schedule = [window for window in cluster.schedule if window["machine_ids"]]
    return 200, None


def status(cluster: Cluster) -> Json:
    """Return GET_MAINTENANCE_STATUS: each machine with the latest answers to inverse offers."""
    draining = []
    for machine in _scheduled(cluster):
        if machine in cluster.down:
            continue
        replies = [reply for key, reply in cluster.replies.items() if key[0] == _text(machine)]
        draining.append({"id": machine, **({"statuses": replies} if replies else {})})
    shown = {"draining_machines": draining, "down_machines": cluster.down}
    return {name: value for name, value in shown.items() if value}


def ask_back(cluster: Cluster, now: float) -> None:
    """Send inverse offers to frameworks that hold something of an agent that goes."""
    if not cluster.schedule:
        return
    for agent in cluster.agents.values():
        window = unavailability(cluster, agent)
        if window is None or not agent.connected:
            continue
        held = {task.framework_id for task in cluster.tasks_on(agent.id)}
        held |= {offer.framework_id for offer in cluster.offers_of(agent.id)}
        for framework_id in sorted(held):
            asked = any(
                one.framework_id == framework_id and one.agent_id == agent.id for one in cluster.inverse_offers.values()
            )
            if not asked and cluster.inverse_filters.get((framework_id, agent.id), 0.0) <= now:
                _send(cluster, framework_id, agent, window)


def answer(cluster: Cluster, framework: Framework, kind: str, body: Json, now: float) -> None:
    """Take ACCEPT_INVERSE_OFFERS or DECLINE_INVERSE_OFFERS; what is not known any more is passed over."""
    seconds = float(body.get("filters", {}).get("refuse_seconds", DEFAULT_REFUSE_SECONDS))
    for entry in body.get("inverse_offer_ids", []):
        one = cluster.inverse_offers.get(entry["value"])
        if one is None or one.framework_id != framework.id:
            continue
        del cluster.inverse_offers[one.id]
        cluster.inverse_filters[framework.id, one.agent_id] = now + max(0.0, seconds)
        machine = _text(machine_of(cluster.agents[one.agent_id]))
        cluster.replies[machine, framework.id] = {
            "status": kind.partition("_")[0],
            "framework_id": {"value": framework.id},
            "timestamp": {"nanoseconds": int(now * 1e9)},
        }


def ask_no_more(cluster: Cluster, framework_id: str) -> None:
    """Drop the questions to a framework that is no longer there, silently: if it comes again it is asked again."""
    cluster.inverse_offers = {k: one for k, one in cluster.inverse_offers.items() if one.framework_id != framework_id}
    cluster.inverse_filters = {key: until for key, until in cluster.inverse_filters.items() if key[0] != framework_id}


def _send(cluster: Cluster, framework_id: str, agent: Agent, window: Json) -> None:
    one = InverseOffer(f"{cluster.master_id}-O{cluster.next_serial()}", framework_id, agent.id)
    cluster.inverse_offers[one.id] = one
    inverse = {
        "id": {"value": one.id},
        "url": agent.url,
        "framework_id": {"value": framework_id},
        "agent_id": {"value": agent.id},
        "unavailability": window,
    }
    cluster.tell(framework_id, {"type": "INVERSE_OFFERS", "inverse_offers": {"inverse_offers": [inverse]}})


def is_down(cluster: Cluster, info: Json) -> bool:
    """Say whether the machine of an agent, as it describes itself, is down."""
    return {"hostname": info["hostname"], "ip": info["ip"]} in cluster.down


def withdraw_inverse(cluster: Cluster, agent_id: str) -> None:
    """Take back the questions about an agent, and forget how they were answered."""
    for one in [one for one in cluster.inverse_offers.values() if one.agent_id == agent_id]:
        gone = {"inverse_offer_id": {"value": one.id}}
        cluster.tell(one.framework_id, {"type": "RESCIND_INVERSE_OFFER", "rescind_inverse_offer": gone})
        del cluster.inverse_offers[one.id]
    cluster.inverse_filters = {key: until for key, until in cluster.inverse_filters.items() if key[1] != agent_id}
    machine = _text(machine_of(cluster.agents[agent_id]))
    cluster.replies = {key: reply for key, reply in cluster.replies.items() if key[0] != machine}


def _scheduled(cluster: Cluster) -> list[Json]:
    return [machine for window in cluster.schedule for machine in window.get("machine_ids", [])]


def _text(machine: Json) -> str:
    return json.dumps(machine, separators=(",", ":"), sort_keys=True)
