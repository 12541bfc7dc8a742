"""DFS on a real GlusterFS: two agents, each with its own FUSE mount of one volume."""

import os
import signal
from collections.abc import Iterator

import pytest

from e2e.conftest import Cluster, eventually, from_file
from e2e.killing import rows_survive_every_kill
from e2e.sharing import BOOTSTRAP_SECONDS, MOUNT_POINT, agent_of, assert_cannot_write, dfs, shared_cluster
from e2e.witnesses import Writer
from glusterfs import GlusterFs


@pytest.fixture(scope="module")
def shared(gluster: GlusterFs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with shared_cluster(gluster, tmp_path_factory.mktemp("shared")) as one:
        yield one


def test_rows_survive_every_kill(shared: Cluster) -> None:
    body = from_file("dfs")
    body["spec"]["storage"]["dfs"]["mountPoint"] = MOUNT_POINT
    shared.apply(body)
    shared.ready("shared", BOOTSTRAP_SECONDS)
    rows_survive_every_kill(shared, "shared")


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
    shared.kill_task(task)
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
