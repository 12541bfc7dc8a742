"""What the agents really hold for a member, as the master's operator API says: to be compared with the ledger."""

from collections import Counter

from e2e.conftest import Cluster

PORTS = 2


def bundle(*, memory_mib: int = 256, disk_mib: int = 1024) -> dict[str, int]:
    """Return what one member of the tests' manifests must hold: thousandths of scalars, ports and volumes by number."""
    return {"cpus": 300, "mem": memory_mib * 1000, "disk": disk_mib * 1000, "ports": PORTS, "volumes": 1}


def held(cluster: Cluster, uid: str) -> Counter[str]:
    """Return what the agents hold for a member's data, in the units of `bundle`."""
    found: Counter[str] = Counter()
    agents = cluster.ask("GET_AGENTS").get("agents", [])
    for resource in (r for agent in agents for r in agent.get("total_resources", [])):
        labels = [e for r in resource.get("reservations", []) for e in r.get("labels", {}).get("labels", [])]
        if not any(label.get("value") == uid for label in labels):
            continue
        if "ranges" in resource:
            found["ports"] += sum(s["end"] - s["begin"] + 1 for s in resource["ranges"]["range"])
        else:
            found[resource["name"]] += round(resource["scalar"]["value"] * 1000)
        found["volumes"] += "persistence" in resource.get("disk", {})
    return +found
