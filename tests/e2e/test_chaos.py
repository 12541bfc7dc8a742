"""Random kill -9 and pauses of master, agents and operator under writing clients: nothing is lost, doubled or leaked.

`STATEFULDB_TEST_CHAOS_SECONDS` says for how long (`make chaos`: ten minutes); `STATEFULDB_TEST_CHAOS_SEED` repeats the
choices of a run.
"""

import os
import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from e2e.bundles import bundle, held
from e2e.conftest import Cluster, eventually, manifest
from e2e.witnesses import OneWriter, Writer

SECONDS = float(os.environ.get("STATEFULDB_TEST_CHAOS_SECONDS", "40"))
SEED = int(os.environ.get("STATEFULDB_TEST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
AGENT_TIMEOUT_SECONDS = 8
PAUSES_SECONDS = (0.5, 3.0, 12.0)
NAMES = ("carved", "pinned")


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory, host_root: str) -> Iterator[Cluster]:
    one = Cluster(tmp_path_factory.mktemp("stormy"))
    one.cli("up", "--no-quickstart", "--agents", "3", "--agent-timeout", str(AGENT_TIMEOUT_SECONDS))
    one.apply(manifest("carved", {"strategy": "PersistentVolume", "size": "1Gi"}))
    one.apply(manifest("pinned", {"strategy": "HostPath", "size": "1Gi", "hostPath": {"path": host_root}}))
    for name in NAMES:
        one.ready(name)
    yield one
    one.cli("down")


def test_nothing_is_lost_doubled_or_leaked(stormy: Cluster, record_property: Callable[[str, object], None]) -> None:
    sys.stderr.write(f"seed {SEED}\n")
    chance, done = random.Random(SEED), Counter[str]()
    one_writer, writers = OneWriter(), [Writer(stormy, name) for name in NAMES]
    victims = [name for name in stormy.victims() if name != "api-server"]
    end = threading.Event()
    threading.Timer(SECONDS, end.set).start()
    while not end.is_set():
        victim, act = chance.choice(victims), chance.choice(("kill -9", "pause", "kill -9 of two"))
        done[f"{act} {victim}"] += 1
        if act == "pause":
            stormy.parts.supervisor.send(victim, signal.SIGSTOP)
            end.wait(chance.choice(PAUSES_SECONDS))
            stormy.parts.supervisor.send(victim, signal.SIGCONT)
        else:
            struck = {victim, chance.choice(victims)} if act == "kill -9 of two" else {victim}
            for name in sorted(struck):
                stormy.kill(name)
            end.wait(chance.uniform(0.0, 2.0))
            for name in sorted(struck):
                stormy.restart(name)
        end.wait(chance.uniform(0.0, 3.0))
    for name in NAMES:
        stormy.ready(name, 180)
    for writer in writers:
        writer.grows()
        writer.check()
    one_writer.check()
    _check_bundles(stormy)
    _check_tasks(stormy)
    for call in ("KILL", "TEARDOWN"):
        assert f"call {call}\n" not in stormy.log("mesos-master"), f"{call} that nobody asked for; seed {SEED}"
    written = sum(len(writer.acknowledged) for writer in writers)
    record_property("chaos", f"seed {SEED}, {SECONDS:g} s: {sum(done.values())} blows, {written} rows, none lost")
    for what, count in sorted(done.items()):
        record_property("chaos", f"  {count:4} x {what}")


def _check_bundles(cluster: Cluster) -> None:
    """Compare what the agents hold with what the ledger says they should."""
    for name in NAMES:
        (volume,) = cluster.volumes(name)
        uid = volume["spec"]["identity"]["uid"]
        wanted = bundle()
        if volume["spec"]["strategy"] == "HostPath":
            wanted = {k: v for k, v in wanted.items() if k not in ("disk", "volumes")}
        found = eventually(lambda uid=uid, wanted=wanted: held(cluster, uid) == wanted, 60)  # type: ignore[misc]
        assert found, f"{held(cluster, uid)} is held for {name}, not {wanted}; seed {SEED}"


def _check_tasks(cluster: Cluster) -> None:
    """Each task id was run once: every sandbox has one run."""
    runs = Counter(
        path.parts[-3] for path in cluster.state_dir.glob("mesos/*/slaves/*/frameworks/*/executors/*/runs/*-*")
    )
    again = {task: n for task, n in runs.items() if n > 1}
    assert runs
    assert not again, f"task ids used twice: {again}; seed {SEED}"
