"""The masters that the suite runs against: the embedded one, the real one in one process, or one that is given."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from conformance.mesos.client import Http
from ports import free_port

RESOURCES = "cpus:4;mem:8192;disk:40960;ports:[31000-31099]"
ATTRIBUTES = "rack:r1;dfs:nfs"
REFUSING = "EXIT with status 1"
# How often the real Mesos in one process is started where it crashes by itself.
ATTEMPTS = 3
# Mounts on its first argument in a mount namespace of its own, and becomes the command that the others are.
MOUNTING = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$1" && shift && exec "$@"', "sh"]


class Control(Protocol):
    """Starts, stops, kills, pauses and resumes single daemons."""

    def run(self, action: str, role: str, number: int = 0, *flags: str) -> None: ...


class Whole(Protocol):
    """A cluster whose daemons are handled all at once, and whose agents' work directories can be reached."""

    def kill(self) -> None:
        """Kill all daemons with -9; tasks are left alone."""

    def start_master(self) -> None:
        """Start the master, and the agents with it where they are one process; those take some seconds to return."""

    def start_agents(self) -> None:
        """Start the agents, if they have not been."""

    def forget(self) -> None:
        """Do as an administrator does who wants agents to start as new ones."""

    def refusal(self, **flags: str) -> str:
        """Start the agents with other flags, wait until they have refused to run, and return what they said."""


class Mesos:
    """A cluster under test. `control` is None where its daemons cannot be handled one by one."""

    def __init__(self, name: str, address: str, control: Control | None, whole: Whole | None = None) -> None:
        self.name = name
        self.http = Http(address)
        self.control = control
        self.whole = whole

    def agents(self) -> list[str]:
        """Return the ids of the agents that are registered and active."""
        found = self.http.get("GET_AGENTS").get("agents", [])
        return [agent["agent_info"]["id"]["value"] for agent in found if agent.get("active")]


class Embedded:
    """An embedded master and agents, each a process; the suite's own process control for them."""

    def __init__(self, folder: Path, agents: int, *flags: str, agent_flags: Sequence[str] = ()) -> None:
        self._folder = folder
        self._agent_flags = tuple(agent_flags)
        self._address = f"127.0.0.1:{free_port()}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = {f"agent{number}": free_port() for number in range(agents)}
        self.mesos = Mesos("embedded", self._address, self, self)
        self._flags = flags
        self.start_master()
        self.start_agents()

    def start_master(self) -> None:
        self.run("start", "master", 0, *self._flags)

    def start_agents(self) -> None:
        for number in range(len([name for name in self._ports if name != "master"])):
            self.run("start", "agent", number)

    def kill(self) -> None:
        for name in list(self._processes):
            self._end(name, signal.SIGKILL)

    def forget(self) -> None:
        forget(self._folder)

    def refusal(self, **flags: str) -> str:
        said = ""
        for number in range(len([name for name in self._ports if name != "master"])):
            log = self._folder / f"agent{number}.log"
            before = log.stat().st_size
            self.run("start", "agent", number, *as_flags(flags))
            assert self._processes.pop(f"agent{number}").wait(60) == 1
            said += log.read_bytes()[before:].decode()
        return said

    def run(self, action: str, role: str, number: int = 0, *flags: str) -> None:
        name = role if role == "master" else f"{role}{number}"
        match action:
            case "start":
                self._start(name, flags)
            case "stop":
                self._end(name, signal.SIGTERM)
            case "kill9":
                self._end(name, signal.SIGKILL)
            case "pause":
                self._processes[name].send_signal(signal.SIGSTOP)
            case "resume":
                self._processes[name].send_signal(signal.SIGCONT)

    def _start(self, name: str, flags: tuple[str, ...]) -> None:
        self._ports.setdefault(name, free_port())
        host, _, port = self._address.rpartition(":")
        command = [sys.executable, "-m", "statefuldb.local.mesos"]
        if name == "master":
            command += ["master", "--host", host, "--port", port]
        else:
            command += ["agent", "--host", host, "--port", str(self._ports[name]), "--hostname", host]
            command += ["--master", self._address, "--resources", RESOURCES, "--attributes", ATTRIBUTES]
            # A real master pings its agents; embedded ones speak up by themselves, as often as it expects them to.
            command += [flag for flag in self._flags if "ping_timeout" in flag]
            command += self._agent_flags
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*command, "--work-dir", str(self._folder / name), *flags], stdout=log, stderr=log
            )

    def _end(self, name: str, number: int) -> None:
        process = self._processes.pop(name)
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        process.wait(30)

    def close(self) -> None:
        self.kill()
        end_tasks(self._folder)


