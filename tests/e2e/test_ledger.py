"""The ledger and the definitions are deleted under running databases: nothing is destroyed, all is found again."""

import json
import os
import re
import signal
from pathlib import Path

import yaml

from e2e.conftest import Cluster, eventually, manifest
from e2e.forgetting import idle_data_is_found_again
from statefuldb.cli.cluster import NAMESPACE
from statefuldb.cli.exit_codes import ExitCode

CRDS = Path(__file__).parents[2] / "crds"
VOLUME = {"strategy": "PersistentVolume", "size": "1Gi"}


def delete_definition(cluster: Cluster, name: str) -> None:
    cluster.client.delete("CustomResourceDefinition", "", name)
    eventually(lambda: cluster.client.get("CustomResourceDefinition", "", name) is None)


def install(cluster: Cluster) -> None:
    for path in sorted(CRDS.glob("*.yaml")):
        for body in yaml.safe_load_all(path.read_text()):
            cluster.client.apply(body, "")


def database_with_row(cluster: Cluster, name: str) -> None:
    cluster.apply(manifest(name, VOLUME, deletionProtection="Disabled", retention={"whenDeleted": "Delete"}))
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (5)")


def test_the_ledger_comes_back_from_the_labels_of_running_tasks(cluster: Cluster) -> None:
    name = "unwritten"
    database_with_row(cluster, name)
    task, (before,) = cluster.task_id(name), cluster.volumes(name)
    delete_definition(cluster, "databasevolumes.statefuldb.dev")
    install(cluster)
    (after,) = eventually(lambda: cluster.volumes(name), 60)
    assert after["spec"]["persistenceId"] == before["spec"]["persistenceId"]
    assert after["spec"]["intent"] == "Use"
    cluster.ready(name)
    assert cluster.task_id(name) == task, "the running member was touched"
    assert cluster.sql(name, "SELECT a FROM t") == "5"


def test_idle_data_is_found_again_though_nothing_in_the_api_remembers_it(cluster: Cluster) -> None:
    idle_data_is_found_again(cluster, "forgotten")


def test_deleting_the_definition_of_databases_retains_their_data(cluster: Cluster) -> None:
    name = "undefined"
    database_with_row(cluster, name)
    delete_definition(cluster, "statefuldatabases.statefuldb.dev")
    eventually(lambda: [v["spec"]["intent"] for v in cluster.volumes(name)] == ["Retain"])
    install(cluster)
    cluster.apply(manifest(name, VOLUME, deletionProtection="Disabled"))
    cluster.ready(name, 120)
    assert cluster.sql(name, "SELECT a FROM t") == "5"


def test_deleting_the_namespace_destroys_nothing(cluster: Cluster) -> None:
    name, namespace = "evicted", "doomed"
    create_namespace(cluster, namespace)
    body = manifest(name, VOLUME, deletionProtection="Disabled", retention={"whenDeleted": "Delete"})
    body["metadata"]["namespace"] = namespace
    cluster.apply(body)
    cluster.ready(name, namespace=namespace)
    cluster.sql(name, "CREATE TABLE t (a INT)", namespace)
    cluster.sql(name, "INSERT INTO t VALUES (7)", namespace)
    (entry,) = cluster.volumes(name)
    cluster.client.delete("Namespace", "", namespace)
    eventually(lambda: cluster.client.get("Namespace", "", namespace) is None)
    assert cluster.volumes(name) == []
    create_namespace(cluster, namespace)
    # Its member may be over by now: an idle volume comes into the ledger once it is offered, or is wanted.
    cluster.apply(body)
    cluster.ready(name, 120, namespace=namespace)
    assert cluster.sql(name, "SELECT a FROM t", namespace) == "7"
    assert [kept["metadata"]["name"] for kept in cluster.volumes(name)] == [entry["metadata"]["name"]]


def lose_record(cluster: Cluster) -> dict[str, str]:
    """Stop the operator, and delete its record; return what was in it."""
    cluster.parts.supervisor.stop("operator")
    stored = cluster.client.get("ConfigMap", NAMESPACE, "statefuldb-framework")
    assert stored is not None
    cluster.client.delete("ConfigMap", NAMESPACE, "statefuldb-framework")
    return dict(stored["data"])


def put_record_back(cluster: Cluster) -> dict[str, str]:
    """Start an operator, which ends, and do as it said; return what it had put into the record."""
    cluster.restart("operator")
    eventually(lambda: cluster.parts.supervisor.pid("operator") is None)
    said = re.findall(r"kubectl create configmap (\S+) -n (\S+) (.*?);", " ".join(cluster.log("operator").split()))
    record, namespace, values = said[-1]
    data = dict(re.findall(r"--from-literal=(\w+)=(\S+)", values))
    metadata = {"name": record, "namespace": namespace}
    cluster.client.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}, namespace)
    cluster.restart("operator")
    return data


def test_an_operator_that_lost_its_record_does_not_begin_anew(cluster: Cluster) -> None:
    name = "remembered"
    database_with_row(cluster, name)
    task, lost = cluster.task_id(name), lose_record(cluster)
    assert put_record_back(cluster) == {key: lost[key] for key in ("cluster", "frameworkId")}
    cluster.sql(name, "INSERT INTO t VALUES (6)")
    os.kill(cluster.processes(task)["keeper"], signal.SIGKILL)
    cluster.relaunched(name, task)
    cluster.ready(name)
    assert cluster.sql(name, "SELECT a FROM t ORDER BY a") == "5\n6"


