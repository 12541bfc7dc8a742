"""Random kill -9 and pauses of master, agents and operator under writing clients: nothing is lost, doubled or leaked.

`STATEFULDB_TEST_CHAOS_SECONDS` says for how long (`make chaos`: ten minutes); `STATEFULDB_TEST_CHAOS_SEED` repeats the
choices of a run.
"""

import os
import random
from collections.abc import Callable, Iterator

import pytest

from e2e.conftest import Cluster, Json, manifest
from e2e.real_mesos import RealCluster
from e2e.storm import Storm

SECONDS = float(os.environ.get("STATEFULDB_TEST_CHAOS_SECONDS", "40"))
SEED = int(os.environ.get("STATEFULDB_TEST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
AGENT_TIMEOUT_SECONDS = 8

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory, host_root: str) -> Iterator[Cluster]:
    one = Cluster(tmp_path_factory.mktemp("stormy"))
    one.cli("up", "--no-quickstart", "--agents", "3", "--agent-timeout", str(AGENT_TIMEOUT_SECONDS))
    yield one
    one.cli("down")


def bodies(host_root: str, mesos: str) -> list[Json]:
    """Return a database on a volume and one on a host's directory, which may be deleted, named after their Mesos."""
    return [
        manifest(f"{name}-{mesos}", storage, deletionProtection="Disabled")
        for name, storage in (
            ("carved", {"strategy": "PersistentVolume", "size": "1Gi"}),
            ("pinned", {"strategy": "HostPath", "size": "1Gi", "hostPath": {"path": host_root}}),
        )
    ]


def test_nothing_is_lost_doubled_or_leaked(stormy: Cluster, host_root: str, record_property: Record) -> None:
    daemons = [name for name in stormy.victims() if name != "api-server"]
    storm = Storm(stormy, bodies(host_root, "embedded"), daemons, SEED)
    rows = storm.rage(SECONDS)
    storm.check_bundles()
    storm.check_tasks()
    for call in ("KILL", "TEARDOWN"):
        assert f"call {call}\n" not in stormy.log("mesos-master"), f"{call} that nobody asked for; seed {SEED}"
    _tell(record_property, "embedded Mesos", storm, rows)


@pytest.mark.real_mesos
def test_nothing_is_lost_on_a_real_mesos_while_people_are_at_it(
    real: RealCluster, host_root: str, record_property: Record
) -> None:
    daemons = [name for name in real.victims() if name != "api-server"]
    storm = Storm(real, bodies(host_root, "real"), daemons, SEED)
    rows = storm.rage(SECONDS, with_people=True)
    storm.check_bundles()
    storm.check_tasks()
    _tell(record_property, "real Mesos", storm, rows)


def _tell(record_property: Record, mesos: str, storm: Storm, rows: int) -> None:
    blows = sum(storm.done.values())
    record_property("chaos", f"{mesos}, seed {SEED}, {SECONDS:g} s: {blows} blows, {rows} rows, none lost")
    for what, count in sorted(storm.done.items()):
        record_property("chaos", f"  {count:4} x {what}")
