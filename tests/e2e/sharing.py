"""An embedded cluster of two agents on one real GlusterFS, and databases on it."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from e2e.conftest import Cluster, manifest
from glusterfs import GlusterFs

MOUNT_POINT = "/mnt/statefuldb-e2e"
# A server's first files go through the network, each synced: on a busy machine nothing else of its life takes longer.
BOOTSTRAP_SECONDS = 240.0


@contextlib.contextmanager
def shared_cluster(gluster: GlusterFs, state_dir: Path) -> Iterator[Cluster]:
    one = Cluster(state_dir)
    views = [argument for view in gluster.views for argument in ("--dfs", f"{view.path}:{MOUNT_POINT}")]
    one.cli("up", "--no-quickstart", "--agents", "2", "--agent-timeout", "10", *views)
    yield one
    one.cli("down")
    Path(MOUNT_POINT).rmdir()


def dfs(cluster: Cluster, name: str, **more: object) -> None:
    place = {"type": "GlusterFS", "mountPoint": MOUNT_POINT, "subPath": "databases"}
    cluster.apply(manifest(name, {"strategy": "DFS", "size": "1Gi", "dfs": place, **more}))
    cluster.ready(name, BOOTSTRAP_SECONDS)


def agent_of(cluster: Cluster, name: str) -> str:
    stored = cluster.database(name)
    assert stored is not None
    host = stored["status"]["members"][0]["agent"]
    return next(agent.name for agent in cluster.parts.agents() if agent.host == host)


def assert_cannot_write(view: Path, directory: str) -> None:
    """Assert that the file servers refuse a write through a view."""
    inside = view / Path(directory).relative_to(MOUNT_POINT) / "intruder"
    done = subprocess.run(["touch", str(inside)], capture_output=True, check=False, timeout=60)
    assert done.returncode != 0
