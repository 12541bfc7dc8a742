"""Databases on Path and Mount disks of an agent (Mesos docs, multiple-disk; docs/mesos.md, Disks)."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import Cluster, eventually, manifest
from statefuldb.local.supervisor import Daemon, free_port

HOST = "127.0.0.9"
AGENT = "agent-with-disks"
MOUNT_MEGABYTES = 3072


def resource(name: str, value: float, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, **more}


def disk(kind: str, root: Path, megabytes: float) -> dict[str, Any]:
    return resource("disk", megabytes, disk={"source": {"type": kind, kind.lower(): {"root": str(root)}}})


@pytest.fixture(scope="module")
def roots(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Yield the roots of the disks that one agent more has."""
    folder = tmp_path_factory.mktemp("disks")
    roots = {kind: folder / kind for kind in ("Path", "Mount")}
    for root in roots.values():
        root.mkdir(mode=0o755)
    ports = {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 33000, "end": 33099}]}}
    resources = [
        *(resource("cpus", 2), resource("mem", 4096), ports),
        *(disk("PATH", roots["Path"], 8192), disk("MOUNT", roots["Mount"], MOUNT_MEGABYTES)),
    ]
    port = str(free_port(HOST))
    arguments = (
        *("statefuldb.local.mesos", "agent", "--work-dir", str(folder / "work"), "--master", cluster.master),
        *("--host", HOST, "--hostname", HOST, "--port", port, "--resources", json.dumps(resources)),
    )
    cluster.parts.supervisor.start(Daemon(name=AGENT, arguments=arguments))
    yield roots
    # Asked so it ends its tasks first, as a real agent does at SIGUSR1.
    cluster.parts.supervisor.send(AGENT, signal.SIGUSR1)
    eventually(lambda: cluster.parts.supervisor.pid(AGENT) is None, 90)


@pytest.mark.parametrize(("kind", "megabytes"), [("Path", 1024), ("Mount", MOUNT_MEGABYTES)])
def test_a_database_lives_on_a_disk_of_each_type_and_leaves_it_empty(
    cluster: Cluster, roots: dict[str, Path], kind: str, megabytes: int
) -> None:
    name = f"on-{kind.lower()}"
    storage = {"strategy": "PersistentVolume", "size": "1Gi", "persistentVolume": {"diskType": kind}}
    retention = {"whenDeleted": "Delete"}
    cluster.apply(manifest(name, storage, deletionProtection="Disabled", retention=retention))
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (7)")
    (volume,) = of_agent(cluster)
    assert volume["disk"]["source"]["type"] == kind.upper()
    assert volume["scalar"]["value"] == megabytes
    markers = list(roots[kind].rglob(".statefuldb/identity.json"))
    assert len(markers) == 1
    # A Mount disk is the volume itself.
    assert (markers[0].parents[1] == roots[kind]) is (kind == "Mount")
    task = cluster.task_id(name)
    cluster.cli("restart", name)
    cluster.relaunched(name, task)
    cluster.ready(name)
    assert cluster.sql(name, "SELECT a FROM t") == "7"
    cluster.cli("delete", name)
    eventually(lambda: not cluster.volumes(name))
    eventually(lambda: not of_agent(cluster))
    eventually(lambda: not [path for path in roots[kind].rglob("*") if path.is_file()])
    assert roots[kind].is_dir()


def of_agent(cluster: Cluster) -> list[dict[str, Any]]:
    """Return the persistent volumes of that agent."""
    agents = cluster.ask("GET_AGENTS")["agents"]
    (agent,) = [one for one in agents if one["agent_info"]["hostname"] == HOST]
    return [r for r in agent["total_resources"] if "persistence" in r.get("disk", {})]
