"""The API server forgets; Mesos does not."""

from e2e.conftest import Cluster, eventually, manifest


def idle_data_is_found_again(cluster: Cluster, name: str) -> None:
    """Retain a volume, remove its ledger entry and its Secret, and apply the manifest again."""
    body = manifest(name, {"strategy": "PersistentVolume", "size": "1Gi"}, deletionProtection="Disabled")
    cluster.apply(body)
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (9)")
    cluster.cli("delete", name)
    eventually(lambda: cluster.volumes(name)[0]["spec"].get("phase") == "Retained")
    cluster.parts.supervisor.stop("operator")
    cluster.client.delete("DatabaseVolume", "default", cluster.volumes(name)[0]["metadata"]["name"])
    cluster.client.delete("Secret", "default", f"{name}-connection")
    cluster.restart("operator")
    cluster.apply(body)
    cluster.ready(name, 120)
    assert cluster.sql(name, "SELECT a FROM t") == "9"
    assert len(cluster.volumes(name)) == 1
