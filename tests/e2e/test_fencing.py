"""The fence command on a real GlusterFS: a lost agent is cut off at the file servers, and nobody is asked."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import Cluster, eventually
from e2e.sharing import agent_of, assert_cannot_write, dfs, shared_cluster
from e2e.witnesses import Writer
from glusterfs import SERVER_ADDRESS, VOLUME, GlusterFs


@pytest.fixture(scope="module")
def shared(gluster: GlusterFs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    state_dir = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STATEFULDB_FENCE_COMMAND", str(fence_command(state_dir)))
        with shared_cluster(gluster, state_dir) as one:
            yield one


def fence_command(folder: Path) -> Path:
    """Write a program as an administrator would: it has the file servers refuse the agent that it is told."""
    path = folder / "fence"
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


def test_the_fence_command_moves_a_member_that_asks_for_it(shared: Cluster, gluster: GlusterFs) -> None:
    """Nobody confirms anything: the lost agent's server runs on, is refused by the file servers, and is replaced."""
    name = "fenced"
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
