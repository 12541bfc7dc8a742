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
    held = [found for found in master.each_agent(lambda agent: _held(agent, role)) if found is not None]
    return min(held, key=lambda found: (found.cluster, found.seen), default=None)


def _held(agent: Json, role: str) -> Remains | None:
    """Return what an agent of GET_AGENTS holds for a database of ours."""
    for wire in agent.get("total_resources", []):
        resource = resource_from_wire(wire)
        owner = identity_of(resource)
        if owner is not None and any(within(reservation.role, role) for reservation in resource.reservations):
            seen = f"agent {agent['agent_info']['hostname']} holds data of cluster {owner.cluster} in this role"
            return Remains(seen=seen, cluster=owner.cluster)
    return None
