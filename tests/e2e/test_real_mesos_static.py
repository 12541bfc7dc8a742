"""Static reservations of a real Apache Mesos 1.11.0: refined in a role below theirs, or used without being owned."""

import sys
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import eventually, manifest
from e2e.real_mesos import RealCluster

pytestmark = pytest.mark.real_mesos

RESOURCES = (
    "cpus(statefuldb):2;mem(statefuldb):4096;disk(statefuldb):20480;ports(statefuldb):[30000-30049];"
    "cpus:2;mem:4096;disk:20480;ports:[30050-30099]"
)


@pytest.mark.parametrize("options", [("--refine-static",), ()], ids=["refined", "unowned"])
def test_a_database_lives_on_static_reservations_and_leaves_them_as_they_were(
    binaries: Path,
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    real = RealCluster(tmp_path, binaries, operator=options, MESOS_RESOURCES=RESOURCES, MESOS_ROLES="")
    try:
        name = "planted"
        body = manifest(name, {"strategy": "PersistentVolume", "size": "1Gi"}, deletionProtection="Disabled")
        body["spec"]["retention"] = {"whenDeleted": "Delete"}
        before = eventually(lambda: resources(real))
        real.apply(body)
        real.ready(name, 120)
        real.sql(name, "CREATE TABLE t (a INT)")
        real.sql(name, "INSERT INTO t VALUES (7)")
        task = real.task_id(name)
        real.cli("restart", name)
        real.relaunched(name, task)
        real.ready(name, 120)
        assert real.sql(name, "SELECT a FROM t") == "7"
        said = real.cli("journal", name)
        assert ("of a static reservation" in said) is (not options)
        real.cli("delete", name)
        eventually(lambda: not real.volumes(name), 90)
        eventually(lambda: resources(real) == before, why=lambda: f"{before} is {resources(real)}")
    finally:
        sys.stderr.write(real.log("operator")[-3000:])
        real.close()


def resources(real: RealCluster) -> list[Any]:
    """Return the agent's resources, in a fixed order."""
    agents = real.ask("GET_AGENTS").get("agents", [])
    return sorted(str(r) for a in agents for r in a["total_resources"])
