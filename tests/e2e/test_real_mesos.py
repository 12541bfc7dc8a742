"""The operator, unchanged, on a real Apache Mesos 1.11.0, with the embedded API server."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import Cluster, eventually, from_file, manifest
from e2e.forgetting import idle_data_is_found_again
from e2e.killing import rows_survive_every_kill
from glusterfs import GlusterFs, run
from statefuldb.cli.cluster import NAMESPACE
from statefuldb.local.supervisor import Daemon, free_port

pytestmark = pytest.mark.real_mesos

MOUNT_POINT = "/mnt/statefuldb-real"
BUILD = Path(__file__).parents[1] / "conformance/mesos/real_mesos/build.sh"


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a built real Mesos: the one named by STATEFULDB_REAL_MESOS, or one built here."""
    named = os.environ.get("STATEFULDB_REAL_MESOS")
    if named:
        return Path(named)
    if shutil.which("g++") is None:
        pytest.skip("no real Mesos: building it needs g++")
    folder = tmp_path_factory.mktemp("real-mesos")
    done = subprocess.run(
        ["bash", str(BUILD), str(folder)],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        pytest.skip(f"no real Mesos: {done.stderr[-300:]}")
    return folder


class RealCluster(Cluster):
    """The embedded API server and our operator, with a real Mesos between."""

    def __init__(self, state_dir: Path, binaries: Path) -> None:
        super().__init__(state_dir)
        self._binaries = binaries
        self._port = free_port("127.0.0.1")
        self.mesos: subprocess.Popen[bytes] | None = None
        self.parts.plan(agents=0, dfs=())
        self.start_mesos()
        self.parts.start_one(self.parts.daemons()[0])
        self.cli_crds()
        self.start_operator()

    def start_mesos(self) -> None:
        with (self.state_dir / "mesos.log").open("ab") as log:
            self.mesos = subprocess.Popen(
                ["bash", str(self._binaries / "run-local.sh"), "1", str(self._port), str(self.state_dir / "real")],
                stdout=log,
                stderr=log,
                env={**os.environ, "MESOS_ROLES": "statefuldb", "MESOS_ATTRIBUTES": f"statefuldb_dfs:{MOUNT_POINT}"},
                start_new_session=True,
            )

    def cli_crds(self) -> None:
        import yaml

        for path in sorted((Path(__file__).parents[2] / "crds").glob("*.yaml")):
            for body in yaml.safe_load_all(path.read_text()):
                self.client.apply(body, "")

    def start_operator(self) -> None:
        operator = (
            "statefuldb",
            "operator",
            "run",
            *("--kubeconfig", str(self.parts.kubeconfig), "--mesos", f"127.0.0.1:{self._port}"),
            *("--namespace", NAMESPACE, "--state", str(self.state_dir / "operator")),
        )
        self.parts.supervisor.start(Daemon(name="operator", arguments=operator))

    def stop_mesos(self, number: int) -> None:
        assert self.mesos is not None
        os.killpg(self.mesos.pid, number)
        self.mesos.wait(30)

    def victims(self) -> tuple[str, ...]:
        return ("operator", "mesos", "api-server")

    def kill(self, daemon: str) -> None:
        if daemon == "mesos":
            self.stop_mesos(signal.SIGKILL)
        else:
            super().kill(daemon)

    def restart(self, daemon: str) -> None:
        if daemon == "mesos":
            self.start_mesos()
        elif daemon == "operator":
            self.start_operator()
        else:
            super().restart(daemon)

    def up(self, name: str) -> None:
        """Start everything again; `up` itself knows only the embedded Mesos, so nothing is waited for."""
        for daemon in reversed(self.victims()):
            self.restart(daemon)

    def close(self) -> None:
        self.parts.supervisor.stop("operator")
        self.parts.supervisor.stop("api-server")
        self.stop_mesos(signal.SIGTERM)


@pytest.fixture(scope="module")
def real(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    state = tmp_path_factory.mktemp("real")
    one = RealCluster(state, binaries)
    yield one
    sys.stderr.write(one.log("operator")[-2000:])
    one.close()


@pytest.mark.parametrize("example", ["persistent-volume", "host-path"])
def test_rows_survive_every_kill(real: RealCluster, host_root: str, example: str) -> None:
    body = from_file(example)
    if example == "host-path":
        body["spec"]["storage"]["hostPath"]["path"] = host_root
    real.apply(body)
    real.ready(body["metadata"]["name"], 120)
    rows_survive_every_kill(real, body["metadata"]["name"])


def test_rows_on_a_real_glusterfs_survive_every_kill(real: RealCluster, gluster: GlusterFs) -> None:
    Path(MOUNT_POINT).mkdir()
    run("mount", "--bind", str(gluster.views[0].path), MOUNT_POINT)
    try:
        body = from_file("dfs")
        body["metadata"]["name"] = "everywhere"
        body["spec"]["storage"]["dfs"]["mountPoint"] = MOUNT_POINT
        body["spec"]["deletionProtection"] = "Disabled"
        real.apply(body)
        real.ready("everywhere", 120)
        rows_survive_every_kill(real, "everywhere")
        task = real.task_id("everywhere")
        real.cli("delete", "everywhere")
        eventually(lambda: not real.processes(task), 90)
    finally:
        run("umount", "--lazy", MOUNT_POINT)
        Path(MOUNT_POINT).rmdir()


def test_idle_data_is_found_again(real: RealCluster) -> None:
    idle_data_is_found_again(real, "forgotten")


def test_a_database_lives_and_survives_on_a_real_mesos(real: RealCluster) -> None:
    name = "genuine"
    body = manifest(name, {"strategy": "PersistentVolume", "size": "1Gi"}, deletionProtection="Disabled")
    real.apply(body)
    real.ready(name, 120)
    real.sql(name, "CREATE TABLE t (a INT)")
    real.sql(name, "INSERT INTO t VALUES (7)")
    task = real.task_id(name)
    os.kill(real.processes(task)["keeper"], signal.SIGKILL)
    real.relaunched(name, task)
    real.ready(name, 120)
    assert real.sql(name, "SELECT a FROM t") == "7"
    task = real.task_id(name)
    body["spec"]["resources"]["memory"] = "384Mi"
    real.apply(body)
    real.relaunched(name, task)
    real.ready(name, 120)
    assert real.sql(name, "SELECT a FROM t") == "7"
    body["spec"]["retention"] = {"whenDeleted": "Delete"}
    real.apply(body)
    real.ready(name)
    real.cli("delete", name)
    eventually(lambda: not real.volumes(name), 60)
