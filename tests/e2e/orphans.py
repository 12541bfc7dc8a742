"""Volumes whose ledger entries were deleted behind everybody's back: seen, adopted, released."""

import json
from typing import Any

from e2e.conftest import Cluster, eventually, manifest

VOLUME = {"strategy": "PersistentVolume", "size": "1Gi"}


def volumes(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Return what `volumes list` says, by the volume's name."""
    listed = json.loads(cluster.cli("volumes", "list", "-o", "json", *cluster.mesos_options))
    return {line["name"]: line for line in listed}


def orphaned(cluster: Cluster, name: str) -> str:
    """Make a database with a row, delete it and its ledger entry; return the volume's name. The operator is away."""
    cluster.apply(manifest(name, VOLUME, deletionProtection="Disabled"))
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (9)")
    volume = str(cluster.volumes(name)[0]["metadata"]["name"])
    assert volumes(cluster)[volume]["state"] == "InUse"
    cluster.cli("delete", name)
    eventually(lambda: volumes(cluster)[volume]["state"] == "Retained")
    cluster.parts.supervisor.stop("operator")
    cluster.client.delete("DatabaseVolume", "default", volume)
    found = volumes(cluster)[volume]
    assert (found["state"], found["intent"], found["database"]) == ("Orphaned", "", name)
    return volume


def an_orphan_is_adopted_for_another_database(cluster: Cluster, name: str) -> None:
    volume = orphaned(cluster, name)
    options = (*cluster.mesos_options, "--for", f"{name}-again")
    cluster.cli("volumes", "adopt", volume, "--confirm", "something-else", *options, code=4)
    cluster.cli("volumes", "adopt", volume, "--confirm", volume, *options)
    assert volumes(cluster)[volume]["state"] == "Retained"
    cluster.restart("operator")
    cluster.apply(manifest(f"{name}-again", VOLUME, deletionProtection="Disabled"))
    cluster.ready(f"{name}-again", 120)
    assert cluster.sql(f"{name}-again", "SELECT a FROM t") == "9"
    assert volumes(cluster)[volume]["database"] == f"{name}-again"
    assert not cluster.volumes(name), "one volume is in the ledger twice"
    cluster.cli("volumes", "release", volume, "--confirm", volume, *cluster.mesos_options, code=4)


def an_orphan_is_released(cluster: Cluster, name: str) -> None:
    volume = orphaned(cluster, name)
    cluster.cli("volumes", "release", volume, "--confirm", volume, *cluster.mesos_options)
    assert volumes(cluster)[volume]["state"] == "Releasing"
    cluster.restart("operator")
    eventually(lambda: volume not in volumes(cluster), 60)
