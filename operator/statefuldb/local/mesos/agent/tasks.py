"""The agent's tasks on disk and as processes: starting, taking up again after the agent's death, killing, ending."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from statefuldb.local.mesos.agent.executor import kill_session
from statefuldb.local.mesos.json_files import load_json, save_json

Json = dict[str, Any]
DEFAULT_GRACE_SECONDS = 3.0


class RunningTask:
    """One task of this agent. `folder` holds its checkpoint, `sandbox` what the task sees.

    `given_up`: it is drained, and its agent is to be gone then. `healthy` and `check_found` are what its checks have
    found, as far as this process knows.
    """

    def __init__(self, folder: Path, order: Json) -> None:
        self.folder = folder
        self.order = order
        self.killed = False
        self.unwanted = False
        self.draining = self.given_up = False
        self.healthy: bool | None = None
        self.check_found: Json = {}
        self._started = -1

    @property
    def id(self) -> str:
        """Its task id."""
        return str(self.order["task"]["task_id"]["value"])

    @property
    def executor_id(self) -> str:
        """The id of the executor that runs it; a command is its own."""
        return str(self.order.get("group", {}).get("executor_id", self.id))

    @property
    def group(self) -> Json | None:
        """What it was launched with: its executor's id, its executor's sandbox, and the group's own id."""
        return self.order.get("group")

    @property
    def key(self) -> str:
        """What tells it from the tasks of all frameworks: an id is unique within one only."""
        return key_of(self.framework_id, self.id)

    @property
    def grace_seconds(self) -> float:
        """How long it may take to end, by its own word."""
        return grace_of(self.order["task"].get("kill_policy")) or DEFAULT_GRACE_SECONDS

    @property
    def framework_id(self) -> str:
        """Its framework's id."""
        return str(self.order["framework_id"])

    @property
    def sandbox(self) -> Path:
        """Its sandbox."""
        return Path(self.order["sandbox"])

    def environment(self, agent_id: str) -> Json:
        """Return what is in its environment besides the agent's own."""
        given = self.order["task"]["command"].get("environment", {}).get("variables", [])
        return {
            **{v["name"]: v.get("value", "") for v in given},
            "MESOS_SANDBOX": str(self.sandbox),
            "MESOS_DIRECTORY": str(self.sandbox),
            "MESOS_TASK_ID": self.id,
            "MESOS_EXECUTOR_ID": self.executor_id,
            "MESOS_FRAMEWORK_ID": self.framework_id,
            "MESOS_SLAVE_ID": agent_id,
        }

    def start(self, environment: Json) -> None:
        """Start its executor. Called once, after the checkpoint is on disk."""
        order = {
            "command": self.order["task"]["command"],
            "sandbox": str(self.sandbox),
            "environment": environment,
        }
        save_json(self.folder / "task.json", order)
        self._started, closed_when_started = os.pipe()
        executor = subprocess.Popen(
            [sys.executable, "-m", "statefuldb.local.mesos.agent.executor", str(self.folder), str(closed_when_started)],
            stdin=subprocess.DEVNULL,
            pass_fds=(closed_when_started,),
            start_new_session=True,
        )
        os.close(closed_when_started)
        save_json(
            self.folder / "executor.json",
            {"pid": executor.pid, "started": start_time(executor.pid), "boot": boot()},
        )

    def executor_pid(self) -> int | None:
        """Return the executor's pid while it lives, else None. A reused pid is told by its start time."""
        known = self._executor()
        if known is None or start_time(known["pid"]) != known["started"]:
            return None
        return int(known["pid"])

    def started_pid(self) -> int:
        """Return the pid that the executor was started with."""
        return int(load_json(self.folder / "executor.json", {"pid": 0})["pid"])

    def task_pid(self) -> int | None:
        """Return the pid of the task's main process, once it is known."""
        known = load_json(self.folder / "pid.json", None)
        return int(known["pid"]) if known is not None else None

    def signal_task(self, number: int) -> None:
        """Signal the task's process group."""
        pid = self.task_pid()
        if pid is not None and self.executor_pid() is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)

    def kill_all(self) -> None:
        """SIGKILL whatever is left of the session, its executor included.

        The number of a session is given to another one only once nothing is left of it: by then, or after a reboot, it
        may be that of somebody else's shell.
        """
        known = self._executor()
        if known is not None and start_time(known["pid"]) in (None, known["started"]):
            kill_session(int(known["pid"]))

    def _executor(self) -> Json | None:
        """Return what was written down of the executor, None where it was started before the machine was."""
        known: Json | None = load_json(self.folder / "executor.json", None)
        return known if known is not None and known.get("boot", boot()) == boot() else None

    def ending(self) -> tuple[str, str]:
        """Return the terminal state and Mesos's message for it, from what the executor wrote down."""
        known = load_json(self.folder / "exit.json", None)
        if known is None:
            return "TASK_FAILED", "Executor terminated"
        if "error" in known:
            return "TASK_FAILED", f"Failed to start the command: {known['error']}"
        code = known["code"]
        if code < 0:
            text = f"Command terminated with signal {signal.strsignal(-code)}"
        else:
            text = f"Command exited with status {code}"
        if self.killed or load_json(self.folder / "killed.json", False):
            return "TASK_KILLED", text
        return ("TASK_FINISHED" if code == 0 else "TASK_FAILED"), text

    async def started(self) -> None:
        """Return when the task's process runs, or could not be started. At once for a task that was taken up again."""
        if self._started < 0:
            return
        descriptor, self._started = self._started, -1
        await readable(descriptor)
        os.close(descriptor)

    async def kill(self, grace_seconds: float) -> None:
        """SIGTERM the task, SIGKILL it after the grace."""
        self.killed = True
        save_json(self.folder / "killed.json", True)
        pid = self.executor_pid()
        if pid is None:
            return
        self.signal_task(signal.SIGTERM)
        try:
            await asyncio.wait_for(ended(pid), timeout=grace_seconds)
        except TimeoutError:
            self.signal_task(signal.SIGKILL)

    async def watch(self, on_end: Callable[["RunningTask"], None]) -> None:
        """Wait for the executor's end, clear away what is left, and report."""
        pid = self.executor_pid()
        if pid is not None:
            await ended(pid)
        self.kill_all()
        on_end(self)

    def remove(self) -> None:
        """Remove the checkpoint; the sandbox stays for people to look at."""
        shutil.rmtree(self.folder, ignore_errors=True)


def grace_of(policy: Json | None) -> float | None:
    """Return the grace of a KillPolicy in seconds, or None."""
    nanoseconds = (policy or {}).get("grace_period", {}).get("nanoseconds")
    return None if nanoseconds is None else float(nanoseconds) / 1e9


def key_of(framework_id: str, task_id: str) -> str:
    """Return the key of a task."""
    return f"{framework_id}/{task_id}"


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot (proc(5), stat field 22); None where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def boot() -> str:
    """Return what tells this boot of the machine from every other (random(4), boot_id)."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


async def ended(pid: int) -> None:
    """Return when a process has ended (pidfd_open(2)); no polling."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await readable(descriptor)
    finally:
        os.close(descriptor)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


async def readable(descriptor: int) -> None:
    """Return when a descriptor can be read, its end included."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    loop.add_reader(descriptor, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(descriptor)
