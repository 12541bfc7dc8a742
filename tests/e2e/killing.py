"""Kill -9 of everything that can be killed, one after the other and then all at once."""

import os
import signal

from e2e.conftest import Cluster, eventually
from e2e.witnesses import OneWriter, Writer


def rows_survive_every_kill(cluster: Cluster, name: str) -> None:
    """Kill engine, keeper, and each daemon under a writing client, then all at once and run only `up`."""
    one_writer, writer = OneWriter(), Writer(cluster, name)
    seen_tasks = {cluster.task_id(name)}
    for victim in ("engine", "keeper"):
        writer.grows()
        task = cluster.task_id(name)
        os.kill(cluster.processes(task)[victim], signal.SIGKILL)
        cluster.relaunched(name, task)
        cluster.ready(name)
        assert cluster.task_id(name) not in seen_tasks
        seen_tasks.add(cluster.task_id(name))
        writer.grows()
    steady = cluster.task_id(name)
    for daemon in cluster.victims():
        cluster.kill(daemon)
        cluster.restart(daemon)
        writer.grows()
    cluster.ready(name)
    assert cluster.task_id(name) == steady, "a daemon's death touched a task"
    for daemon in cluster.victims():
        cluster.kill(daemon)
    cluster.kill_task(steady)
    cluster.up(name)
    eventually(lambda: cluster.task_id(name) != steady)
    cluster.ready(name, 120)
    assert cluster.task_id(name) not in seen_tasks
    writer.grows()
    writer.check()
    one_writer.check()
    (volume,) = cluster.volumes(name)
    assert len(volume["spec"].get("reservations", [])) <= 1, "a reservation was doubled"
