"""Offering: who is offered what, which offers are withdrawn, and what has been refused for how long."""

from collections.abc import Callable
from math import inf
from typing import Any

from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.records import Agent, Filter, Framework, Look, Offer
from statefuldb.local.mesos.resources.multiset import Bag

Json = dict[str, Any]
Within = Callable[[Cluster, str, Bag], Bag]
DEFAULT_REFUSE_SECONDS = 5.0
LONGEST_REFUSE_SECONDS = 31_536_000.0


def allocate(
    cluster: Cluster,
    *,
    within: Within,
    unavailability: Callable[[Cluster, Agent], Json | None],
) -> None:
    """Offer whatever is free to the frameworks that want it: one agent and one role an offer, one event a framework.

    `within` cuts unreserved resources down to a role's quota; `unavailability` tells when an agent goes.
    """
    frameworks = sorted(cluster.frameworks.values(), key=lambda f: f.id)
    asked = [(f.id, f.stream, f.info, frozenset(f.suppressed), f.revived) for f in frameworks]
    if asked != cluster.asked:
        cluster.asked = asked
    if cluster.quota:
        # What one agent has counts for all others then.
        cluster.looks = {}
    asking = [_Asking(framework) for framework in frameworks if framework.stream is not None]
    made: list[tuple[str, Json]] = []
    for agent in sorted(cluster.agents.values(), key=lambda a: a.id):
        is_there = agent.connected and not agent.unreachable and not agent.gone and not agent.deactivated
        if is_there and not _still_holds(cluster, agent):
            made += _offer_of(cluster, agent, asking, within, unavailability(cluster, agent))
    events: dict[str, list[Json]] = {}
    for framework_id, offer in made:
        events.setdefault(framework_id, []).append(offer)
    for framework_id, offers in events.items():
        cluster.tell(framework_id, {"type": "OFFERS", "offers": {"offers": offers}})


def _offer_of(
    cluster: Cluster, agent: Agent, asking: list["_Asking"], within: Within, unavailability: Json | None
) -> list[tuple[str, Json]]:
    """Make the offers of one agent, and note what was seen of it; return them with their frameworks' ids."""
    look, offerable = cluster.looks.get(agent.id), {}
    if look is not None and _is_as_it_was(look, cluster, agent):
        left, offerable = look.left, look.offerable
    else:
        left = cluster.free(agent)
    until, made = inf, []
    for one, role in ((each, role) for each in asking if each.may_use(cluster, agent) for role in each.roles):
        offered = offerable.get((role, one.shares))
        if offered is None:
            offered = offerable[role, one.shares] = _offerable(cluster, left, role, one.shares, within)
        # What is shared stays free while it is used; by itself it is nothing to offer.
        if not offered.exclusive():
            continue
        filters = _refused(one.framework, agent.id, role, cluster.now)
        if any(each.refused.contains(offered) for each in filters):
            until = min(until, *(each.until for each in filters))
            continue
        made.append((one.framework.id, _offer(cluster, one.framework, agent, role, offered, unavailability)))
        left, offerable = left - offered.exclusive(), {}
    if not cluster.quota:
        changes = cluster.changes(agent.id)
        cluster.looks[agent.id] = Look(agent.total, changes, left, cluster.asked, until, offerable)
    return made


def _still_holds(cluster: Cluster, agent: Agent) -> bool:
    """Say whether another look at an agent would find what the last one found: nothing to offer."""
    look = cluster.looks.get(agent.id)
    if look is None or not _is_as_it_was(look, cluster, agent):
        return False
    return not look.left.exclusive() or (look.asked is cluster.asked and cluster.now < look.until)


def _is_as_it_was(look: Look, cluster: Cluster, agent: Agent) -> bool:
    return look.total is agent.total and look.changes == cluster.changes(agent.id)


class _Asking:
    """A framework that is connected, and what it asks for."""

    def __init__(self, framework: Framework) -> None:
        self.framework = framework
        self.roles = [role for role in framework.roles if role not in framework.suppressed]
        self.shares = framework.can("SHARED_RESOURCES")
        self._is_region_aware = framework.can("REGION_AWARE")

    def may_use(self, cluster: Cluster, agent: Agent) -> bool:
        """Say whether it is to be offered what an agent has: those of other regions only if it knows of regions."""
        remote = "domain" in agent.info and _region(agent.info["domain"]) != _region(cluster.domain)
        return self._is_region_aware or not remote


def _offerable(cluster: Cluster, left: Bag, role: str, shares: bool, within: Within) -> Bag:
    """Return what of `left` may be offered to a role."""
    mine = left.for_role(role)
    unreserved = mine.reserved(None)
    offered = mine - unreserved + within(cluster, role, unreserved)
    return offered if shares else offered.exclusive()


def _region(domain: Json | None) -> str | None:
    return None if domain is None else str(domain["fault_domain"]["region"]["name"])


def _refused(framework: Framework, agent_id: str, role: str, now: float) -> list[Filter]:
    """Return what a framework still does not want of an agent; what it did not want for a while is forgotten."""
    filters = [each for each in framework.filters.get((agent_id, role), ()) if each.until > now]
    if filters:
        framework.filters[agent_id, role] = filters
    else:
        framework.filters.pop((agent_id, role), None)
    return filters


def _offer(
    cluster: Cluster, framework: Framework, agent: Agent, role: str, free: Bag, unavailability: Json | None
) -> Json:
    offer_id = f"{cluster.master_id}-O{cluster.next_serial()}"
    offer = cluster.offers[offer_id] = Offer(offer_id, framework.id, agent.id, role, free)
    return shown(offer, framework, agent, unavailability)


def shown(offer: Offer, framework: Framework, agent: Agent, unavailability: Json | None) -> Json:
    """Return an offer as its framework is told of it, and as GET_FRAMEWORKS shows it while it is outstanding."""
    info = agent.info
    told: Json = {
        "id": {"value": offer.id},
        "framework_id": {"value": framework.id},
        "agent_id": {"value": agent.id},
        "hostname": info["hostname"],
        "url": agent.url,
        "resources": offer.resources.to_json(offer.role),
        "attributes": info.get("attributes", []),
        "allocation_info": {"role": offer.role},
    }
    if unavailability is not None:
        told["unavailability"] = unavailability
    if "domain" in info:
        told["domain"] = info["domain"]
    if not framework.can("MULTI_ROLE"):
        del told["allocation_info"]
        told["resources"] = offer.resources.to_json()
    return told


def refuse(framework: Framework, agent_id: str, role: str, refused: Bag, seconds: float, now: float) -> None:
    """Note that a framework does not want these resources for a while."""
    if seconds < 0:
        seconds = DEFAULT_REFUSE_SECONDS
    if refused and seconds > 0:
        until = now + min(seconds, LONGEST_REFUSE_SECONDS)
        framework.filters.setdefault((agent_id, role), []).append(Filter(refused, until))


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
