"""The fence command: a program of the administrator's that cuts a lost agent off at the file servers.

For CephFS it evicts the client, for NFS or GlusterFS it takes the agent out of the export (docs/design.md section 8,
"Fencing on DFS", (b)). It gets one JSON object on standard input and nothing else; status 0 means that the agent can
write no more, and anything else that nothing is proved.
"""

import json
import os
import resource
import signal
import subprocess
import threading
from contextlib import suppress
from logging import getLogger
from pathlib import Path

from statefuldb.model.actions import FenceAgent
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)
TIMEOUT_SECONDS = 120.0
# A command mostly ends within a second. Behind one that does not no other worker waits: each has databases to look at.
TURN_SECONDS = 5.0
SAID_LIMIT = 300
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class FenceCommand:
    """Runs the program at `path`; None means that there is none. Raises EffectFailed where it cannot be trusted.

    `open_files` are its limits, soft and hard; without them it has the operator's own.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        open_files: tuple[int, int] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        if path is not None:
            _check(path)
        self._path = path
        self._open_files = open_files
        self._timeout_seconds = timeout_seconds
        self._turn_seconds = turn_seconds
        self._one = threading.Lock()

    @property
    def configured(self) -> bool:
        """Whether there is a command."""
        return self._path is not None

    def fence(self, wanted: FenceAgent) -> None:
        """Run the command for one lost agent, one at a time.

        Raises EffectFailed unless it ends with 0 in time, and where another run lasts for longer than a moment.
        """
        if self._path is None:
            raise EffectFailed("no fence command is configured")
        order = {
            "namespace": wanted.key.namespace,
            "database": wanted.key.name,
            "taskId": str(wanted.task_id),
            "agent": {"id": wanted.agent.id, "hostname": wanted.agent.hostname, "address": wanted.agent.address},
            "dfs": {"type": wanted.dfs.type, "mountPoint": wanted.dfs.mount_point, "source": wanted.dfs.source},
        }
        if not self._one.acquire(timeout=self._turn_seconds):
            raise EffectFailed("the fence command still runs for another agent or member")
        try:
            done = _run(self._path, json.dumps(order), self._timeout_seconds, self._open_files)
        except subprocess.TimeoutExpired as error:
            raise EffectFailed(f"the fence command did not end within {self._timeout_seconds:g} s") from error
        except OSError as error:
            raise EffectFailed(f"the fence command cannot be run: {error}") from error
        finally:
            self._one.release()
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-SAID_LIMIT:]
            raise EffectFailed(f"the fence command ended with status {done.returncode}: {said}")
        log.info("%s was cut off by the fence command", wanted.agent.hostname)


def _run(
    path: Path, order: str, timeout_seconds: float, open_files: tuple[int, int] | None
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end. Raises TimeoutExpired, once nothing of it goes on: it may be run again."""
    with subprocess.Popen(
        [str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=_ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    ) as process:
        if open_files is not None:
            # From outside, before it has its order: nothing of ours can be run in a child of a process with threads.
            with suppress(OSError):
                resource.prlimit(process.pid, resource.RLIMIT_NOFILE, open_files)
        try:
            said, complained = process.communicate(order, timeout_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, said, complained)


def _check(path: Path) -> None:
    """Whoever can write the program decides what counts as proof, so it must be the operator's or root's alone."""
    if not path.is_absolute() or not path.is_file() or not os.access(path, os.X_OK):
        raise EffectFailed(f"--fence-command {path} must be the absolute path of a program")
    held = path.stat()
    if held.st_uid not in (0, os.geteuid()) or held.st_mode & 0o022:
        raise EffectFailed(
            f"--fence-command {path} must belong to root or to the operator's user, and be writable by it alone"
        )