def test_nor_does_it_where_mesos_has_ended_its_framework_and_agents_hold_its_data_still(cluster: Cluster) -> None:
    name = "outlasting"
    database_with_row(cluster, name)
    (before,), lost = cluster.volumes(name), lose_record(cluster)
    cluster.ask("TEARDOWN", framework_id={"value": lost["frameworkId"]})
    eventually(lambda: not cluster.ask("GET_FRAMEWORKS").get("frameworks"))
    assert put_record_back(cluster) == {"cluster": lost["cluster"]}
    eventually(lambda: "was launched by an earlier framework of ours" in cluster.cli("explain", name))
    (after,) = cluster.volumes(name)
    assert after["spec"]["persistenceId"] == before["spec"]["persistenceId"]


def test_a_damaged_entry_is_told_of_and_repaired_and_meanwhile_nothing_stops(cluster: Cluster) -> None:
    name, other, kind = "damaged", "undisturbed", "databasevolumes.statefuldb.dev"
    database_with_row(cluster, name)
    task, (entry,) = cluster.task_id(name), cluster.volumes(name)
    volume, spec = entry["metadata"]["name"], entry["spec"]
    definition = cluster.client.get("CustomResourceDefinition", "", kind)
    assert definition is not None
    versions = json.loads(json.dumps(definition["spec"]["versions"]))
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    versions[0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = anything
    cluster.client.merge("CustomResourceDefinition", "", kind, {"spec": {"versions": versions}})
    damage = {"identity": {"uid": None}, "launch": {"port": "none"}}
    cluster.client.merge("DatabaseVolume", "default", volume, {"spec": damage})

    def reason() -> str:
        stored = cluster.database(name)
        assert stored is not None
        return next(str(c["reason"]) for c in stored["status"]["conditions"] if c["type"] == "Ready")

    eventually(lambda: reason() == "LedgerEntryDamaged", why=lambda: cluster.cli("explain", name))
    said = cluster.cli("explain", name)
    for told in (volume, "spec.identity.uid", "spec.launch.port", f"kubectl edit databasevolume {volume} -n default"):
        assert told in said
    (line,) = (v for v in json.loads(cluster.cli("volumes", "list", "-o", "json")) if v["name"] == volume)
    assert line["state"] == "Damaged"
    assert f"entry default/{volume} cannot be read" in cluster.cli("doctor", code=ExitCode.FAILED)
    cluster.parts.supervisor.stop("operator")
    cluster.restart("operator")
    cluster.apply(manifest(other, VOLUME))
    cluster.ready(other)
    assert reason() == "LedgerEntryDamaged"
    assert cluster.sql(name, "SELECT a FROM t") == "5"
    repaired = {"identity": spec["identity"], "launch": spec["launch"]}
    cluster.client.merge("DatabaseVolume", "default", volume, {"spec": repaired})
    cluster.client.merge("CustomResourceDefinition", "", kind, {"spec": {"versions": definition["spec"]["versions"]}})
    cluster.ready(name)
    assert cluster.task_id(name) == task, "the running member was touched"
    assert cluster.volumes(name)[0]["spec"]["persistenceId"] == spec["persistenceId"]


def test_a_copy_of_an_entry_in_another_namespace_takes_no_data_along(cluster: Cluster, tmp_path: Path) -> None:
    name, namespace = "original", "restored"
    database_with_row(cluster, name)
    task, (entry,) = cluster.task_id(name), cluster.volumes(name)
    volume = entry["metadata"]["name"]
    create_namespace(cluster, namespace)
    metadata = {"name": volume, "namespace": namespace, "labels": entry["metadata"]["labels"]}
    cluster.client.create({**entry, "metadata": metadata})
    body = manifest(name, VOLUME, replicas=0)
    body["metadata"]["namespace"] = namespace
    cluster.apply(body)

    def copied() -> dict[str, str]:
        """Return what the database beside the copy says of itself, once it says anything."""
        stored = cluster.client.get("StatefulDatabase", namespace, name) or {}
        return {c["type"]: c["reason"] for c in stored.get("status", {}).get("conditions", [])}

    eventually(lambda: copied().get("Ready") == "LedgerEntryDuplicate", why=lambda: str(copied()))
    amiss = cluster.cli("doctor", code=ExitCode.FAILED)
    assert f"delete the copy: kubectl delete databasevolume {volume} -n {namespace}" in amiss
    file = tmp_path / "database.yaml"
    file.write_text(yaml.safe_dump(body | {"spec": {**body["spec"], "replicas": 1}}))
    foreseen = cluster.cli("plan", "-f", str(file))
    assert f"{name}: nothing to do" in foreseen
    assert "LedgerEntryDuplicate" in foreseen
    release = ("-n", namespace, "volumes", "release", volume, "--confirm", volume)
    said = cluster.cli(*release, code=ExitCode.REFUSED)
    assert f"default/{volume} is of the same data" in said
    assert f"kubectl delete databasevolume {volume} -n {namespace}" in said
    by_hand = {"metadata": {"annotations": {"statefuldb.dev/release": volume}}, "spec": {"intent": "Delete"}}
    cluster.client.merge("DatabaseVolume", namespace, volume, by_hand)
    cluster.parts.supervisor.stop("operator")
    cluster.restart("operator")
    cluster.sql(name, "INSERT INTO t VALUES (6)")
    cluster.client.delete("DatabaseVolume", namespace, volume)
    eventually(lambda: copied().get("Ready") == "StoppedAsAsked", 60, why=lambda: str(copied()))
    cluster.ready(name)
    assert cluster.task_id(name) == task, "the running member was touched"
    assert cluster.sql(name, "SELECT a FROM t ORDER BY a") == "5\n6"


def create_namespace(cluster: Cluster, name: str) -> None:
    cluster.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "")
