"""Reserving, creating and the like by the operator API: on what no task uses, offers in the way are withdrawn.

202 says that the master has accepted it, 409 that what is free does not suffice.
"""

from typing import Any

from statefuldb.local.mesos.master import feedback
from statefuldb.local.mesos.master.allocation import withdraw
from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.records import Agent
from statefuldb.local.mesos.resources import operations
from statefuldb.local.mesos.resources.forms import everywhere, upgraded
from statefuldb.local.mesos.resources.multiset import Bag, InvalidResource
from statefuldb.local.mesos.resources.operations import Asker, Ground

Json = dict[str, Any]

FORBIDDEN = "403 Forbidden."
CALLS = {
    "RESERVE_RESOURCES": "RESERVE",
    "UNRESERVE_RESOURCES": "UNRESERVE",
    "CREATE_VOLUMES": "CREATE",
    "DESTROY_VOLUMES": "DESTROY",
    "GROW_VOLUME": "GROW_VOLUME",
    "SHRINK_VOLUME": "SHRINK_VOLUME",
}


def apply(cluster: Cluster, kind: str, body: Json, principal: str | None) -> tuple[int, str]:
    """Carry out one call; return status and text of the answer."""
    agent = cluster.agents.get(body.get("agent_id", {}).get("value", ""))
    if agent is None or agent.unreachable or agent.gone or agent.recovered:
        return 400, "No agent found with specified ID"
    name = CALLS[kind]
    content = {k: v for k, v in body.items() if k != "agent_id"}
    operation = everywhere({"type": name, name.lower(): content}, upgraded)
    reason = operations.malformed(operation)
    if reason is not None:
        return 400, reason
    ground = Ground(agent.total, [user.resources for user in cluster.users_on(agent.id)])
    try:
        operations.check(operation, Asker(principal, None), ground)
    except InvalidResource as error:
        where = "" if name == "DESTROY" else f" on agent {agent}"
        return 400, f"Invalid {name} operation{where}: {error}"
    if cluster.acls.denied_operation(operation, principal) is not None:
        return 403, FORBIDDEN
    before, after = operations.conversion(operation)
    _make_free(cluster, agent, before)
    free = cluster.free(agent)
    if not free.contains(before):
        return 409, f"{free.text()} does not contain {before.text()}"
    feedback.order(cluster, agent, "", operation, before, after)
    return 202, ""


def _make_free(cluster: Cluster, agent: Agent, wanted: Bag) -> None:
    """Withdraw as many offers as it takes, and none that would not help."""
    for offer in list(cluster.offers.values()):
        free = cluster.free(agent)
        missing = wanted - free
        if (
            offer.agent_id == agent.id
            and not free.contains(wanted)
            and missing.text() != (missing - offer.resources).text()
        ):
            withdraw(cluster, offer)
