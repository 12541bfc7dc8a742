"""What the agents really hold for a member, as the master's operator API says: to be compared with the ledger."""

import json
import urllib.request
from collections import Counter

from e2e.conftest import Cluster, Json

PORTS = 2


def bundle(*, memory_mib: int = 256, disk_mib: int = 1024) -> dict[str, int]:
    """Return what one member of the tests' manifests must hold: thousandths of scalars, ports and volumes by number."""
    return {"cpus": 300, "mem": memory_mib * 1000, "disk": disk_mib * 1000, "ports": PORTS, "volumes": 1}


def held(cluster: Cluster, uid: str) -> Counter[str]:
    """Return what the agents hold for a member's data, in the units of `bundle`."""
    found: Counter[str] = Counter()
    for resource in (r for agent in agents(cluster) for r in agent.get("total_resources", [])):
        labels = [e for r in resource.get("reservations", []) for e in r.get("labels", {}).get("labels", [])]
        if not any(label.get("value") == uid for label in labels):
            continue
        if "ranges" in resource:
            found["ports"] += sum(s["end"] - s["begin"] + 1 for s in resource["ranges"]["range"])
        else:
            found[resource["name"]] += round(resource["scalar"]["value"] * 1000)
        found["volumes"] += "persistence" in resource.get("disk", {})
    return +found


def agents(cluster: Cluster) -> list[Json]:
    """Return the registered agents (GET_AGENTS)."""
    call = json.dumps({"type": "GET_AGENTS"}).encode()
    request = urllib.request.Request(f"http://{cluster.master}/api/v1", call, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return list(json.load(answer)["get_agents"].get("agents", []))
