"""DFS on a real GlusterFS: two agents, each with its own FUSE mount of one volume."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import Cluster, eventually, from_file, manifest
from e2e.killing import rows_survive_every_kill
from e2e.witnesses import Writer
from glusterfs import SERVER_ADDRESS, VOLUME, GlusterFs

MOUNT_POINT = "/mnt/statefuldb-e2e"


@pytest.fixture(scope="module")
def shared(gluster: GlusterFs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    one = Cluster(tmp_path_factory.mktemp("shared"))
    views = [argument for view in gluster.views for argument in ("--dfs", f"{view.path}:{MOUNT_POINT}")]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STATEFULDB_FENCE_COMMAND", str(fence_command(one, gluster)))
        one.cli("up", "--no-quickstart", "--agents", "2", "--agent-timeout", "10", *views)
    yield one
    one.cli("down")
    Path(MOUNT_POINT).rmdir()


def fence_command(cluster: Cluster, gluster: GlusterFs) -> Path:
    """Write a program as an administrator would: it has the file servers refuse the agent that it is told."""
    path = cluster.state_dir / "fence"
    path.write_text(
        f"""#!{sys.executable}
import json, subprocess, sys
host = json.load(sys.stdin)["agent"]["hostname"]
# The agents' addresses end in 11 and 12, as those of their mounts' clients do.
client = {SERVER_ADDRESS.rpartition(".")[0]!r} + "." + host.rpartition(".")[2]
subprocess.run(["gluster", "--mode=script", "volume", "set", {VOLUME!r}, "auth.reject", client], check=True)
"""
    )
    path.chmod(0o700)
    return path


def test_rows_survive_every_kill(shared: Cluster) -> None:
    body = from_file("dfs")
    body["spec"]["storage"]["dfs"]["mountPoint"] = MOUNT_POINT
    shared.apply(body)
    shared.ready("shared")
    rows_survive_every_kill(shared, "shared")


def dfs(cluster: Cluster, name: str, **more: object) -> None:
    place = {"type": "GlusterFS", "mountPoint": MOUNT_POINT, "subPath": "databases"}
    cluster.apply(manifest(name, {"strategy": "DFS", "size": "1Gi", "dfs": place, **more}))
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
    shared.restart(agent)


def test_one_writer_a_hung_agent_with_a_living_server_gets_no_successor(shared: Cluster, gluster: GlusterFs) -> None:
    """The whole host hangs: agent, keeper and its mount's client stop, the server's process is left as it is."""
    name = "hung"
    dfs(shared, name)
    shared.sql(name, "CREATE TABLE t (a INT)")
    shared.sql(name, "INSERT INTO t VALUES (1)")
    task, agent = shared.task_id(name), agent_of(shared, name)
    keeper = shared.processes(task)["keeper"]
    number = [a.name for a in shared.parts.agents()].index(agent)
    client = gluster.views[number].pid
    os.kill(keeper, signal.SIGSTOP)
    os.kill(client, signal.SIGSTOP)
    shared.parts.supervisor.send(agent, signal.SIGSTOP)
    try:
        eventually(lambda: "FencingRequired" in shared.cli("explain", name))
        assert shared.task_id(name) == task, "a successor was launched without proof"
        shared.cli("fence", name, "--confirm", task)
        shared.relaunched(name, task)
        # The old server still lives and holds the lock on the directory: the successor must not open it.
        successor = shared.task_id(name)
        eventually(lambda: shared.processes(successor).get("keeper"))
        assert "engine" not in shared.processes(successor)
    finally:
        shared.parts.supervisor.send(agent, signal.SIGCONT)
        os.kill(client, signal.SIGCONT)
        os.kill(keeper, signal.SIGCONT)
    # The agent is back: the replaced incarnation is stopped before anything else, and only then the lock is free.
    eventually(lambda: not shared.processes(task))
    shared.ready(name, 120)
    assert shared.task_id(name) == successor
    assert shared.sql(name, "SELECT a FROM t") == "1"


def test_a_partitioned_agent_is_replaced_only_once_fenced_and_can_never_write_again(
    shared: Cluster, gluster: GlusterFs
) -> None:
    """The network of an agent and of its mount is cut while its server runs (docs/design.md section 8, "Fencing")."""
    name = "islanded"
    dfs(shared, name)
    writer = Writer(shared, name)
    writer.grows()
    task, agent = shared.task_id(name), agent_of(shared, name)
    processes = shared.processes(task)
    view = gluster.views[[a.name for a in shared.parts.agents()].index(agent)]
    os.kill(processes["keeper"], signal.SIGSTOP)
    shared.parts.supervisor.send(agent, signal.SIGSTOP)
    view.cut()
    try:
        eventually(lambda: "FencingRequired" in shared.cli("explain", name))
        assert shared.processes(task) == processes, "the old server runs on"
        assert shared.task_id(name) == task, "a successor was launched without proof"
        # What a person does before they confirm: the file servers refuse the lost agent.
        gluster.reject(view)
        shared.cli("fence", name, "--confirm", task)
        shared.relaunched(name, task)
        shared.ready(name)
        successor = shared.task_id(name)
        assert shared.processes(task) == processes, "the old server was no witness of what follows"
        writer.grows()
        view.heal()
        eventually(view.was_refused)
        assert_cannot_write(view.path, shared.volumes(name)[0]["spec"]["directory"])
    finally:
        view.heal()
        shared.parts.supervisor.send(agent, signal.SIGCONT)
        os.kill(processes["keeper"], signal.SIGCONT)
    eventually(lambda: not shared.processes(task))
    assert shared.task_id(name) == successor, "the old member's return touched its successor"
    writer.grows()
    writer.check()


def test_the_fence_command_moves_a_member_that_asks_for_it(shared: Cluster, gluster: GlusterFs) -> None:
    """Nobody confirms anything: the lost agent's server runs on, is refused by the file servers, and is replaced."""
    name = "fenced"
    # The test before this one had the servers refuse a client; it is let in again by a person.
    gluster.reject()
    dfs(shared, name, onNodeLoss={"action": "Reattach", "afterSeconds": 1})
    writer = Writer(shared, name)
    writer.grows()
    task, agent = shared.task_id(name), agent_of(shared, name)
    processes = shared.processes(task)
    view = gluster.views[[a.name for a in shared.parts.agents()].index(agent)]
    shared.kill(agent)
    shared.relaunched(name, task)
    shared.ready(name)
    assert shared.processes(task).get("engine") in (None, processes["engine"])
    assert agent_of(shared, name) != agent
    assert_cannot_write(view.path, shared.volumes(name)[0]["spec"]["directory"])
    assert shared.volumes(name)[0]["spec"]["token"] == 2
    writer.grows()
    writer.check()
    shared.restart(agent)
    eventually(lambda: not shared.processes(task))
    gluster.reject()


def assert_cannot_write(view: Path, directory: str) -> None:
    """Assert that the file servers refuse a write through a view."""
    inside = view / Path(directory).relative_to(MOUNT_POINT) / "intruder"
    done = subprocess.run(["touch", str(inside)], capture_output=True, check=False, timeout=60)
    assert done.returncode != 0
