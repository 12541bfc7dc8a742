"""An embedded cluster of its own for each module, driven by the command line as a user would."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from statefuldb.adapters.kubernetes.cli_client import CliClient
from statefuldb.cli.cluster import NAMESPACE, EmbeddedCluster
from statefuldb.local.supervisor import Daemon

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


def eventually(what: Callable[[], Any], seconds: float = 60.0, why: Callable[[], str] = str) -> Any:
    """Return the first true value of `what`."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {why()}"
        time.sleep(0.1)
    return found


def kill_all(processes: dict[str, int]) -> None:
    """Kill processes with -9; with the first of them the others may end by themselves."""
    for pid in processes.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Cluster:
    """One embedded cluster. `mesos_options` name its master where the command line does not find it by itself."""

    mesos_options: tuple[str, ...] = ()

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.parts = EmbeddedCluster(state_dir)

    def cli(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "statefuldb", "--state-dir", str(self.state_dir), *arguments],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if k != "KUBECONFIG"},
            timeout=200,
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def ask(self, kind: str, **body: Any) -> Json:
        """Make a call of the master's v1 operator API; return what it is answered with, {} for nothing."""
        wanted = {"type": kind, **({kind.lower(): body} if body else {})}
        request = urllib.request.Request(
            f"http://{self.master}/api/v1",
            json.dumps(wanted).encode(),
            {"Content-Type": "application/json", "Accept": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            text = answer.read()
        return dict(json.loads(text).get(kind.lower(), {})) if text else {}

    @property
    def client(self) -> CliClient:
        return CliClient(self.parts.kubeconfig)

    def database(self, name: str, namespace: str = "default") -> Json | None:
        return self.client.get("StatefulDatabase", namespace, name)

    def volumes(self, name: str) -> list[Json]:
        return [v for v in self.client.list("DatabaseVolume") if v["spec"]["database"]["name"] == name]

    def apply(self, body: Json) -> None:
        path = self.state_dir / f"{body['metadata']['name']}.yaml"
        path.write_text(yaml.safe_dump(body))
        self.cli("apply", "-f", str(path), "--no-wait")

    def sql(self, name: str, statement: str, namespace: str = "default") -> str:
        return self.cli("-n", namespace, "sql", name, "-e", statement).strip()

    def ready(self, name: str, seconds: float = 90.0, namespace: str = "default") -> Json:
        """Wait until the database is Ready at its present generation, by a new observation."""

        def looked() -> Json | None:
            stored = self.database(name, namespace)
            assert stored is not None
            for held in stored.get("status", {}).get("conditions", []):
                current = held.get("observedGeneration") == stored["metadata"]["generation"]
                if held["type"] == "Ready" and held["status"] == "True" and current:
                    return stored
            return None

        return dict(eventually(looked, seconds, lambda: self.cli("-n", namespace, "explain", name)))

    def kill(self, daemon: str) -> None:
        """Kill one daemon with -9 and wait until it is gone."""
        assert self.parts.supervisor.send(daemon, signal.SIGKILL), daemon
        eventually(lambda: self.parts.supervisor.pid(daemon) is None)

    def send(self, daemon: str, number: int) -> None:
        """Signal one daemon."""
        self.parts.supervisor.send(daemon, number)

    def restart(self, daemon: str) -> None:
        for each in self.parts.daemons():
            if each.name == daemon:
                self.parts.start_one(each)

    @property
    def master(self) -> str:
        """Return where the Mesos master listens."""
        return self.parts.mesos

    def run_operator(self, master: str, *options: str) -> None:
        """Start the operator as `up` does, on another master or with further options."""
        operator = (
            *("statefuldb", "operator", "run"),
            *("--kubeconfig", str(self.parts.kubeconfig), "--mesos", master),
            *("--namespace", NAMESPACE, "--state", str(self.state_dir / "operator")),
            *options,
        )
        self.parts.supervisor.start(Daemon(name="operator", arguments=operator))

    def victims(self) -> tuple[str, ...]:
        """Return every daemon that can be killed alone."""
        return tuple(daemon.name for daemon in self.parts.daemons())

    def up(self, name: str) -> None:
        """Bring everything back that is not running, as a user would; `name` answers as soon as that returns."""
        self.cli("up", "--no-quickstart")
        assert self.sql(name, "SELECT 1") == "1", "`up` said Ready of a database that does not answer"

    def task_id(self, name: str) -> str:
        stored = self.database(name)
        assert stored is not None
        return str(stored["status"]["members"][0]["taskId"])

    def relaunched(self, name: str, before: str) -> None:
        """Wait until a member is launched under another task id."""
        eventually(lambda: self.task_id(name) != before, 90.0, lambda: self.cli("explain", name))

    def processes(self, task_id: str) -> dict[str, int]:
        """Return the pids of a task's keeper and of its server."""
        found: dict[str, int] = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if b"statefuldb.keeper" in command and f'"task_id":"{task_id}"'.encode() in environment:
                found["keeper"] = int(entry.name)
        for entry in Path("/proc").iterdir():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(fields[1]) == found.get("keeper") and b"mariadbd" in line:
                found["engine"] = int(entry.name)
        return found

    def kill_task(self, task_id: str) -> None:
        """Kill the keeper and the server of a task with -9."""
        kill_all(self.processes(task_id))

    def log(self, daemon: str) -> str:
        path = self.parts.supervisor.log(daemon)
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, host_root: str) -> Iterator[Cluster]:
    if shutil.which("mariadbd", path="/usr/sbin") is None:
        pytest.skip("no MariaDB server here")
    state_dir = tmp_path_factory.mktemp("cluster")
    one = Cluster(state_dir)
    one.cli("up", "--no-quickstart")
    yield one
    one.cli("down")
    for daemon in one.parts.daemons():
        assert one.parts.supervisor.pid(daemon.name) is None


def from_file(example: str) -> Json:
    """Return one of the manifests that users are shown."""
    return dict(yaml.safe_load((ROOT / "manifests" / f"{example}.yaml").read_text()))


def manifest(name: str, storage: Json, **more: Any) -> Json:
    return {
        "apiVersion": "statefuldb.dev/v1alpha1",
        "kind": "StatefulDatabase",
        "metadata": {"name": name},
        "spec": {
            "engine": {"type": "MariaDB", "version": "10.11"},
            "resources": {"cpus": "300m", "memory": "256Mi"},
            "storage": storage,
            **more,
        },
    }
