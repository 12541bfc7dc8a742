"""Two operators on one API and one Mesos, each with a proxy of its own that remembers what it sent to the master."""

import re
import signal
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from e2e.conftest import Cluster, Json, eventually
from e2e.interception import Cut, Interceptor, task_ids
from statefuldb.cli.cluster import NAMESPACE
from statefuldb.local.supervisor import Daemon

NAMES = ("operator-a", "operator-b")


@dataclass(frozen=True)
class Call:
    """A call of the scheduler API that reached the master. `at` is monotonic, `start` counts the operator's starts."""

    at: float
    operator: str
    start: int
    kind: str
    tasks: tuple[str, ...]


class Ear(Interceptor):
    """Hears what one operator says to the master, and lets all of it pass."""

    def __init__(self, master: str, name: str, heard: list[Call]) -> None:
        super().__init__(master, lambda: None)
        self.name, self.starts = name, 0
        self._heard = heard

    def judge(self, call: Json) -> Cut | None:
        if call.get("type") == "SUBSCRIBE" or "framework_id" in call:
            tasks = tuple(task_ids(call))
            self._heard.append(Call(time.monotonic(), self.name, self.starts, str(call["type"]), tasks))
        return None


class Pair:
    """The two operators. `heard` has the calls of both in the order in which they reached the master."""

    def __init__(self, cluster: Cluster, state_dir: Path) -> None:
        self._cluster, self._state_dir = cluster, state_dir
        self.heard: list[Call] = []
        self._ears = {name: Ear(cluster.master, name, self.heard) for name in NAMES}

    def start(self, name: str) -> None:
        """Start one as a cluster would: it stands by until the Lease is its own."""
        ear = self._ears[name]
        ear.starts += 1
        arguments = (
            *("statefuldb", "operator", "run", "--leader-elect"),
            *("--kubeconfig", str(self._cluster.parts.kubeconfig), "--mesos", ear.address),
            *("--namespace", NAMESPACE, "--state", str(self._state_dir / name), "--metrics-port", "0"),
        )
        lines = len(self._cluster.log(name).splitlines())
        self._cluster.parts.supervisor.start(Daemon(name=name, arguments=arguments))
        eventually(lambda: self.says(name, "the Lease is held by", lines) or self.says(name, "leads", lines))

    def says(self, name: str, text: str, after_lines: int = 0) -> bool:
        return any(text in line for line in self._cluster.log(name).splitlines()[after_lines:])

    def ask(self, name: str, path: str) -> tuple[int, str]:
        """Return what one answers where it serves its metrics."""
        url = re.findall(r"metrics at (http://\S+)/metrics", self._cluster.log(name))[-1]
        try:
            with urllib.request.urlopen(url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def leader(self) -> str | None:
        """Return the one that subscribed last."""
        return next((call.operator for call in reversed(self.heard) if call.kind == "SUBSCRIBE"), None)

    def strike(self, number: int) -> tuple[str, str, float]:
        """Send the leader a signal; return it, its successor, and the seconds until that was subscribed."""
        self.both_run()
        leader = str(self.leader())
        (standby,) = set(NAMES) - {leader}
        before, began = len(self.heard), time.monotonic()
        assert self._cluster.parts.supervisor.send(leader, number)

        def subscribed() -> Call | None:
            calls = self.heard[before:]
            return next((c for c in calls if c.operator == standby and c.kind == "SUBSCRIBE"), None)

        call = eventually(subscribed, 40.0, lambda: self._cluster.log(standby)[-3000:])
        return leader, standby, call.at - began

    def gone(self, name: str) -> bool:
        return self._cluster.parts.supervisor.pid(name) is None

    def both_run(self) -> None:
        """Start again what has ended by itself: a leader that the machine does not let renew its Lease does."""
        for name in NAMES:
            if self.gone(name):
                self.start(name)

    def check(self) -> None:
        """Never two subscribed, nobody heard of after a successor, no task launched twice."""
        subscribed = [(call.operator, call.start) for call in self.heard if call.kind == "SUBSCRIBE"]
        assert len(subscribed) == len(set(subscribed)), f"{subscribed}: somebody subscribed again"
        active = None
        for call in self.heard:
            active = (call.operator, call.start) if call.kind == "SUBSCRIBE" else active
            assert (call.operator, call.start) == active, f"{call} came after {active} had taken over"
        launched = [task for call in self.heard for task in call.tasks]
        assert launched
        assert len(launched) == len(set(launched)), f"launched twice: {launched}"

    def close(self) -> None:
        for name, ear in self._ears.items():
            self._cluster.parts.supervisor.send(name, signal.SIGCONT)
            self._cluster.parts.supervisor.stop(name)
            ear.close()
