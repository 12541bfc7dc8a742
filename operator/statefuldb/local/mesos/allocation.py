"""Offering: who is offered what, which offers are withdrawn, and what has been refused for how long."""

from collections.abc import Callable
from typing import Any

from statefuldb.local.mesos.cluster import Agent, Cluster, Filter, Framework, Offer
from statefuldb.local.mesos.resources import Bag

Json = dict[str, Any]
DEFAULT_REFUSE_SECONDS = 5.0
LONGEST_REFUSE_SECONDS = 31_536_000.0


def allocate(
    cluster: Cluster,
    now: float,
    *,
    within: Callable[[Cluster, str, Bag], Bag] = lambda cluster, role, wanted: wanted,
    unavailability: Callable[[Cluster, Agent], Json | None] = lambda cluster, agent: None,
) -> None:
    """Offer whatever is free to the frameworks that want it (one agent and one role an offer).

    `within` cuts unreserved resources down to a role's quota; `unavailability` tells when an agent goes.
    """
    frameworks = sorted(cluster.frameworks.values(), key=lambda f: f.id)
    refused = {framework.id: _refused(framework, now) for framework in frameworks}
    for agent in sorted(cluster.agents.values(), key=lambda a: a.id):
        if not agent.connected or agent.unreachable or agent.gone or agent.deactivated:
            continue
        asking = [(framework, role) for framework in frameworks for role in _asking(cluster, framework, agent)]
        if not asking:
            continue
        free = cluster.free(agent)
        for framework, role in asking:
            mine = free.for_role(role)
            unreserved = mine.reserved(None)
            offered = mine - unreserved + within(cluster, role, unreserved)
            if not framework.can("SHARED_RESOURCES"):
                offered = offered.exclusive()
            # What is shared stays free while it is used; by itself it is nothing to offer.
            bags = refused[framework.id].get((agent.id, role), ())
            if offered.exclusive() and not any(bag.contains(offered) for bag in bags):
                _offer(cluster, framework, agent, role, offered, unavailability(cluster, agent))
                free = free - offered.exclusive()


def _asking(cluster: Cluster, framework: Framework, agent: Agent) -> list[str]:
    """Return the roles in which a framework is to be offered what an agent has."""
    remote = "domain" in agent.info and _region(agent.info["domain"]) != _region(cluster.domain)
    if framework.stream is None or (remote and not framework.can("REGION_AWARE")):
        return []
    return [role for role in framework.roles if role not in framework.suppressed]


def _region(domain: Json | None) -> str | None:
    return None if domain is None else str(domain["fault_domain"]["region"]["name"])


def _refused(framework: Framework, now: float) -> dict[tuple[str, str], list[Bag]]:
    """Return what a framework still does not want, by agent and role; what it did not want for a while is forgotten."""
    framework.filters = [f for f in framework.filters if f.until > now]
    found: dict[tuple[str, str], list[Bag]] = {}
    for each in framework.filters:
        found.setdefault((each.agent_id, each.role), []).append(each.refused)
    return found


def _offer(
    cluster: Cluster, framework: Framework, agent: Agent, role: str, free: Bag, unavailability: Json | None
) -> None:
    offer_id = f"{cluster.master_id}-O{cluster.next_serial()}"
    cluster.offers[offer_id] = Offer(offer_id, framework.id, agent.id, role, free)
    info = agent.info
    offer: Json = {
        "id": {"value": offer_id},
        "framework_id": {"value": framework.id},
        "agent_id": {"value": agent.id},
        "hostname": info["hostname"],
        "url": agent.url,
        "resources": free.to_json(role),
        "attributes": info.get("attributes", []),
        "allocation_info": {"role": role},
    }
    if unavailability is not None:
        offer["unavailability"] = unavailability
    if "domain" in info:
        offer["domain"] = info["domain"]
    if not framework.can("MULTI_ROLE"):
        del offer["allocation_info"]
        offer["resources"] = free.to_json()
    cluster.tell(framework.id, {"type": "OFFERS", "offers": {"offers": [offer]}})


def refuse(framework: Framework, agent_id: str, role: str, refused: Bag, seconds: float, now: float) -> None:
    """Note that a framework does not want these resources for a while."""
    if seconds < 0:
        seconds = DEFAULT_REFUSE_SECONDS
    if refused and seconds > 0:
        until = now + min(seconds, LONGEST_REFUSE_SECONDS)
        framework.filters.append(Filter(agent_id, role, refused, until))


def rescind(
    cluster: Cluster, *, agent_id: str = "", framework_id: str = "", roles_left: tuple[str, ...] | None = None
) -> None:
    """Withdraw the offers of an agent, or of roles that a framework has left, saying so; silently those of one gone."""
    for offer in cluster.offers_of(agent_id) if agent_id else list(cluster.offers.values()):
        if offer.agent_id == agent_id or (
            offer.framework_id == framework_id and roles_left is not None and offer.role not in roles_left
        ):
            withdraw(cluster, offer)
        elif offer.framework_id == framework_id and roles_left is None:
            del cluster.offers[offer.id]


def withdraw(cluster: Cluster, offer: Offer) -> None:
    """Take one offer back and say so."""
    event = {"type": "RESCIND", "rescind": {"offer_id": {"value": offer.id}}}
    cluster.tell(offer.framework_id, event)
    del cluster.offers[offer.id]


def withdraw_shared(cluster: Cluster, agent: Agent, destroyed: Bag) -> None:
    """Take back what was offered of shared volumes that are destroyed: others may hold offers of them too."""
    shared = destroyed - destroyed.exclusive()
    for offer in cluster.offers_of(agent.id):
        if shared and offer.resources.contains(shared):
            withdraw(cluster, offer)
