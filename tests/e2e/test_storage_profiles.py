"""StorageProfiles on a cluster: refused with who, what and what instead; accepted as soon as the profile allows."""

from functools import partial

from e2e.conftest import Cluster, Json, eventually, manifest

VOLUME = {"strategy": "PersistentVolume", "size": "1Gi"}


def profile(name: str, **spec: object) -> Json:
    return {
        "apiVersion": "statefuldb.dev/v1alpha1",
        "kind": "StorageProfile",
        "metadata": {"name": name},
        "spec": spec,
    }


def accepted(cluster: Cluster, name: str, status: str, namespace: str = "default") -> Json | None:
    stored = cluster.database(name, namespace)
    assert stored is not None
    generation = stored["metadata"]["generation"]
    for held in stored.get("status", {}).get("conditions", []):
        if (held["type"], held["status"], held["observedGeneration"]) == ("Accepted", status, generation):
            return dict(held)
    return None


def test_a_profile_bounds_the_namespaces_it_names(cluster: Cluster) -> None:
    cluster.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "free"}}, "")
    bounds = {"namespaces": {"names": ["default"]}, "size": {"max": "512Mi"}, "strategies": ["PersistentVolume"]}
    cluster.client.apply(profile("small", **bounds), "")
    body = manifest("bounded", VOLUME, replicas=0)
    cluster.client.apply(body, "default")
    cluster.client.apply({**body, "metadata": {"name": "unbounded", "namespace": "free"}}, "free")
    held = eventually(partial(accepted, cluster, "bounded", "False"))
    assert held["reason"] == "ForbiddenByProfile"
    assert 'spec.storage.size: ForbiddenByProfile: "1Gi": StorageProfile small allows 512Mi or less' in held["message"]
    eventually(partial(accepted, cluster, "unbounded", "True", "free"))
    cluster.client.apply(profile("small", **{**bounds, "size": {"max": "2Gi"}}), "")
    eventually(partial(accepted, cluster, "bounded", "True"))


def test_a_profile_bounds_namespaces_by_label(cluster: Cluster) -> None:
    tenant = {"name": "tenant-a", "labels": {"tier": "bronze"}}
    cluster.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": tenant}, "")
    bounds = {"namespaces": {"matchLabels": {"tier": "bronze"}}, "strategies": ["DFS"]}
    cluster.client.apply(profile("bronze", **bounds), "")
    body = manifest("local", VOLUME, replicas=0)
    cluster.client.apply({**body, "metadata": {"name": "local", "namespace": "tenant-a"}}, "tenant-a")
    held = eventually(partial(accepted, cluster, "local", "False", "tenant-a"))
    assert "StorageProfile bronze allows DFS" in held["message"]
    cluster.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {**tenant, "labels": {"tier": "x"}}}, "")
    eventually(partial(accepted, cluster, "local", "True", "tenant-a"))
