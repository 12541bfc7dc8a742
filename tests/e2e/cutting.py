"""The operator killed with -9 between every two calls: whatever the master has heard of a call, one end state.

A call is cut after each of its operations. Each case notes what was cut, and what it came to.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable
from functools import partial

from e2e.bundles import bundle, held
from e2e.conftest import Cluster, Json, eventually, manifest
from e2e.interception import Cut, Interceptor, task_ids

VOLUME = {"strategy": "PersistentVolume", "size": "1Gi"}


class Rig:
    """One cluster whose operator talks to its master through an interceptor. A cut kills `victim`, the master or it."""

    def __init__(self, cluster: Cluster, victim: str = "operator") -> None:
        self.cluster = cluster
        self._victim = victim
        self.rows: list[tuple[str, str]] = []
        cluster.parts.supervisor.stop("operator")
        self.between = Interceptor(cluster.master, lambda: cluster.kill(victim))
        self.run()

    def run(self) -> None:
        self.cluster.run_operator(self.between.address)

    def close(self) -> None:
        self.cluster.parts.supervisor.stop("operator")
        self.between.close()

    def told(self, cut: str, end: str) -> None:
        """Note a row of the table."""
        self.rows.append((cut, end))

    def cut(self, fits: Callable[[Json], bool], after: int, act: Callable[[], object]) -> None:
        """Do `act`, have the call that it leads to cut, and start the victim again."""
        self.strike(fits, after, act)
        if self._victim == "operator":
            self.run()
        else:
            self.cluster.restart(self._victim)

    def strike(self, fits: Callable[[Json], bool], after: int, act: Callable[[], object]) -> None:
        """Do `act`, and have the call that it leads to cut."""
        self.between.arm(fits, Cut(operations=after))
        act()
        eventually(self.between.sprung.is_set)

    def settles(self, name: str, *, memory_mib: int, disk_mib: int = 1024) -> None:
        """Wait until the database is Ready on exactly its bundle: nothing doubled, nothing left over."""
        self.cluster.ready(name, 120)
        (volume,) = self.cluster.volumes(name)
        uid = volume["spec"]["identity"]["uid"]
        wanted = bundle(memory_mib=memory_mib, disk_mib=disk_mib)
        eventually(lambda: held(self.cluster, uid) == wanted, 60, lambda: f"{held(self.cluster, uid)}, not {wanted}")
        again = {task: n for task, n in Counter(self.between.launched).items() if n > 1}
        assert not again, f"task ids used twice: {again}"

    def releases(self, name: str) -> None:
        """Have a database deleted with its data, and wait until nothing of it is left."""
        uid = self.cluster.volumes(name)[0]["spec"]["identity"]["uid"]
        self.cluster.cli("delete", name)
        self.is_gone(name, uid)

    def is_gone(self, name: str, uid: str) -> None:
        eventually(lambda: not self.cluster.volumes(name), 90)
        eventually(lambda: not held(self.cluster, uid), 30, lambda: f"{held(self.cluster, uid)} is left")


def disposable(name: str) -> Json:
    return manifest(name, dict(VOLUME), deletionProtection="Disabled", retention={"whenDeleted": "Delete"})


def launches(call: Json) -> bool:
    return bool(task_ids(call))


def does(*kinds: str) -> Callable[[Json], bool]:
    """Return what tells an ACCEPT of just these operations."""
    return lambda call: [o["type"] for o in call.get("accept", {}).get("operations", [])] == list(kinds)


def is_call(kind: str) -> Callable[[Json], bool]:
    return lambda call: call.get("type") == kind


def a_first_launch_is_finished(rig: Rig, after: int) -> None:
    name = f"born-{after}"
    rig.cut(does("RESERVE", "CREATE", "LAUNCH"), after, lambda: rig.cluster.apply(disposable(name)))
    rig.settles(name, memory_mib=256)
    rig.releases(name)
    rig.told(f"first launch, cut after {after} of 3 operations", "Ready on one bundle")


def a_relaunch_keeps_its_volume_and_rows(rig: Rig, after: int) -> None:
    name = f"again-{after}"
    rig.cluster.apply(disposable(name))
    rig.cluster.ready(name)
    rig.cluster.sql(name, "CREATE TABLE t (a INT)")
    rig.cluster.sql(name, "INSERT INTO t VALUES (5)")
    task = rig.cluster.task_id(name)
    rig.cut(launches, after, lambda: os.kill(rig.cluster.processes(task)["keeper"], signal.SIGKILL))
    eventually(lambda: rig.cluster.task_id(name) != task)
    rig.settles(name, memory_mib=256)
    assert rig.cluster.sql(name, "SELECT a FROM t") == "5"
    rig.releases(name)
    rig.told(f"relaunch, cut after {after} of 1 operations", "Ready, rows there")


def a_resize_up_and_down_leaves_exactly_its_bundle(rig: Rig) -> None:
    name = "sized"
    body = disposable(name)
    rig.cluster.apply(body)
    rig.cluster.ready(name)

    def ask_for(memory: str) -> None:
        body["spec"]["resources"]["memory"] = memory
        rig.cluster.apply(body)

    sizes = [384, 512, 640, 256, 320]
    cuts: list[tuple[str, Callable[[Json], bool], int]] = [
        ("resize up, KILL not heard", is_call("KILL"), 0),
        ("resize up, KILL heard", is_call("KILL"), 1),
        ("resize up, cut after RESERVE", does("RESERVE", "LAUNCH"), 1),
        ("resize down, UNRESERVE not heard", does("UNRESERVE"), 0),
        ("resize up, all heard", does("RESERVE", "LAUNCH"), 2),
    ]
    for size, (what, fits, after) in zip(sizes, cuts, strict=True):
        rig.cut(fits, after, lambda size=size: ask_for(f"{size}Mi"))  # type: ignore[misc]
        rig.settles(name, memory_mib=size)
        rig.told(what, f"Ready at {size} MiB, nothing left over")
    rig.releases(name)


def a_larger_volume_grows_once(rig: Rig, after: int) -> None:
    name = f"grown-{after}"
    body = disposable(name)
    rig.cluster.apply(body)
    rig.cluster.ready(name)
    rig.cluster.sql(name, "CREATE TABLE t (a INT)")
    rig.cluster.sql(name, "INSERT INTO t VALUES (6)")
    body["spec"]["storage"]["size"] = "2Gi"
    rig.cut(does("RESERVE", "GROW_VOLUME"), after, lambda: rig.cluster.apply(body))
    rig.settles(name, memory_mib=256, disk_mib=2048)
    assert rig.cluster.sql(name, "SELECT a FROM t") == "6"
    rig.releases(name)
    rig.told(f"larger volume, cut after {after} of 2 operations", "Ready on the larger volume, rows there")


def a_release_leaves_nothing(rig: Rig, after: int) -> None:
    name = f"over-{after}"
    rig.cluster.apply(disposable(name))
    rig.settles(name, memory_mib=256)
    uid = rig.cluster.volumes(name)[0]["spec"]["identity"]["uid"]
    rig.cut(does("DESTROY", "UNRESERVE"), after, lambda: rig.cluster.cli("delete", name))
    rig.is_gone(name, uid)
    rig.told(f"release, cut after {after} of 2 operations", "nothing left")


Case = Callable[[Rig], None]

CASES: dict[str, Case] = {
    **{f"launch-{n}": partial(a_first_launch_is_finished, after=n) for n in range(4)},
    **{f"relaunch-{n}": partial(a_relaunch_keeps_its_volume_and_rows, after=n) for n in range(2)},
    "resize": a_resize_up_and_down_leaves_exactly_its_bundle,
    **{f"grow-{n}": partial(a_larger_volume_grows_once, after=n) for n in range(3)},
    **{f"release-{n}": partial(a_release_leaves_nothing, after=n) for n in range(3)},
}


def has_one_end_state(rig: Rig, case: Case, note: Callable[[str, object], None], master: str) -> None:
    """Run a case, and have its rows noted for the table."""
    case(rig)
    while rig.rows:
        cut, end = rig.rows.pop(0)
        note("crash matrix", f"{master:9}{cut:44} {end}")
