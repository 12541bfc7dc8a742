"""What an earlier installation of ours left in Mesos: its framework, or what agents still hold under its name."""

from typing import Any

from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.wire import resource_from_wire
from statefuldb.model.identity import LABEL_CLUSTER
from statefuldb.model.remains import Remains
from statefuldb.model.settings import FRAMEWORK_NAME
from statefuldb.planning.storage.holding import identity_of, within

Json = dict[str, Any]


def remains_of(master: MasterApi, role: str) -> Remains | None:
    """Return what is left of ours in or below `role`, a framework before anything else. Raises EffectFailed.

    Completed frameworks do not count: Mesos has ended their tasks already, and says no more of them once the master has
    failed over. What was reserved for their data outlives both.
    """
    for framework in master.frameworks():
        info = framework["framework_info"]
        roles = info.get("roles") or [info.get("role")]
        if info.get("name") == FRAMEWORK_NAME and any(within(each or "", role) for each in roles):
            labels = {label["key"]: label.get("value", "") for label in info.get("labels", {}).get("labels", [])}
            known = info["id"]["value"]
            seen = f"Mesos knows our framework {known} in this role"
            return Remains(seen=seen, cluster=labels.get(LABEL_CLUSTER, ""), framework_id=known)
    clusters: dict[str, str] = {}
    for hostname, held in sorted(master.each_agent(lambda agent: _held(agent, role))):
        for cluster in sorted(held):
            clusters.setdefault(cluster, hostname)
    if not clusters:
        return None
    named = " and of ".join(f"cluster {cluster} (on {hostname})" for cluster, hostname in sorted(clusters.items()))
    # Of several only a person can say which is meant.
    return Remains(
        seen=f"agents hold data of {named} in this role", cluster=next(iter(clusters)) if len(clusters) == 1 else ""
    )


def _held(agent: Json, role: str) -> tuple[str, set[str]]:
    """Return the host of an agent of GET_AGENTS, and the clusters of ours for which it holds something."""
    held = (resource_from_wire(wire) for wire in agent.get("total_resources", []))
    ours = [r for r in held if any(within(reservation.role, role) for reservation in r.reservations)]
    return agent["agent_info"]["hostname"], {owner.cluster for r in ours if (owner := identity_of(r)) is not None}
