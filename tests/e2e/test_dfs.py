"""DFS on a real GlusterFS: two agents, each with its own FUSE mount of one volume."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import Cluster, eventually, manifest
from e2e.glusterfs import GlusterFs, glusterfs

MOUNT_POINT = "/mnt/statefuldb-e2e"


@pytest.fixture(scope="module")
def gluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GlusterFs]:
    with glusterfs(tmp_path_factory.mktemp("gluster")) as servers:
        yield servers


@pytest.fixture(scope="module")
def shared(gluster: GlusterFs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    one = Cluster(tmp_path_factory.mktemp("shared"))
    views = [argument for view in gluster.views for argument in ("--dfs", f"{view.path}:{MOUNT_POINT}")]
    one.cli("up", "--no-quickstart", "--agents", "2", *views)
    yield one
    one.cli("down")
    Path(MOUNT_POINT).rmdir()


def dfs(cluster: Cluster, name: str) -> None:
    place = {"type": "GlusterFS", "mountPoint": MOUNT_POINT, "subPath": "databases"}
    cluster.apply(manifest(name, {"strategy": "DFS", "size": "1Gi", "dfs": place}))
    cluster.ready(name)


def agent_of(cluster: Cluster, name: str) -> str:
    stored = cluster.database(name)
    assert stored is not None
    host = stored["status"]["members"][0]["agent"]
    return next(agent.name for agent in cluster.parts.agents() if agent.host == host)


def test_rows_survive_and_the_member_moves_only_after_fencing(shared: Cluster) -> None:
    name = "roaming"
    dfs(shared, name)
    shared.sql(name, "CREATE TABLE t (a INT)")
    shared.sql(name, "INSERT INTO t VALUES (1)")
    task = shared.task_id(name)
    os.kill(shared.processes(task)["keeper"], signal.SIGKILL)
    shared.relaunched(name, task)
    shared.ready(name)
    shared.sql(name, "INSERT INTO t VALUES (2)")
    task, agent = shared.task_id(name), agent_of(shared, name)
    (volume,) = shared.volumes(name)
    uid = volume["spec"]["identity"]["uid"]
    shared.kill(agent)
    agent_id = volume["spec"]["launch"]["agent"]["id"]
    mark_gone(shared, agent_id)
    eventually(lambda: "FencingRequired" in shared.cli("explain", name))
    assert shared.processes(task).keys() == {"keeper", "engine"}, "the lost agent's server runs on"
    assert shared.task_id(name) == task, "a successor was launched without proof"
    said = shared.cli("explain", name)
    assert f"--confirm {task}" in said
    shared.cli("fence", name, "--confirm", "sdb.wrong.0.1", code=4)
    for pid in shared.processes(task).values():
        os.kill(pid, signal.SIGKILL)
    shared.cli("fence", name, "--confirm", task)
    shared.relaunched(name, task)
    shared.ready(name)
    assert agent_of(shared, name) != agent
    assert shared.sql(name, "SELECT a FROM t ORDER BY a") == "1\n2"
    token = shared.volumes(name)[0]["spec"]["token"]
    assert token == 3
    assert uid in shared.task_id(name)


def mark_gone(cluster: Cluster, agent_id: str) -> None:
    import json
    import urllib.request

    body = {"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": agent_id}}}
    request = urllib.request.Request(
        f"http://{cluster.parts.mesos}/api/v1", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5):
        pass
