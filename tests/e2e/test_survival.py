"""Kill -9, of one thing after the other and of all at once: every acknowledged row is there afterwards."""

import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from e2e.conftest import Cluster, Json, eventually, manifest


class Writer:
    """A client that writes rows and remembers which of them were acknowledged."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._stop = threading.Event()
        self.acknowledged: list[int] = []
        self._thread = threading.Thread(target=self._write, daemon=True)
        cluster.sql(name, "CREATE TABLE IF NOT EXISTS rows_written (n BIGINT PRIMARY KEY)")
        self._thread.start()

    def _write(self) -> None:
        number = 0
        while not self._stop.is_set():
            try:
                secret = self._cluster.client.secret("default", f"{self._name}-connection") or {}
                connection = pymysql.connect(
                    host=secret["host"],
                    port=int(secret["port"]),
                    user=secret["username"],
                    password=secret["password"],
                    database=secret["database"],
                    autocommit=True,
                    connect_timeout=2,
                    read_timeout=5,
                )
                with connection, connection.cursor() as cursor:
                    while not self._stop.is_set():
                        number += 1
                        cursor.execute("INSERT INTO rows_written VALUES (%s)", (number,))
                        self.acknowledged.append(number)
                        time.sleep(0.005)
            except Exception:  # noqa: BLE001 - everything may fail while things are killed; the rows tell
                self._stop.wait(0.1)

    def grows(self) -> None:
        before = len(self.acknowledged)
        eventually(lambda: len(self.acknowledged) > before + 5)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)

    def check(self) -> None:
        rows = self._cluster.sql(self._name, "SELECT n FROM rows_written")
        present = {int(line) for line in rows.splitlines()}
        missing = [n for n in self.acknowledged if n not in present]
        assert not missing, f"{len(missing)} acknowledged rows are lost: {missing[:10]}"


@pytest.fixture(scope="module")
def host_root() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="sdb-e2e-") as folder:
        Path(folder).chmod(0o755)
        yield folder


STRATEGIES = ("PersistentVolume", "HostPath")


def storage(strategy: str, root: str) -> Json:
    if strategy == "HostPath":
        return {"strategy": strategy, "size": "1Gi", "hostPath": {"path": root}}
    return {"strategy": strategy, "size": "1Gi"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rows_survive_every_kill(cluster: Cluster, host_root: str, strategy: str) -> None:
    name = f"survive-{strategy.lower()}"
    cluster.apply(manifest(name, storage(strategy, host_root)))
    cluster.ready(name)
    writer = Writer(cluster, name)
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
    for daemon in ("operator", "mesos-master", "agent-1", "agent-2", "agent-3", "api-server"):
        cluster.kill(daemon)
        cluster.restart(daemon)
        writer.grows()
    cluster.ready(name)
    assert cluster.task_id(name) == steady, "a daemon's death touched a task"
    for daemon in [d.name for d in cluster.parts.daemons()]:
        cluster.kill(daemon)
    for pid in cluster.processes(steady).values():
        os.kill(pid, signal.SIGKILL)
    cluster.cli("up", "--no-quickstart")
    eventually(lambda: cluster.task_id(name) != steady)
    cluster.ready(name)
    writer.grows()
    writer.stop()
    writer.check()
    (volume,) = cluster.volumes(name)
    assert len(volume["spec"].get("reservations", [])) == 1, "a reservation was doubled"


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


def counts(cluster: Cluster) -> dict[str, Any]:
    import urllib.request

    with urllib.request.urlopen(f"http://{cluster.parts.mesos}/metrics/snapshot", timeout=5) as answer:
        return dict(json.load(answer))
