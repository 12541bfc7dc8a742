"""Daemons of the embedded cluster: started detached, found again, stopped. Knows nothing of what they do.

A daemon is alive while it holds the lock on its own file; a pid is signalled only while that lock is held, so a reused
pid is never hit.
"""

import contextlib
import errno
import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.05
STARTED_SECONDS = 10.0
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
        return int(self._held(name) or 0) or None

    def ended(self, name: str) -> bool:
        """Whether a daemon is not alive; one that is being started, and has told no pid yet, is."""
        return self._held(name) is None

    def last_words(self, name: str) -> str:
        """Return the last line of a daemon's log, empty where there is none."""
        log = self.log(name)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return lines[-1].strip() if lines else ""

    def log(self, name: str) -> Path:
        """Return the log file of a daemon."""
        return self._logs / f"{name}.log"

    def start(self, daemon: Daemon) -> bool:
        """Start a daemon that is not alive; return whether it had to be started.

        Whoever starts one may be killed, or interrupted, at any moment, and another may start the same one meanwhile:
        the daemon has the lock from its first moment, and writes its own pid before it becomes what it is.
        """
        self.prepare()
        log = self.log(daemon.name)
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.rename(log.with_suffix(".old.log"))
        path = self._run / f"{daemon.name}.pid"
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if not self._lock(lock, daemon.name):
            os.close(lock)
            return False
        os.ftruncate(lock, 0)
        with log.open("ab") as output:
            # The lock is on the description that the daemon inherits: it is free when the daemon is gone.
            process = subprocess.Popen(
                ["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', str(path), sys.executable, "-m", *daemon.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(lock,),
                cwd="/",
            )
        os.close(lock)
        wait_for(lambda: self.pid(daemon.name) is not None or process.poll() is not None, STARTED_SECONDS)
        return True

    def _held(self, name: str) -> str | None:
        """Return what a daemon's file says while somebody holds the lock on it, else None."""
        path = self._run / f"{name}.pid"
        if not path.exists():
            return None
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read()
        return None

    def _lock(self, lock: int, name: str) -> bool:
        """Take the lock for a daemon that is to start; False where one has it. Who looks holds it for a moment too."""
        mine = False

        def settled() -> bool:
            nonlocal mine
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return self.pid(name) is not None
            mine = True
            return True

        wait_for(settled, STARTED_SECONDS)
        return mine

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
    """Return a port of `host` that is free now. Raises OSError where `host` is none of this machine's.

    It is below those that the kernel gives to connections, one of which might take it before the server does, and below
    those that agents offer.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 31_000)
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            return port
