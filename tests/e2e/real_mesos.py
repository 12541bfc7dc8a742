"""A real Apache Mesos 1.11.0 under the operator, with the embedded API server."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import yaml

from e2e.conftest import ROOT, Cluster, eventually
from statefuldb.local.supervisor import free_port

MOUNT_POINT = "/mnt/statefuldb-real"


class RealCluster(Cluster):
    """The embedded API server and our operator, with a real Mesos between."""

    def __init__(self, state_dir: Path, binaries: Path, *, operator: tuple[str, ...] = (), **settings: str) -> None:
        """Start it. `settings` are further flags of master and agent, as `MESOS_...` variables; empty for none.

        `operator` are further options of the operator.
        """
        super().__init__(state_dir)
        self._operator = operator
        self._binaries = binaries
        self._port = free_port("127.0.0.1")
        # Clusters that run side by side share the loopback address, so each has ports of its own.
        first = 20_000 + self._port % 100 * 100
        self._settings = {
            "MESOS_ROLES": "statefuldb",
            "MESOS_ATTRIBUTES": f"statefuldb_dfs:{MOUNT_POINT}",
            "MESOS_RESOURCES": f"cpus:4;mem:8192;disk:40960;ports:[{first}-{first + 99}]",
            **settings,
        }
        self.mesos_options = ("--mesos", self.master)
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
                env={**os.environ, **{name: value for name, value in self._settings.items() if value}},
                start_new_session=True,
            )

    def cli_crds(self) -> None:
        for path in sorted((ROOT / "crds").glob("*.yaml")):
            for body in yaml.safe_load_all(path.read_text()):
                self.client.apply(body, "")

    @property
    def master(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start_operator(self) -> None:
        self.run_operator(self.master, *self._operator)

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

    def send(self, daemon: str, number: int) -> None:
        if daemon == "mesos":
            assert self.mesos is not None
            os.killpg(self.mesos.pid, number)
        else:
            super().send(daemon, number)

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
        """Stop everything, tasks included, which outlive their agents otherwise."""
        self.parts.supervisor.stop("operator")
        self.parts.supervisor.stop("api-server")
        self.stop_mesos(signal.SIGTERM)
        for pid in self._left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        # Servers still write into folders that are about to be removed.
        eventually(lambda: not self._left(), 90, lambda: f"{self._left()} still run")

    def _left(self) -> list[int]:
        """Return the processes that work in a sandbox or a volume of this cluster."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(self.state_dir / "real"):
                    found.append(int(entry.name))
        return found
