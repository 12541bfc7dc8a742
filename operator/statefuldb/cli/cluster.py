"""The embedded cluster: which daemons it has, where they listen, how they are started and stopped."""

import hashlib
import json
import signal
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from statefuldb.adapters.mesos.transport import direct_opener
from statefuldb.keeper.files import write_durably
from statefuldb.local.supervisor import Daemon, Supervisor, free_port, wait_for
from statefuldb.model.spec import DFS_ATTRIBUTE

HOST = "127.0.0.1"
AGENT_RESOURCES = "cpus:4;mem:8192;disk:40960;ports:[31000-31999]"
READY_SECONDS = 30.0
TASKS_STOP_SECONDS = 75.0
NAMESPACE = "statefuldb-system"
AGENT_TIMEOUT_SECONDS = 75.0
PINGS_MISSED = 5


class DaemonEnded(Exception):
    """A daemon ended instead of becoming ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPlan:
    """One agent of the embedded cluster. `binds` are SOURCE:TARGET mounts that only it sees."""

    name: str
    host: str
    port: int
    attributes: str
    binds: tuple[str, ...]


class EmbeddedCluster:
    """The cluster of one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir.resolve()
        self.supervisor = Supervisor(self.state_dir)
        self._facts_file = self.state_dir / "cluster.json"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of its API server."""
        return self.state_dir / "api" / "kubeconfig"

    @property
    def exists(self) -> bool:
        """Whether it was ever started."""
        return self._facts_file.exists()

    @property
    def mesos(self) -> str:
        """Where its Mesos master listens."""
        return f"{HOST}:{self._facts()['master_port']}"

    def plan(self, *, agents: int, dfs: tuple[str, ...], agent_timeout_seconds: float = AGENT_TIMEOUT_SECONDS) -> None:
        """Choose ports and agents at the first start; keep them ever after.

        `dfs` holds SOURCE:MOUNT_POINT for each agent in turn: its own view of one shared file system. After
        `agent_timeout_seconds` of silence an agent counts as unreachable.
        """
        if self.exists:
            return
        self.supervisor.prepare()
        planned = []
        for number in range(1, agents + 1):
            host = f"{_loopback_network(self.state_dir)}.{10 + number}"
            attributes, binds = f"rack:r{number}", []
            if dfs:
                binds = [dfs[(number - 1) % len(dfs)]]
                attributes += f";{DFS_ATTRIBUTE}:{binds[0].partition(':')[2]}"
            planned.append(
                {
                    "name": f"agent-{number}",
                    "host": host,
                    "port": free_port(host),
                    "attributes": attributes,
                    "binds": binds,
                }
            )
        ping_seconds = agent_timeout_seconds / PINGS_MISSED
        facts = {
            "ping_seconds": ping_seconds,
            "api_port": free_port(HOST),
            "master_port": free_port(HOST),
            "agents": planned,
        }
        # Whole or not at all: whoever is interrupted here, or loses power, chooses again the next time.
        write_durably(self._facts_file, json.dumps(facts, indent=1))

    def daemons(self) -> tuple[Daemon, ...]:
        """Return all daemons in the order in which they are started."""
        facts = self._facts()
        state = self.state_dir
        api = (
            "statefuldb.local.api_server",
            *("--state-dir", str(state / "api"), "--host", HOST, "--port", str(facts["api_port"])),
        )
        master = (
            "statefuldb.local.mesos",
            "master",
            *("--work-dir", str(state / "mesos" / "master"), "--host", HOST, "--port", str(facts["master_port"])),
            *("--agent-ping-timeout-seconds", str(facts["ping_seconds"])),
            *("--max-agent-ping-timeouts", str(PINGS_MISSED)),
        )
        operator = (
            "statefuldb",
            "operator",
            "run",
            *("--kubeconfig", str(self.kubeconfig), "--mesos", self.mesos),
            *("--namespace", NAMESPACE, "--state", str(state / "operator")),
        )
        return (
            Daemon(name="api-server", arguments=api),
            Daemon(name="mesos-master", arguments=master),
            *(self._agent(agent) for agent in self.agents()),
            Daemon(name="operator", arguments=operator),
        )

    def agents(self) -> tuple[AgentPlan, ...]:
        """Return the planned agents."""
        return tuple(AgentPlan(**{**a, "binds": tuple(a["binds"])}) for a in self._facts()["agents"])

    def start_one(self, daemon: Daemon) -> None:
        """Start one daemon and wait until it is ready. Raises DaemonEnded or TimeoutError."""
        supervisor, name = self.supervisor, daemon.name
        supervisor.start(daemon)
        settled = wait_for(lambda: self._ready(name) or supervisor.ended(name), READY_SECONDS)
        if supervisor.ended(name):
            said = supervisor.last_words(name)
            raise DaemonEnded(f"{name} ended as soon as it was started: {said}; see {supervisor.log(name)}")
        if not settled:
            raise TimeoutError(f"{name} is not ready after {READY_SECONDS:g} s; see {supervisor.log(name)}")

    def stop(self, say: Callable[[str], None]) -> None:
        """Stop the operator first, then the tasks cleanly with their agents, then the rest. All data stays."""
        supervisor = self.supervisor
        supervisor.stop("operator")
        for agent in self.agents():
            supervisor.send(agent.name, signal.SIGUSR1)
        for agent in self.agents():
            if not wait_for(partial(self._stopped, agent.name), TASKS_STOP_SECONDS):
                supervisor.stop(agent.name)
        say("operator, databases and agents stopped")
        supervisor.stop("mesos-master")
        supervisor.stop("api-server")
        say("Mesos and API server stopped")

    def _stopped(self, name: str) -> bool:
        return self.supervisor.pid(name) is None

    def _agent(self, agent: AgentPlan) -> Daemon:
        arguments = [
            "statefuldb.local.mesos",
            "agent",
            *("--work-dir", str(self.state_dir / "mesos" / agent.name)),
            *("--host", agent.host, "--hostname", agent.host, "--port", str(agent.port)),
            *("--agent-ping-timeout-seconds", str(self._facts()["ping_seconds"])),
            *("--master", self.mesos, "--resources", AGENT_RESOURCES, "--attributes", agent.attributes),
        ]
        for bind in agent.binds:
            arguments += ["--bind", bind]
        return Daemon(name=agent.name, arguments=tuple(arguments))

    def _ready(self, name: str) -> bool:
        if self.supervisor.pid(name) is None:
            return False
        if name == "operator":
            return True
        urls = {
            "api-server": f"https://{HOST}:{self._facts()['api_port']}/readyz",
            "mesos-master": f"http://{self.mesos}/health",
            **{agent.name: f"http://{agent.host}:{agent.port}/health" for agent in self.agents()},
        }
        return _answers(urls[name])

    def _facts(self) -> dict[str, Any]:
        return dict(json.loads(self._facts_file.read_text()))


def _loopback_network(state_dir: Path) -> str:
    """Return the first three parts of loopback addresses for the agents of one state directory.

    Agents of two clusters on one machine offer the same ports; on addresses of their own they do not collide.
    """
    digest = hashlib.sha256(str(state_dir).encode()).digest()
    return f"127.{digest[0] % 250 + 1}.{digest[1]}"


def _answers(url: str) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Only whether somebody answers on our own loopback port is asked here; nothing is sent.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with direct_opener(context).open(url, timeout=2.0):
            return True
    except OSError:
        return False
