"""The ledger against the cluster, as people see and mend it."""

from pathlib import Path

import pytest

from e2e.conftest import Cluster, eventually, manifest
from e2e.orphans import an_orphan_is_adopted_for_another_database, an_orphan_is_released
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
        assert one.ask("GET_FRAMEWORKS")["frameworks"] == []
        assert not list(Path(host_root).glob("default/folder/0"))
        nothing_of_ours_is_left(one)
    finally:
        one.cli("down")
