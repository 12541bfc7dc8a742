"""A master that dies in the middle of an ACCEPT, and an agent that a person has called gone (docs/mesos.md)."""

from collections.abc import Iterator

import pytest

from e2e.conftest import Cluster, Json, eventually, manifest
from e2e.cutting import VOLUME, Rig, disposable, does


@pytest.fixture
def rig(cluster: Cluster) -> Iterator[Rig]:
    one = Rig(cluster, victim="mesos-master")
    yield one
    one.close()
    cluster.restart("operator")


def condition(cluster: Cluster, name: str, kind: str) -> Json:
    stored = cluster.database(name) or {}
    return next((c for c in stored.get("status", {}).get("conditions", []) if c["type"] == kind), {})


@pytest.mark.parametrize("operations", [1, 2, 3])
def test_a_master_that_dies_amid_an_accept_is_waited_for_and_the_rest_is_done(rig: Rig, operations: int) -> None:
    cluster, name = rig.cluster, f"born-{operations}"
    rig.strike(does("RESERVE", "CREATE", "LAUNCH"), operations, lambda: cluster.apply(disposable(name)))
    eventually(lambda: condition(cluster, name, "MesosConnected").get("status") == "False")
    assert condition(cluster, name, "MesosConnected")["message"]
    assert condition(cluster, name, "Ready")["status"] == "False"
    cluster.restart("mesos-master")
    rig.settles(name, memory_mib=256)
    assert condition(cluster, name, "MesosConnected")["status"] == "True"
    rig.releases(name)


def test_what_was_on_an_agent_called_gone_is_not_started_elsewhere_and_is_found_when_it_is_back(
    cluster: Cluster,
) -> None:
    name = "abandoned"
    cluster.apply(manifest(name, dict(VOLUME)))
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (7)")
    task = cluster.task_id(name)
    (volume,) = cluster.volumes(name)
    agent = volume["spec"]["agent"]
    (daemon,) = [one for one in cluster.parts.daemons() if agent["hostname"] in one.arguments and "agent" in one.name]
    cluster.ask("MARK_AGENT_GONE", agent_id={"value": agent["id"]})
    eventually(lambda: condition(cluster, name, "Ready").get("reason") == "VolumeLost", 60)
    said = cluster.cli("explain", name)
    assert "VolumeLost" in said
    assert agent["hostname"] in said
    # It ends its tasks and itself, and would do so again each time it is started.
    eventually(lambda: cluster.parts.supervisor.pid(daemon.name) is None, 90)
    assert cluster.task_id(name) == task
    work_dir = daemon.arguments[daemon.arguments.index("--work-dir") + 1]
    (cluster.state_dir / work_dir / "meta" / "slaves" / "latest").unlink()
    cluster.restart(daemon.name)
    cluster.relaunched(name, task)
    cluster.ready(name)
    assert cluster.sql(name, "SELECT a FROM t") == "7"
