"""Apply to Ready and kill to Ready with a real server, beside what the server alone takes for the same.

The embedded cluster with one agent; MariaDB of this machine. Engine alone and end to end take turns, so that what else
the machine does hits both.
"""

import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from measuring import table, write
from statuses import Json, Statuses, is_ready

from e2e.conftest import Cluster, manifest
from statefuldb.keeper.server import MariaDbServer
from statefuldb.local.supervisor import free_port
from statefuldb.planning.engines.engine import ServerOrders, ServerPaths
from statefuldb.planning.engines.mariadb import MariaDb

ROUNDS = 3
PATIENCE_SECONDS = 120.0
MEMORY_BYTES = 256 * 1024 * 1024
BOUND = (
    "\nWhat bounds it: the server alone is `mariadb-install-db` and the start, or the recovery. Ours is the "
    "start of the keeper's Python with its libraries, a certificate fetched through the agent, one round "
    "of offers of the master, and the passes between them, each of which writes to the API; all of it is "
    "CPU time of several processes, so that it grows with whatever else the machine does.\n"
)
VOLUME: Json = {"strategy": "PersistentVolume", "size": "1Gi"}


class Alone:
    """The server without a keeper, a cluster or an operator, with the configuration that a keeper gives it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sdb-alone-"))
        self._folder.chmod(0o755)
        self._data = self._folder / "data"
        self._paths = ServerPaths(
            data_directory=str(self._data), run_directory=str(self._folder / "run"), config_directory=str(self._folder)
        )
        self._orders = ServerOrders(
            listen_address="127.0.0.1",
            port=free_port("127.0.0.1"),
            server_id=1,
            memory_bytes=MEMORY_BYTES,
            options={},
            user=None,
        )
        self._server = self._new()

    def _new(self) -> MariaDbServer:
        return MariaDbServer(engine=MariaDb(), orders=self._orders, paths=self._paths)

    def initialise_and_start(self) -> float:
        """Return the seconds from an empty directory to the first answer."""
        began = time.perf_counter()
        claim = os.open(self._folder, os.O_RDONLY)
        self._server.initialise(self._data, inherited=claim)
        os.close(claim)
        self._start()
        return time.perf_counter() - began

    def kill_and_start(self) -> float:
        """Return the seconds that a server killed with -9 takes to answer again, its recovery included."""
        os.kill(self._server.pid, signal.SIGKILL)
        began = time.perf_counter()
        self._server = self._new()
        self._start()
        return time.perf_counter() - began

    def _start(self) -> None:
        claim = os.open(self._folder, os.O_RDONLY)
        self._server.start(inherited=claim, log=self._folder / "server.log")
        os.close(claim)
        while not self._server.answers():
            self._server.wait(0.01)

    def end(self) -> None:
        """Remove all of it."""
        self._server.stop(PATIENCE_SECONDS)
        shutil.rmtree(self._folder)


def measured(cluster: Cluster, statuses: Statuses, number: int) -> tuple[float, float]:
    """Return the seconds from apply to Ready, and from kill -9 of its server to Ready, of one new database."""
    name = f"orders-{number}"
    began = time.perf_counter()
    cluster.client.apply(manifest(name, VOLUME), "default")
    applied = statuses.until(name, is_ready, PATIENCE_SECONDS) - began
    task = cluster.task_id(name)
    engine = cluster.processes(task)["engine"]
    began = time.perf_counter()
    os.kill(engine, signal.SIGKILL)

    def again(status: Json) -> bool:
        return is_ready(status) and status["members"][0]["taskId"] != task

    killed = statuses.until(name, again, PATIENCE_SECONDS) - began
    cluster.client.merge("StatefulDatabase", "default", name, {"spec": {"replicas": 0}})
    statuses.until(name, lambda status: not status.get("replicas"), PATIENCE_SECONDS)
    return applied, killed


def version() -> str:
    """Return the version of the server that is measured."""
    shown = subprocess.run(["/usr/sbin/mariadbd", "--version"], capture_output=True, text=True, check=True).stdout
    return shown.split("Ver ")[-1].split("-")[0]


def main() -> None:
    """Measure, and write the results down."""
    state = Path(tempfile.mkdtemp(prefix="statefuldb-end-to-end-"))
    cluster = Cluster(state)
    whole: list[tuple[float, float]] = []
    engine: list[tuple[float, float]] = []
    try:
        cluster.cli("up", "--no-quickstart", "--agents", "1")
        statuses = Statuses(cluster.parts.kubeconfig)
        for number in range(ROUNDS + 1):
            alone = Alone()
            engine.append((alone.initialise_and_start(), alone.kill_and_start()))
            alone.end()
            whole.append(measured(cluster, statuses, number))
    finally:
        cluster.cli("down")
        shutil.rmtree(state)
    rows = []
    for case, name in enumerate(("apply to Ready", "kill -9 of the server to Ready")):
        # The first round warms caches of the machine and is not counted.
        total, alone_seconds = (statistics.median(r[case] for r in found[1:]) for found in (whole, engine))
        ours = statistics.median(w[case] - e[case] for w, e in zip(whole[1:], engine[1:], strict=True))
        rows.append((name, f"{total:.2f} s", f"{alone_seconds:.2f} s", f"{ours:.2f} s", f"{total / alone_seconds:.1f}"))
    said = (
        f"{ROUNDS} databases one after the other on one agent, MariaDB {version()}. Medians; ours is the median of the "
        "differences between a round's whole and the server alone just before it.\n"
    )
    header = ("", "whole", "server alone", "ours", "ratio")
    write("end_to_end", "End to end on real processes", [said, table(header, rows), BOUND])


if __name__ == "__main__":
    main()