class OneProcess:
    """A real master and real agents in one process. It can be killed and started again as a whole only.

    `settings` are flags of the master, of which agents take those that they have too. On each of `mounts` a file system
    of its own is mounted, which nobody else on this machine sees; that needs root.
    """

    def __init__(
        self, binaries: Path, folder: Path, agents: int, settings: dict[str, str], mounts: Sequence[Path] = ()
    ) -> None:
        self._folder = folder
        self._port = free_port()
        self._command = ["bash", str(binaries / "run-local.sh"), str(agents), str(self._port), str(folder / "state")]
        for mount in mounts:
            self._command = [*MOUNTING, str(mount), *self._command]
        self._settings = {
            "MESOS_RESOURCES": RESOURCES,
            "MESOS_ATTRIBUTES": ATTRIBUTES,
            "MESOS_ALLOCATION_INTERVAL": "100ms",
            **{f"MESOS_{name.upper()}": value for name, value in settings.items()},
        }
        if "credentials" in settings:
            # What the agents, which take the other flags too, know them by.
            self._settings["MESOS_HTTP_CREDENTIALS"] = settings["credentials"]
        self.mesos = Mesos("real 1.11.0", f"127.0.0.1:{self._port}", None, self)
        self.start_master()

    def start_master(self, **flags: str) -> None:
        others = {f"MESOS_{name.upper()}": value for name, value in flags.items()}
        with (self._folder / "mesos.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._settings, **others},
                start_new_session=True,
            )

    def start_agents(self) -> None:
        """They have been, with the master."""

    def forget(self) -> None:
        forget(self._folder)

    def refusal(self, **flags: str) -> str:
        log = self._folder / "mesos.log"
        for _ in range(ATTEMPTS):
            before = log.stat().st_size
            self.start_master(**flags)
            # Two agents may leave at once: what the first has freed, the second may touch (SIGSEGV, SIGABRT).
            code = self._process.wait(60)
            said = log.read_bytes()[before:].decode(errors="replace")
            if code != -signal.SIGABRT or REFUSING in said:
                break
            # The master's own log (leveldb) may abort it before it says a word.
        assert code in (1, -signal.SIGSEGV, -signal.SIGABRT)
        return said

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)

    def close(self) -> None:
        self.kill()
        end_tasks(self._folder)


class Command:
    """Process control of a given cluster, by the command that STATEFULDB_TEST_MESOS_CONTROL names."""

    def __init__(self, command: str) -> None:
        self._command = command

    def run(self, action: str, role: str, number: int = 0, *flags: str) -> None:
        subprocess.run([self._command, action, role, str(number), *flags], check=True, timeout=120)


def as_flags(flags: dict[str, str]) -> list[str]:
    """Return flags as arguments; those that are "true" as Mesos takes them too, without a value."""
    return [f"--{name}" if value == "true" else f"--{name}={value}" for name, value in flags.items()]


def forget(folder: Path) -> None:
    """Take the ids of all agents below a folder away from them."""
    for latest in folder.rglob("meta/slaves/latest"):
        latest.unlink()


def may_mount() -> bool:
    """Say whether this process may mount file systems."""
    return subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0


def end_tasks(folder: Path) -> None:
    """End what tasks have left running: they outlive their agents, and their sandboxes tell whose they are."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(folder):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue
    shutil.rmtree(folder, ignore_errors=True)
