"""Two operators on one API: the leader is killed, stopped, or leaves, and the other takes over; never two are active.

`STATEFULDB_TEST_TAKEOVERS` says how often it is killed (`make takeovers`: twenty times).
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from conformance.mesos.client import Http, Stream
from e2e.bundles import bundle, held
from e2e.conftest import Cluster, eventually, manifest
from e2e.operators import NAMES, Pair
from statefuldb.adapters.kubernetes.election import LEASE_SECONDS

TAKEOVERS = int(os.environ.get("STATEFULDB_TEST_TAKEOVERS", "3"))
# What is promised; asserted where it has the machine to itself (`make takeovers`); beside other tests, twice that.
TAKEOVER_SECONDS = 10.0 if "STATEFULDB_TEST_TAKEOVERS" in os.environ else 20.0
NAME = "orders"
Report = Callable[[str, object], None]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[tuple[Cluster, Pair]]:
    cluster.parts.supervisor.stop("operator")
    pair = Pair(cluster, tmp_path_factory.mktemp("operators"))
    for name in NAMES:
        pair.start(name)
    cluster.apply(manifest(NAME, {"strategy": "PersistentVolume", "size": "1Gi"}))
    cluster.ready(NAME)
    yield cluster, pair
    pair.close()


def test_both_serve_metrics_and_only_the_leader_has_work_to_count(shared: tuple[Cluster, Pair]) -> None:
    _, pair = shared
    for name in NAMES:
        leads = name == pair.leader()
        status, text = pair.ask(name, "/metrics")
        assert status == 200
        lines = text.splitlines()
        assert f"statefuldb_leader {float(leads)}" in lines
        assert ("statefuldb_mesos_connected 1.0" in lines) == leads
        assert ('statefuldb_databases{condition="Ready",status="True"} 1.0' in lines) == leads
        assert ('statefuldb_effects_total{kind="AcceptOffers",outcome="done"}' in text) == leads
        assert ('statefuldb_mesos_calls_total{call="SUBSCRIBE",outcome="accepted"} 1.0' in lines) == leads
        assert NAME not in text, "a database is named"
        assert pair.ask(name, "/readyz") == (200, "ok\n")
        assert pair.ask(name, "/healthz") == (200, "ok\n")


def test_the_leader_is_killed_amid_reconciles(shared: tuple[Cluster, Pair], record_property: Report) -> None:
    cluster, pair = shared
    seed = random.SystemRandom().randrange(1, 10**9)
    sys.stderr.write(f"seed {seed}\n")
    chance, before, took = random.Random(seed), len(pair.heard), []
    for number in range(TAKEOVERS):
        task = cluster.task_id(NAME)
        cluster.cli("restart", NAME)
        # From before the edit is noticed to after the last ACCEPT of what it leads to.
        time.sleep(chance.uniform(0.0, 1.5))
        leader, _, seconds = pair.strike(signal.SIGKILL)
        took.append(seconds)
        eventually(lambda leader=leader: pair.gone(leader))  # type: ignore[misc]
        pair.start(leader)
        cluster.relaunched(NAME, task)
        cluster.ready(NAME)
        assert max(took) < TAKEOVER_SECONDS, f"take-over {number} took {seconds:.1f} s"
    assert len(pair.heard) > before
    pair.check()
    (volume,) = cluster.volumes(NAME)
    assert held(cluster, volume["spec"]["identity"]["uid"]) == bundle(), "a reservation was doubled or lost"
    record_property("take-over of Mesos after kill -9 of the leader", f"{len(took)} times, {_figures(took)}")


def test_a_leader_that_was_stopped_for_longer_than_its_lease_does_nothing_more(
    shared: tuple[Cluster, Pair], record_property: Report
) -> None:
    cluster, pair = shared
    task = cluster.task_id(NAME)
    cluster.cli("restart", NAME)
    leader, standby, seconds = pair.strike(signal.SIGSTOP)
    assert LEASE_SECONDS - 2 < seconds < TAKEOVER_SECONDS
    cluster.relaunched(NAME, task)
    cluster.ready(NAME)
    assert cluster.parts.supervisor.send(leader, signal.SIGCONT)
    eventually(lambda: pair.gone(leader), 20.0)
    assert pair.says(leader, "the Lease is lost")
    assert pair.leader() == standby
    pair.check()
    pair.start(leader)
    record_property("take-over of Mesos after SIGSTOP of the leader", _figures([seconds]))


def test_a_leader_whose_subscription_another_one_took_ends_and_the_next_takes_it_back(
    shared: tuple[Cluster, Pair],
) -> None:
    cluster, pair = shared
    pair.both_run()
    leader, task = str(pair.leader()), cluster.task_id(NAME)
    before = len(pair.heard)
    (framework,) = cluster.ask("GET_FRAMEWORKS")["frameworks"]
    info = framework["framework_info"]
    interloper = Stream(
        Http(cluster.master),
        {"type": "SUBSCRIBE", "framework_id": info["id"], "subscribe": {"framework_info": info}},
    )
    eventually(lambda: pair.gone(leader), 20.0)
    assert pair.says(leader, "another operator, which does not hold the Lease, has subscribed")
    eventually(lambda: any(call.kind == "SUBSCRIBE" for call in pair.heard[before:]), 40.0)
    interloper.wait(lambda: interloper.events[-1]["type"] == "ERROR", about="who took it is told that it is over")
    cluster.ready(NAME)
    assert cluster.task_id(NAME) == task, "a change of leaders touched a task"
    assert pair.leader() != leader
    pair.check()
    pair.start(leader)


def test_a_leader_that_is_asked_to_stop_gives_the_lease_back(
    shared: tuple[Cluster, Pair], record_property: Report
) -> None:
    cluster, pair = shared
    task = cluster.task_id(NAME)
    lines = {name: len(cluster.log(name).splitlines()) for name in NAMES}
    leader, standby, seconds = pair.strike(signal.SIGTERM)
    assert pair.says(standby, "the Lease is held by nobody", lines[standby])
    eventually(lambda: pair.gone(leader))
    cluster.ready(NAME)
    assert cluster.task_id(NAME) == task, "a change of leaders touched a task"
    assert pair.leader() == standby
    pair.check()
    record_property("take-over of Mesos after SIGTERM of the leader", _figures([seconds]))


def _figures(seconds: list[float]) -> str:
    return f"{min(seconds):.1f} to {max(seconds):.1f} s"
