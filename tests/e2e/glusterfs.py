"""A real GlusterFS on this machine: one volume, mounted twice through FUSE, each mount one agent's view.

A view is cut off by stopping the packets of its client (SIGSTOP), as a host that hangs would.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BRIDGE = "sdbgl0"
SERVER_ADDRESS = "10.213.7.1"
VOLUME = "sdbvol"


def missing() -> str:
    """Return why there can be no GlusterFS here, empty where there can."""
    if os.geteuid() != 0:
        return "GlusterFS needs root (mounts)"
    if shutil.which("glusterd") is None or shutil.which("gluster") is None:
        return "GlusterFS is not installed (apt-get install glusterfs-server glusterfs-client)"
    if not Path("/dev/fuse").exists():
        return "no /dev/fuse here"
    return ""


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
    return done.stdout


class View:
    """One FUSE mount of the volume, by a client process of its own."""

    def __init__(self, folder: Path, number: int) -> None:
        self.path = folder / f"view-{number}"
        self.path.mkdir()
        log = folder / f"view-{number}.log"
        self._client = subprocess.Popen(
            [
                "glusterfs",
                "--no-daemon",
                f"--volfile-server={SERVER_ADDRESS}",
                f"--volfile-id={VOLUME}",
                f"--log-file={log}",
                str(self.path),
            ]
        )
        deadline = time.monotonic() + 30
        while not os.path.ismount(self.path):
            assert self._client.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        return self._client.pid

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], check=False, capture_output=True)
        self._client.kill()
        self._client.wait()


class GlusterFs:
    """Servers and two views."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "addr", "add", f"{SERVER_ADDRESS}/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        self._daemon = subprocess.Popen(["glusterd", "--no-daemon"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while subprocess.run(["gluster", "--mode=script", "volume", "list"], capture_output=True).returncode:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        brick = folder / "brick"
        run("gluster", "--mode=script", "volume", "create", VOLUME, f"{SERVER_ADDRESS}:{brick}", "force")
        run("gluster", "--mode=script", "volume", "set", VOLUME, "performance.write-behind", "off")
        run("gluster", "--mode=script", "volume", "start", VOLUME)
        self.views = [View(folder, number) for number in (1, 2)]
        self.views[0].path.chmod(0o755)

    def close(self) -> None:
        for view in self.views:
            view.close()
        for command in ("stop", "delete"):
            subprocess.run(["gluster", "--mode=script", "volume", command, VOLUME], capture_output=True, check=False)
        self._daemon.send_signal(signal.SIGTERM)
        self._daemon.wait(20)
        run("ip", "link", "del", BRIDGE)


@contextlib.contextmanager
def glusterfs(folder: Path) -> Iterator[GlusterFs]:
    """Yield a GlusterFS, or skip with the reason."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    servers = GlusterFs(folder)
    try:
        yield servers
    finally:
        servers.close()
