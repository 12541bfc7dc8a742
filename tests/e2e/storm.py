"""Random blows: daemons and members are killed with -9 and paused, while people edit, restart, stop and delete."""

import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from e2e.bundles import bundle, held
from e2e.conftest import Cluster, Json, eventually
from e2e.witnesses import OneWriter, Writer
from statefuldb.model.identity import ANNOTATION_RESTARTED_AT

PAUSES_SECONDS = (0.5, 3.0, 12.0)
MEMORY = {"256Mi": 256, "384Mi": 384}


class Storm:
    """Strikes the `daemons` of a cluster and its databases, which are applied as `bodies` say.

    `seed` repeats the choices of a run. `done` counts the blows.
    """

    def __init__(self, cluster: Cluster, bodies: Sequence[Json], daemons: Sequence[str], seed: int) -> None:
        self.done = Counter[str]()
        self._cluster = cluster
        self._bodies = {body["metadata"]["name"]: body for body in bodies}
        self._daemons = daemons
        self._seed = seed
        self._chance = random.Random(seed)
        self._over = threading.Event()

    def rage(self, seconds: float, *, with_people: bool = False) -> int:
        """Deal blows for so long, and see that no row is lost; return how many rows were acknowledged."""
        sys.stderr.write(f"seed {self._seed}\n")
        for body in self._bodies.values():
            self._cluster.apply(body)
        for name in self._bodies:
            self._cluster.ready(name)
        one_writer, writers = OneWriter(), [Writer(self._cluster, name) for name in self._bodies]
        blows = [self._kill, self._pause, self._kill_two]
        if with_people:
            blows += [self._kill_member, self._edit, self._restart, self._stop, self._delete]
        threading.Timer(seconds, self._over.set).start()
        while not self._over.is_set():
            self._chance.choice(blows)()
            self._over.wait(self._chance.uniform(0.0, 3.0))
        for name in self._bodies:
            self._settled(name)
        for writer in writers:
            writer.grows()
            writer.check()
        one_writer.check()
        return sum(len(writer.acknowledged) for writer in writers)

    def check_bundles(self) -> None:
        """Compare what the agents hold with what the ledger says they should."""
        for name, body in self._bodies.items():
            (volume,) = self._cluster.volumes(name)
            uid = volume["spec"]["identity"]["uid"]
            wanted = bundle(memory_mib=MEMORY[body["spec"]["resources"]["memory"]])
            if volume["spec"]["strategy"] == "HostPath":
                wanted = {k: v for k, v in wanted.items() if k not in ("disk", "volumes")}
            eventually(
                lambda uid=uid, wanted=wanted: held(self._cluster, uid) == wanted,  # type: ignore[misc]
                60,
                lambda name=name, uid=uid, wanted=wanted: (  # type: ignore[misc]
                    f"{held(self._cluster, uid)} is held for {name}, not {wanted}; seed {self._seed}"
                ),
            )

    def check_tasks(self) -> None:
        """See that each task id was run once: every sandbox has one run."""
        # Agents name one run in several places: with its sandbox, with what they recover by, and as the latest.
        seen = self._cluster.state_dir.rglob("slaves/*/frameworks/*/executors/*/runs/*-*")
        runs = Counter(task for task, _ in {(path.parts[-3], path.name) for path in seen})
        again = {task: n for task, n in runs.items() if n > 1}
        assert runs
        assert not again, f"task ids used twice: {again}; seed {self._seed}"

    def _kill(self) -> None:
        self._strike("kill -9", self._chance.choice(self._daemons))

    def _kill_two(self) -> None:
        self._strike("kill -9 of two", self._chance.choice(self._daemons), self._chance.choice(self._daemons))

    def _strike(self, blow: str, *daemons: str) -> None:
        self.done[f"{blow} {daemons[0]}"] += 1
        for daemon in sorted(set(daemons)):
            self._cluster.kill(daemon)
        self._over.wait(self._chance.uniform(0.0, 2.0))
        for daemon in sorted(set(daemons)):
            self._cluster.restart(daemon)

    def _pause(self) -> None:
        daemon = self._chance.choice(self._daemons)
        self.done[f"pause {daemon}"] += 1
        self._cluster.send(daemon, signal.SIGSTOP)
        self._over.wait(self._chance.choice(PAUSES_SECONDS))
        self._cluster.send(daemon, signal.SIGCONT)

    def _kill_member(self) -> None:
        name = self._any()
        stored = self._cluster.database(name) or {}
        (member, *_) = stored.get("status", {}).get("members") or [{}]
        self.done["kill -9 keeper and server"] += 1
        self._cluster.kill_task(str(member.get("taskId")))

    def _edit(self) -> None:
        name = self._any()
        resources = self._bodies[name]["spec"]["resources"]
        resources["memory"] = next(memory for memory in MEMORY if memory != resources["memory"])
        self._tell("edit", lambda: self._cluster.apply(self._bodies[name]))

    def _restart(self) -> None:
        name = self._any()
        self._tell("restart", lambda: self._cluster.cli("restart", name))

    def _settled(self, name: str) -> None:
        """Wait until a database is Ready. A request to restart is no edit: what is Ready may be from before it."""
        eventually(lambda: self._restarted(name), 180, lambda: self._cluster.cli("explain", name))
        self._cluster.ready(name, 180)

    def _restarted(self, name: str) -> bool:
        """Say whether a database was launched for the last request to restart it, if there was one."""
        stored = self._cluster.database(name) or {"metadata": {}}
        asked = stored["metadata"].get("annotations", {}).get(ANNOTATION_RESTARTED_AT, "")
        launched = [volume["spec"].get("launch", {}).get("restartedAt", "") for volume in self._cluster.volumes(name)]
        return not asked or launched == [asked]

    def _stop(self) -> None:
        """Have a database stop, and go on soon: that may overtake the stop."""
        body = self._bodies[self._any()]
        stopped = {**body, "spec": {**body["spec"], "replicas": 0}}
        self._tell("stop", lambda: self._cluster.apply(stopped))
        self._over.wait(self._chance.uniform(0.0, 5.0))
        self._cluster.apply({**body, "spec": {**body["spec"], "replicas": 1}})

    def _delete(self) -> None:
        """Delete a database with its data retained, and apply it again: it is the same data that it serves."""
        name = self._any()
        self._tell("delete and apply again", lambda: self._cluster.cli("delete", name))
        eventually(lambda: self._cluster.database(name) is None, 60, lambda: self._cluster.cli("explain", name))
        self._cluster.apply(self._bodies[name])

    def _tell(self, what: str, act: Callable[[], object]) -> None:
        self.done[what] += 1
        act()

    def _any(self) -> str:
        return str(self._chance.choice(sorted(self._bodies)))
