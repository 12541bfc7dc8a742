"""The ledger against the cluster, as people see and mend it."""

from pathlib import Path

import pytest

from e2e.conftest import Cluster, eventually, manifest
from e2e.orphans import an_orphan_is_adopted_for_another_database, an_orphan_is_released
from e2e.scanning import scanned, scanned_on_agents
from e2e.uninstalling import a_released_volume, nothing_of_ours_is_left, reserved, uuid_of


def test_an_orphan_is_adopted_for_another_database(cluster: Cluster) -> None:
    an_orphan_is_adopted_for_another_database(cluster, "stray")


def test_an_orphan_is_released(cluster: Cluster) -> None:
    an_orphan_is_released(cluster, "unwanted")


def test_without_mesos_the_ledgers_own_view_is_shown(cluster: Cluster) -> None:
    cluster.kill("mesos-master")
    said = cluster.cli("volumes", "list", "-o", "wide")
    assert "Mesos was not asked" in said
    assert "InUse" in said
    cluster.restart("mesos-master")


def test_a_directory_that_the_ledger_has_lost_is_found_by_its_marker_and_adopted(
    cluster: Cluster, host_root: str
) -> None:
    name = "buried"
    directory = {"strategy": "HostPath", "size": "1Gi", "hostPath": {"path": host_root}}
    cluster.apply(manifest(name, directory, deletionProtection="Disabled"))
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (4)")
    (before,) = cluster.volumes(name)
    volume = before["metadata"]["name"]
    assert scanned(cluster, host_root)[volume]["standing"] == "Known"
    cluster.cli("delete", name)
    eventually(lambda: cluster.volumes(name)[0]["spec"]["phase"] == "Retained")
    cluster.client.delete("DatabaseVolume", "default", volume)
    found = scanned(cluster, host_root)[volume]
    assert (found["standing"], found["directory"]) == ("Orphaned", f"{host_root}/default/{name}/0")
    adopt = ("volumes", "scan", host_root, "--adopt", volume)
    cluster.cli(*adopt, "--confirm", "something-else", code=4)
    cluster.cli(*adopt, "--agent", "nowhere", "--confirm", volume, code=3)
    # The agents of this cluster share one disk: each of them sees the directory.
    seen = [line for line in scanned_on_agents(cluster, host_root) if line["name"] == volume]
    assert sorted(line["standing"] for line in seen) == ["Elsewhere", "Elsewhere", "Orphaned"]
    cluster.cli(*adopt, "--on-agents", "--confirm", volume)
    (after,) = cluster.volumes(name)
    assert after["spec"]["agent"] == before["spec"]["agent"], "the reservation beside it tells its agent"
    assert scanned(cluster, host_root)[volume]["standing"] == "Known"
    names = [f["framework_info"]["name"] for f in cluster.ask("GET_FRAMEWORKS")["frameworks"]]
    assert names == ["statefuldb"], "the framework that looked is still there"
    cluster.cli(*adopt, "--confirm", volume, code=4)
    cluster.apply(manifest(name, directory, deletionProtection="Disabled", retention={"whenDeleted": "Delete"}))
    cluster.ready(name, 120)
    assert cluster.sql(name, "SELECT a FROM t") == "4"
    cluster.cli("delete", name)
    eventually(lambda: not cluster.volumes(name))
    assert not Path(host_root, "default", name, "0").exists()


def test_uninstalling_beside_a_running_operator_leaves_nothing_of_ours(
    tmp_path_factory: pytest.TempPathFactory, host_root: str
) -> None:
    one = Cluster(tmp_path_factory.mktemp("uninstalled"))
    one.cli("up", "--no-quickstart", "--agents", "1")
    try:
        directory = {"strategy": "HostPath", "size": "1Gi", "hostPath": {"path": host_root}}
        one.apply(manifest("folder", directory, deletionProtection="Disabled", retention={"whenDeleted": "Delete"}))
        one.ready("folder")
        assert list(Path(host_root).glob("default/folder/0/.statefuldb"))
        a_released_volume(one, "fleeting", with_operator=True)
        one.cli("delete", "folder")
        eventually(lambda: one.database("folder") is None)
        one.cli("uninstall", "--confirm", uuid_of(one))
        assert reserved(one) == []
        assert not one.ask("GET_FRAMEWORKS").get("frameworks")
        assert not list(Path(host_root).glob("default/folder/0"))
        nothing_of_ours_is_left(one)
    finally:
        one.cli("down")
