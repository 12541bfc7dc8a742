"""The ledger against the cluster, as people see and mend it."""

from e2e.conftest import Cluster
from e2e.orphans import an_orphan_is_adopted_for_another_database, an_orphan_is_released


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
