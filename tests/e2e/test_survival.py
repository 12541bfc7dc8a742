"""Kill -9, of one thing after the other and of all at once: every acknowledged row is there afterwards."""

import json
import os
import signal
import time
import urllib.request
from typing import Any

import pytest

from e2e.conftest import Cluster, eventually, from_file, manifest
from e2e.killing import rows_survive_every_kill
from statefuldb.adapters.keeper.pool import LONG_POLL_SECONDS


@pytest.mark.parametrize("example", ["quickstart", "persistent-volume", "host-path"])
def test_rows_survive_every_kill(cluster: Cluster, host_root: str, example: str) -> None:
    body = from_file(example)
    if "hostPath" in body["spec"]["storage"]:
        body["spec"]["storage"]["hostPath"]["path"] = host_root
    cluster.apply(body)
    name = body["metadata"]["name"]
    cluster.ready(name)
    rows_survive_every_kill(cluster, name)


def test_stopping_the_operator_touches_no_task_and_repairs_what_it_missed(cluster: Cluster) -> None:
    name = "unwatched"
    cluster.apply(manifest(name, {"strategy": "PersistentVolume", "size": "1Gi"}))
    cluster.ready(name)
    before = counts(cluster)
    task = cluster.task_id(name)
    cluster.parts.supervisor.stop("operator")
    assert cluster.processes(task).keys() == {"keeper", "engine"}
    cluster.restart("operator")
    cluster.ready(name)
    after = counts(cluster)
    for call in ("master/messages_kill", "master/messages_teardown"):
        assert after.get(call, 0) == before.get(call, 0)
    cluster.parts.supervisor.stop("operator")
    os.kill(cluster.processes(task)["keeper"], signal.SIGKILL)
    eventually(lambda: not cluster.processes(task))
    cluster.restart("operator")
    eventually(lambda: cluster.task_id(name) != task)
    cluster.ready(name)


def test_a_keeper_that_is_stopped_makes_its_database_not_ready_until_it_goes_on(cluster: Cluster) -> None:
    """Law `ready_is_true`: its kernel goes on to answer for it, so that its connection looks as well as ever."""
    name = "mute"
    cluster.apply(manifest(name, {"strategy": "PersistentVolume", "size": "1Gi"}))
    cluster.ready(name)
    task = cluster.task_id(name)
    running = cluster.processes(task)
    stopped_at = time.monotonic()
    os.kill(running["keeper"], signal.SIGSTOP)
    try:
        eventually(lambda: ready_reason(cluster, name) == "KeeperUnreachable")
        # 15 s, and whatever a busy machine adds; its answer is overdue after five minutes.
        assert time.monotonic() - stopped_at < LONG_POLL_SECONDS / 4
    finally:
        os.kill(running["keeper"], signal.SIGCONT)
    cluster.ready(name)
    assert cluster.task_id(name) == task
    assert cluster.processes(task) == running, "keeper or server was started anew"


def ready_reason(cluster: Cluster, name: str) -> str:
    stored = cluster.database(name) or {}
    return str(next(c["reason"] for c in stored["status"]["conditions"] if c["type"] == "Ready"))


def counts(cluster: Cluster) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{cluster.parts.mesos}/metrics/snapshot", timeout=5) as answer:
        return dict(json.load(answer))
