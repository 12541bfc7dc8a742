"""Daemons of the embedded cluster: started detached, found again, stopped. Knows nothing of what they do.

A daemon is alive while it holds the lock on its own file; a pid is signalled only while that lock is held, so a reused
pid is never hit.
"""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.05
LOG_LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """One daemon: its name, and the arguments of its Python module."""

    name: str
    arguments: tuple[str, ...]


class Supervisor:
    """The daemons of one state directory, which is made once the first is started."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._run = state_dir / "run"
        self._logs = state_dir / "logs"

    def prepare(self) -> None:
        """Make the directories, which only their owner may enter."""
        for folder in (self._state_dir, self._run, self._logs):
            folder.mkdir(parents=True, exist_ok=True)
        self._state_dir.chmod(0o700)

    def pid(self, name: str) -> int | None:
        """Return the pid of a daemon that is alive, else None."""
        path = self._run / f"{name}.pid"
        if not path.exists():
            return None
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
        return None

    def log(self, name: str) -> Path:
        """Return the log file of a daemon."""
        return self._logs / f"{name}.log"

    def start(self, daemon: Daemon) -> bool:
        """Start a daemon that is not alive; return whether it had to be started."""
        if self.pid(daemon.name) is not None:
            return False
        self.prepare()
        log = self.log(daemon.name)
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.rename(log.with_suffix(".old.log"))
        lock = os.open(self._run / f"{daemon.name}.pid", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with log.open("ab") as output:
            # The lock is on the description that the daemon inherits: it is free when the daemon is gone.
            process = subprocess.Popen(
                [sys.executable, "-m", *daemon.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(lock,),
                cwd="/",
            )
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(process.pid).encode(), 0)
        os.close(lock)
        return True

    def send(self, name: str, number: int) -> bool:
        """Signal a daemon; return whether it was alive."""
        pid = self.pid(name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def stop(self, name: str, *, seconds: float = 10.0, number: int = signal.SIGTERM) -> None:
        """Stop a daemon, by force after `seconds`."""
        if not self.send(name, number):
            return
        if not wait_for(lambda: self.pid(name) is None, seconds):
            self.send(name, signal.SIGKILL)
            wait_for(lambda: self.pid(name) is None, seconds)


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until `condition` holds, up to `seconds`; return whether it did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def free_port(host: str) -> int:
    """Return a port of `host` that is free now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
