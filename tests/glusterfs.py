"""A real GlusterFS on this machine: one volume, mounted twice through FUSE, each mount one agent's view.

Each client lives in a network namespace of its own, with an address of its own, so that it can be cut off as a host is:
by its cable (`cut`), or by the servers that refuse it (`reject`, which is what fences it).
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BRIDGE = "sdbgl0"
NETWORK = "10.213.7"
SERVER_ADDRESS = f"{NETWORK}.1"
VOLUME = "sdbvol"
LOCK = Path(tempfile.gettempdir()) / "statefuldb-test-glusterfs.lock"


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
        self.address = f"{NETWORK}.{10 + number}"
        self._space, self._cable = f"{BRIDGE}-{number}", f"{BRIDGE}h{number}"
        self._plug_in(f"{BRIDGE}n{number}")
        self._log = folder / f"view-{number}.log"
        self._client = subprocess.Popen(
            [
                *("nsenter", f"--net=/run/netns/{self._space}"),
                "glusterfs",
                "--no-daemon",
                f"--volfile-server={SERVER_ADDRESS}",
                f"--volfile-id={VOLUME}",
                f"--log-file={self._log}",
                str(self.path),
            ]
        )
        deadline = time.monotonic() + 30
        while not os.path.ismount(self.path):
            assert self._client.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        return self._client.pid

    def cut(self) -> None:
        """Pull the cable."""
        run("ip", "link", "set", self._cable, "down")

    def heal(self) -> None:
        """Plug it in again."""
        run("ip", "link", "set", self._cable, "up")

    def was_refused(self) -> bool:
        """Say whether the servers have refused this client."""
        return "Authentication failed" in self._log.read_text()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], check=False, capture_output=True)
        self._client.kill()
        self._client.wait()
        run("ip", "netns", "del", self._space)

    def _plug_in(self, far_end: str) -> None:
        subprocess.run(["ip", "netns", "del", self._space], capture_output=True, check=False)
        run("ip", "netns", "add", self._space)
        run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", far_end)
        run("ip", "link", "set", far_end, "netns", self._space)
        run("ip", "link", "set", self._cable, "master", BRIDGE, "up")
        run("ip", "-n", self._space, "addr", "add", f"{self.address}/24", "dev", far_end)
        for device in ("lo", far_end):
            run("ip", "-n", self._space, "link", "set", device, "up")


class GlusterFs:
    """Servers and two views."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A run that was killed leaves its network behind; no other run is at work while the lock is held.
        subprocess.run(["ip", "link", "del", BRIDGE], capture_output=True, check=False)
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "addr", "add", f"{SERVER_ADDRESS}/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        self._daemon = subprocess.Popen(["glusterd", "--no-daemon"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while subprocess.run(["gluster", "--mode=script", "volume", "list"], capture_output=True).returncode:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        self._forget()
        brick = folder / "brick"
        run("gluster", "--mode=script", "volume", "create", VOLUME, f"{SERVER_ADDRESS}:{brick}", "force")
        run("gluster", "--mode=script", "volume", "set", VOLUME, "performance.write-behind", "off")
        run("gluster", "--mode=script", "volume", "start", VOLUME)
        self.views = [View(folder, number) for number in (1, 2)]
        self.views[0].path.chmod(0o755)

    def reject(self, *views: View) -> None:
        """Let the servers drop and refuse these clients, and no others."""
        if views:
            run("gluster", "--mode=script", "volume", "set", VOLUME, "auth.reject", ",".join(v.address for v in views))
        else:
            run("gluster", "--mode=script", "volume", "reset", VOLUME, "auth.reject")

    def _forget(self) -> None:
        """Remove the volume, also one that a run left behind that was killed."""
        for command in ("stop", "delete"):
            subprocess.run(["gluster", "--mode=script", "volume", command, VOLUME], capture_output=True, check=False)

    def close(self) -> None:
        for view in self.views:
            view.close()
        self._forget()
        self._daemon.send_signal(signal.SIGTERM)
        self._daemon.wait(20)
        run("ip", "link", "del", BRIDGE)


@contextlib.contextmanager
def glusterfs(folder: Path) -> Iterator[GlusterFs]:
    """Yield a GlusterFS, or skip with the reason."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    with LOCK.open("w") as lock:
        # There is one glusterd and one bridge on a machine; tests that run side by side take turns.
        fcntl.flock(lock, fcntl.LOCK_EX)
        servers = GlusterFs(folder)
        try:
            yield servers
        finally:
            servers.close()
