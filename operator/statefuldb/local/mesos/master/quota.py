"""Quota: how much a role may hold at most (Mesos docs, quota). Reservations count, used or not."""

from typing import Any

from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.resources.multiset import Bag, thousandths
from statefuldb.local.mesos.resources.text import number

Json = dict[str, Any]
Answer = tuple[int, str | None]


def update(cluster: Cluster, configs: list[Json]) -> Answer:
    """Carry out UPDATE_QUOTA; a role without limits has as much as there is."""
    for config in configs:
        role = str(config.get("role", ""))
        if "/" in role:
            return 400, f"Updating quota on nested role '{role}' is not supported yet"
        guarantees, limits = config.get("guarantees", {}), config.get("limits", {})
        if any(name in limits and value["value"] > limits[name]["value"] for name, value in guarantees.items()):
            return 400, (
                f"Invalid QuotaConfig: 'QuotaConfig.guarantees' {_quantities(guarantees)} is not contained within the "
                f"'QuotaConfig.limits' {_quantities(limits)}"
            )
    for config in configs:
        cluster.quota[config["role"]] = {name: value for name, value in config.items() if value}
    return 200, None


def shown(cluster: Cluster) -> Json:
    """Return GET_QUOTA."""
    if not cluster.quota:
        return {"status": {}}
    infos = [{"role": role} for role in cluster.quota]
    return {"status": {"infos": infos, "configs": list(cluster.quota.values())}}


def within(cluster: Cluster, role: str, wanted: Bag) -> Bag:
    """Return the part of unreserved resources that a role may still be offered.

    A real master asks for the quota of the role itself only: that of a role above bounds nothing, though what is held
    below counts against it.
    """
    limits = cluster.quota.get(role, {}).get("limits", {})
    if not limits:
        return wanted
    held = _held(cluster, role)
    left = {name: thousandths(float(value["value"])) - held.get(name, 0) for name, value in limits.items()}
    return wanted.limited(left)


def _held(cluster: Cluster, role: str) -> dict[str, int]:
    """Return what a role and those below it have: reserved on any agent, or unreserved and allocated."""
    total: dict[str, int] = {}
    bags = [agent.total.reserved_within(role) for agent in cluster.agents.values()]
    for agent in cluster.agents.values():
        for user in cluster.users_on(agent.id):
            bags += [user.resources.reserved(None)] if user.role.partition("/")[0] == role else []
        for offer in cluster.offers_of(agent.id):
            bags += [offer.resources.reserved(None)] if offer.role.partition("/")[0] == role else []
    for bag in bags:
        for name, amount in bag.scalars().items():
            total[name] = total.get(name, 0) + amount
    return total


def _quantities(values: Json) -> str:
    inner = "; ".join(f"{name}: {number(float(value['value']))}" for name, value in sorted(values.items()))
    return f"{{ {inner} }}"
