"""Deletion when things are not as they should be: what is not plainly asked for is retained (law `deletable`)."""

import json
from pathlib import Path

from e2e.conftest import Cluster, eventually, manifest

VOLUME = {"strategy": "PersistentVolume", "size": "1Gi"}


def to_be_deleted(cluster: Cluster, name: str) -> None:
    """Apply a database whose protection is off and whose data may be destroyed, and write a row."""
    cluster.apply(manifest(name, VOLUME, deletionProtection="Disabled", retention={"whenDeleted": "Delete"}))
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (11)")


def test_with_mesos_down_the_object_goes_and_the_task_is_stopped_when_mesos_is_back(cluster: Cluster) -> None:
    name = "unreachable"
    cluster.apply(manifest(name, VOLUME, deletionProtection="Disabled"))
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (11)")
    task = cluster.task_id(name)
    cluster.kill("mesos-master")
    cluster.cli("delete", name)
    eventually(lambda: cluster.database(name) is None)
    (volume,) = cluster.volumes(name)
    assert volume["spec"]["intent"] == "Retain"
    assert cluster.processes(task), "nobody could have stopped it"
    cluster.restart("mesos-master")
    eventually(lambda: not cluster.processes(task))
    eventually(lambda: cluster.volumes(name)[0]["spec"]["phase"] == "Retained")
    cluster.apply(manifest(name, VOLUME, deletionProtection="Disabled"))
    cluster.ready(name)
    assert cluster.sql(name, "SELECT a FROM t") == "11"


def test_with_an_invalid_spec_the_object_goes_and_its_data_is_retained(cluster: Cluster) -> None:
    name = "invalid"
    to_be_deleted(cluster, name)
    cluster.client.merge("StatefulDatabase", "default", name, {"spec": {"replicas": 3}})
    eventually(lambda: refused(cluster, name))
    cluster.cli("delete", name)
    eventually(lambda: cluster.database(name) is None)
    eventually(lambda: cluster.volumes(name)[0]["spec"]["phase"] == "Retained")
    assert cluster.volumes(name)[0]["spec"]["intent"] == "Retain"


def test_with_the_operator_away_the_object_waits_for_it(cluster: Cluster) -> None:
    name = "waiting"
    to_be_deleted(cluster, name)
    task = cluster.task_id(name)
    cluster.parts.supervisor.stop("operator")
    cluster.client.delete("StatefulDatabase", "default", name)
    assert cluster.database(name) is not None, "our finalizer holds it"
    cluster.kill_task(task)
    cluster.restart("operator")
    eventually(lambda: cluster.database(name) is None)
    eventually(lambda: not cluster.volumes(name))


def test_the_same_manifest_again_begins_anew_while_the_old_data_is_removed(cluster: Cluster, host_root: str) -> None:
    name = "again"
    storage = {"strategy": "HostPath", "size": "1Gi", "hostPath": {"path": host_root, "create": True}}
    body = manifest(name, storage, deletionProtection="Disabled", retention={"whenDeleted": "Delete"})
    cluster.apply(body)
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    (old,) = cluster.volumes(name)
    cluster.client.delete("StatefulDatabase", "default", name)
    eventually(lambda: cluster.database(name) is None)
    cluster.apply(body)
    cluster.ready(name, 120)
    eventually(lambda: [v["metadata"]["name"] != old["metadata"]["name"] for v in cluster.volumes(name)] == [True])
    assert cluster.sql(name, "SHOW TABLES") == ""
    markers = [json.loads(path.read_text()) for path in Path(host_root).rglob(f"{name}/**/identity.json")]
    assert [marker["uid"] != old["spec"]["identity"]["uid"] for marker in markers] == [True]


def test_why_data_is_not_removed_is_said_wherever_one_looks_and_what_is_put_right_is_enough(
    cluster: Cluster, host_root: str
) -> None:
    name = "kept"
    storage = {"strategy": "HostPath", "size": "1Gi", "hostPath": {"path": host_root, "create": True}}
    cluster.apply(manifest(name, storage, deletionProtection="Disabled", retention={"whenDeleted": "Delete"}))
    cluster.ready(name)
    inside = Path(host_root, "default", name, "0", "inside")
    (inside / ".statefuldb").mkdir(parents=True)
    said = f"{inside} below {inside.parent} is the directory of another member: release that one first"
    cluster.cli("delete", name)
    eventually(lambda: said in cluster.cli("explain", name), why=lambda: cluster.cli("volumes", "list"))
    assert said in cluster.cli("volumes", "list", "-o", "json")
    assert said in cluster.cli("events", name)
    assert said in cluster.cli("doctor", "-o", "json", code=1)
    cluster.apply(manifest(name, VOLUME))
    cluster.ready(name)
    assert said in cluster.cli("explain", name), "also beside a new database of that name"
    (inside / ".statefuldb").rmdir()
    eventually(lambda: not inside.parent.exists())
    eventually(lambda: [v["spec"]["strategy"] for v in cluster.volumes(name)] == ["PersistentVolume"])


def refused(cluster: Cluster, name: str) -> bool:
    stored = cluster.database(name)
    conditions = stored["status"]["conditions"] if stored is not None else []
    return any(c["type"] == "Accepted" and c["status"] == "False" for c in conditions)
