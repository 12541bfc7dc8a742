"""An API server that refuses, loses answers and drops watches; an operator that was away; objects with much on them."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from e2e.conftest import Cluster, Json, eventually, manifest
from e2e.weather import Weather
from statefuldb.cli.cluster import NAMESPACE
from statefuldb.local.supervisor import Daemon

VOLUME = {"strategy": "PersistentVolume", "size": "1Gi"}


def start(cluster: Cluster, kubeconfig: Path) -> None:
    """Start the operator as `up` does, by another kubeconfig."""
    arguments = (
        *("statefuldb", "operator", "run", "--kubeconfig", str(kubeconfig), "--mesos", cluster.master),
        *("--namespace", NAMESPACE, "--state", str(cluster.state_dir / "operator")),
    )
    cluster.parts.supervisor.start(Daemon(name="operator", arguments=arguments))


@pytest.fixture(scope="module")
def weather(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weather]:
    """The operator of the cluster, behind a proxy."""
    seed = random.randrange(2**32)
    print(f"weather of seed {seed}")  # noqa: T201
    proxy = Weather(cluster.state_dir / "api", tmp_path_factory.mktemp("weather"), seed)
    cluster.parts.supervisor.stop("operator")
    start(cluster, proxy.kubeconfig)
    cluster.client.apply(manifest("calm", VOLUME, replicas=0), "default")
    eventually(partial(accepted, cluster, "calm"))
    yield proxy
    cluster.parts.supervisor.stop("operator")
    proxy.close()


def launched(cluster: Cluster, uid: str) -> set[str]:
    """Return the ids of all tasks of a database that an agent ever ran: each has a sandbox that stays."""
    return {folder.name for folder in (cluster.state_dir / "mesos").glob(f"agent-*/slaves/**/executors/sdb.{uid}.*")}


def accepted(cluster: Cluster, name: str) -> Json | None:
    stored = cluster.database(name)
    assert stored is not None
    conditions = stored.get("status", {}).get("conditions", [])
    return stored if any(c["type"] == "Accepted" and c["status"] == "True" for c in conditions) else None


def test_through_refusals_lost_answers_and_cut_watches_each_step_is_taken_once(
    cluster: Cluster, weather: Weather
) -> None:
    name = "stormy"
    with weather.storm(share=0.3, cut_every_seconds=0.7):
        cluster.apply(manifest(name, VOLUME))
        stored = cluster.ready(name, 150.0)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (11)")
    uid = stored["metadata"]["uid"]
    # An incarnation whose record was written and whose answer was lost is never launched: the next has its turn.
    (first,) = launched(cluster, uid)
    with weather.storm(share=0.3, cut_every_seconds=0.7):
        cluster.client.merge("StatefulDatabase", "default", name, {"spec": {"resources": {"memory": "320Mi"}}})
        cluster.relaunched(name, first)
        cluster.ready(name, 150.0)
    assert len(launched(cluster, uid)) == 2
    assert cluster.sql(name, "SELECT a FROM t") == "11"
    assert len(cluster.volumes(name)) == 1
    assert weather.spoiled > 10
    assert weather.cut > 5


def test_an_object_full_of_annotations_is_looked_after_and_nothing_is_added_to_them(
    cluster: Cluster, weather: Weather
) -> None:
    body = manifest("annotated", VOLUME, replicas=0)
    body["metadata"]["annotations"] = {"example.dev/much": "x" * 262_000}
    cluster.client.apply(body, "default")
    stored = eventually(partial(accepted, cluster, "annotated"))
    assert stored["metadata"]["finalizers"]
    assert list(stored["metadata"]["annotations"]) == ["example.dev/much"]


def versions(cluster: Cluster) -> dict[str, str]:
    """Return the version of each object that the operator writes."""
    kinds = ("StatefulDatabase", "DatabaseVolume", "Event", "Secret")
    objects = [(kind, o["metadata"]) for kind in kinds for o in cluster.client.list(kind)]
    return {f"{kind} {m['namespace']}/{m['name']}": m["resourceVersion"] for kind, m in objects}


def test_a_restart_does_nothing_twice(cluster: Cluster, weather: Weather) -> None:
    cluster.ready("stormy")
    before = versions(cluster)
    for number in range(3):
        cluster.parts.supervisor.stop("operator")
        start(cluster, weather.kubeconfig)
        # What comes last is looked at after all that was there, so all of that was looked at when this is accepted.
        cluster.client.apply(manifest(f"zz-{number}", VOLUME, replicas=0), "default")
        eventually(partial(accepted, cluster, f"zz-{number}"))
    after = versions(cluster)
    assert {name: after.get(name) for name in before} == before
    uid = cluster.database("stormy")["metadata"]["uid"]  # type: ignore[index]
    assert len(launched(cluster, uid)) == 2


def test_the_break_glass_leaves_the_data(cluster: Cluster, weather: Weather) -> None:
    """With the operator away for good, a person takes the finalizer off: the object goes, the data does not."""
    name = "stormy"
    task = cluster.task_id(name)
    cluster.parts.supervisor.stop("operator")
    cluster.client.merge("StatefulDatabase", "default", name, {"spec": {"deletionProtection": "Disabled"}})
    cluster.client.delete("StatefulDatabase", "default", name)
    assert cluster.database(name) is not None
    cluster.client.merge("StatefulDatabase", "default", name, {"metadata": {"finalizers": None}})
    assert cluster.database(name) is None
    assert cluster.processes(task), "taking the finalizer off touches nothing in Mesos"
    start(cluster, weather.kubeconfig)
    eventually(lambda: not cluster.processes(task))
    eventually(lambda: cluster.volumes(name)[0]["spec"]["phase"] == "Retained")
    cluster.apply(manifest(name, VOLUME))
    cluster.ready(name)
    assert cluster.sql(name, "SELECT a FROM t") == "11"
