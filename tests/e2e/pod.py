"""A container of a rendered Deployment as a process: its arguments, its ServiceAccount, no kubeconfig."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from e2e.conftest import Json
from e2e.installing import HOME, Installed

# Where the kubelet puts the ServiceAccount is a folder of the whole machine; all else is as in a pod.
_PROGRAM = """
import pathlib, sys
from statefuldb.adapters.kubernetes import connection
connection.SERVICE_ACCOUNT = pathlib.Path(sys.argv.pop(1))
from statefuldb.cli import main
main()
"""


class Pod:
    """One pod. `mounts` say where, on this machine, is what the container finds at a path."""

    def __init__(self, installed: Installed, deployment: Json, room: Path, mounts: dict[str, Path]) -> None:
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        self._installed, self._room = installed, room
        self.account = str(spec["serviceAccountName"])
        self._arguments = [str(argument) for argument in container["args"]]
        for path, place in mounts.items():
            assert any(mount["mountPath"] == path for mount in container["volumeMounts"]), path
            self._arguments = [argument.replace(path, str(place)) for argument in self._arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = yaml.safe_load(self._installed.cluster.parts.kubeconfig.read_text())
        address = urlsplit(config["clusters"][0]["cluster"]["server"])
        account = self._room / "account"
        account.mkdir(exist_ok=True)
        authority = self._installed.cluster.parts.kubeconfig.parent / "server.crt"
        (account / "ca.crt").write_bytes(authority.read_bytes())
        (account / "namespace").write_text(HOME)
        (account / "token").write_text(self._installed.token(self.account))
        with (self._room / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(account), *self._arguments],
                stdout=log,
                stderr=log,
                cwd=self._room,
                env={
                    "PATH": "/usr/bin:/bin",
                    "HOME": str(self._room),
                    "KUBERNETES_SERVICE_HOST": str(address.hostname),
                    "KUBERNETES_SERVICE_PORT": str(address.port),
                },
            )

    def stop(self) -> int:
        """End it as the kubelet does; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self._room / "log").read_text()[-3000:]
