"""Leaving a master as it was found, and waiting until it is."""

import time
from collections.abc import Callable
from typing import Any

from conformance.mesos.client import PATIENCE_SECONDS, Http, Json


def eventually(condition: Callable[[], Any], about: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Return the first truth of a condition that only asking again can tell. Fails when it stays false."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = condition()
        except OSError:
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {about}"
        time.sleep(0.05)


def settled(master: Http, agents: int) -> None:
    """Wait until a master has its agents."""

    def complete() -> bool:
        answer = master.ask("GET_AGENTS")
        found = answer.body.get("get_agents", {}).get("agents", []) if answer.status == 200 else []
        return sum(bool(agent.get("active")) for agent in found) == agents

    eventually(complete, f"{agents} agents", 60)


def tidy(master: Http, frameworks: list[Json]) -> None:
    """End frameworks, then destroy and unreserve what they have left on the agents."""
    for framework in frameworks:
        master.ask("TEARDOWN", framework_id=framework)
    eventually(lambda: all([_emptied(master, agent) for agent in _agents(master)]), "agents as they were")


def _agents(master: Http) -> list[Json]:
    agents: list[Json] = master.get("GET_AGENTS").get("agents", [])
    return agents


def _emptied(master: Http, agent: Json) -> bool:
    """Take away one layer of what is reserved on an agent; say whether nothing was left, and no task runs."""
    agent_id = agent["agent_info"]["id"]
    if any("scalar" in resource for resource in agent.get("allocated_resources", [])):
        return False
    held = [resource for resource in agent["total_resources"] if _dynamic(resource)]
    for resource in held:
        plain = {k: v for k, v in resource.items() if k not in ("role", "reservation", "allocation_info")}
        if "persistence" in resource.get("disk", {}):
            master.ask("DESTROY_VOLUMES", agent_id=agent_id, volumes=[plain])
        else:
            master.ask("UNRESERVE_RESOURCES", agent_id=agent_id, resources=[plain])
    return not held


def _dynamic(resource: Json) -> bool:
    stack = resource.get("reservations", [])
    return bool(stack) and stack[-1]["type"] == "DYNAMIC"
