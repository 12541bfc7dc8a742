"""A container of a rendered Deployment as a process: its arguments, its ServiceAccount, no kubeconfig."""

import subprocess
import sys
from pathlib import Path

from e2e.conftest import Json
from e2e.installing import Installed


class Pod:
    """One pod. `mounts` say where, on this machine, is what the container finds at a path."""

    def __init__(self, installed: Installed, deployment: Json, room: Path, mounts: dict[str, Path]) -> None:
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        self._installed, self._room = installed, room
        self._account = str(spec["serviceAccountName"])
        self._arguments = [str(argument) for argument in container["args"]]
        for path, place in mounts.items():
            assert any(mount["mountPath"] == path for mount in container["volumeMounts"]), path
            self._arguments = [argument.replace(path, str(place)) for argument in self._arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        account, environment = self._installed.account(self._account, self._room)
        with (self._room / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "e2e.in_pod", str(account), *self._arguments],
                stdout=log,
                stderr=log,
                cwd=self._room,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self._room), **environment},
            )

    def stop(self) -> int:
        """End it as the kubelet does; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def kill(self) -> None:
        """See that nothing of it is left."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(30)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self._room / "log").read_text()[-3000:]
