"""Law 10: a database that is Ready costs next to nothing while nothing happens."""

import json
import threading
import urllib.request
from functools import partial

from e2e.conftest import Cluster, Json, eventually, manifest

REST_SECONDS = 60.0
# The stated bounds for one minute: Mesos calls by kind, and writes to the API.
ALLOWED_CALLS = {"reconcile": 8, "decline": 4, "suppress": 1, "revive": 0, "accept": 0, "kill": 0, "acknowledge": 0}


def calls(cluster: Cluster) -> dict[str, int]:
    with urllib.request.urlopen(f"http://{cluster.parts.mesos}/metrics/snapshot", timeout=5) as answer:
        counted = json.load(answer)
    return {k.removeprefix("master/messages_"): v for k, v in counted.items() if k.startswith("master/messages_")}


def test_at_rest_nothing_is_written_and_hardly_anything_said(cluster: Cluster, host_root: str) -> None:
    volume = {"strategy": "PersistentVolume", "size": "1Gi"}
    cluster.apply(manifest("resting", volume))
    cluster.apply(manifest("pinned", {"strategy": "HostPath", "size": "1Gi", "hostPath": {"path": host_root}}))
    cluster.apply(manifest("stopped", volume, replicas=0))
    cluster.client.apply(manifest("not-built", volume, replicas=3), "default")  # our own `apply` would refuse it first
    for name in ("resting", "pinned"):
        cluster.ready(name)
    # Nobody approves this one: a plan that waits must not come and go with the offers.
    cluster.apply(manifest("gated", volume, reconcile={"mode": "PlanOnly"}))
    for name in ("stopped", "not-built", "gated"):
        eventually(partial(condition, cluster, name, "Accepted"))
    quiet = threading.Event()
    # A member counts as healthy a minute after its launch, which is noted once; the rest is measured after that.
    quiet.wait(65)
    before, versions = calls(cluster), written(cluster)
    quiet.wait(REST_SECONDS)
    after = calls(cluster)
    made = {kind: after.get(kind, 0) - before.get(kind, 0) for kind in after}
    changed = [each for each in written(cluster).items() if each not in versions.items()]
    assert not changed, "something was written to the API at rest"
    excess = {kind: count for kind, count in made.items() if count > ALLOWED_CALLS.get(kind, 0)}
    assert not excess, f"at rest in {REST_SECONDS:g} s: {made}"


def condition(cluster: Cluster, name: str, kind: str) -> Json:
    stored = cluster.database(name)
    assert stored is not None
    return next((c for c in stored.get("status", {}).get("conditions", []) if c["type"] == kind), {})


def written(cluster: Cluster) -> dict[str, str]:
    """Return the version of each object that the operator writes, with what an Event says."""
    kinds = ("StatefulDatabase", "DatabaseVolume", "Event", "Secret", "ConfigMap")
    objects = [(kind, o) for kind in kinds for o in cluster.client.list(kind)]
    return {
        f"{kind} {o['metadata']['name']} {o.get('message', '')}": o["metadata"]["resourceVersion"]
        for kind, o in objects
    }
