"""An operator without its API server, or before its Mesos master is there: it waits, says so, and goes on."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.conftest import Cluster, eventually, manifest
from statefuldb.cli.packaged import DEFINITIONS, packaged
from statefuldb.local.supervisor import Daemon

NAME = "early"


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster whose API server has the definitions and a database, of which nothing runs."""
    cluster = Cluster(tmp_path)
    cluster.parts.plan(agents=1, dfs=())
    cluster.restart("api-server")
    for name in DEFINITIONS:
        for body in yaml.safe_load_all(packaged("crds", name)):
            cluster.client.apply(body, "")
    cluster.client.apply(manifest(NAME, {"strategy": "PersistentVolume", "size": "1Gi"}), "default")
    cluster.parts.supervisor.stop("api-server")
    yield cluster
    for daemon in reversed(cluster.parts.daemons()):
        cluster.parts.supervisor.stop(daemon.name)


def probe(cluster: Cluster, path: str) -> tuple[int, str]:
    url = re.findall(r"metrics at (http://\S+)/metrics", cluster.log("operator"))[-1]
    try:
        with urllib.request.urlopen(url + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def waits(cluster: Cluster, code: int, *words: str) -> None:
    """Wait until the operator lives, is not ready, and says why where people look."""
    eventually(lambda: all(word in cluster.log("operator") for word in words), why=lambda: cluster.log("operator"))
    status, text = probe(cluster, "/readyz")
    assert status == 503
    assert all(word in text for word in words), text
    assert probe(cluster, "/healthz")[0] == 200
    said = " ".join(cluster.cli("status", code=code).split())
    assert all(word in said for word in words), said


def test_an_operator_waits_for_the_api_and_then_for_the_master(parts: Cluster) -> None:
    operator = next(d for d in parts.parts.daemons() if d.name == "operator")
    parts.parts.supervisor.start(Daemon(name="operator", arguments=(*operator.arguments, "--metrics-port", "0")))
    pid = parts.parts.supervisor.pid("operator")
    waits(parts, 6, "waiting", "the API server does not answer")
    parts.restart("api-server")
    waits(parts, 0, "waiting", "the Mesos master does not answer", parts.master)
    note = parts.state_dir / "operator" / "waiting"
    assert parts.master in note.read_text()

    def told() -> bool:
        events = [e for e in parts.client.list("Event") if e["reason"] == "OperatorWaiting"]
        return [e["involvedObject"]["name"] for e in events] == [NAME] and parts.master in events[0]["message"]

    eventually(told)
    assert parts.master in parts.cli("explain", NAME)
    parts.restart("mesos-master")
    eventually(lambda: probe(parts, "/readyz") == (200, "ok\n"), why=lambda: parts.log("operator"))
    assert parts.parts.supervisor.pid("operator") == pid
    assert not note.exists()
    eventually(lambda: (parts.database(NAME) or {})["status"].get("summary"))
    lines = [line for line in parts.log("operator").splitlines() if "waiting" in line]
    assert len(lines) == 2, lines
    assert "waiting:" not in parts.cli("status")
    parts.kill("api-server")
    eventually(lambda: probe(parts, "/readyz")[0] == 503, why=lambda: probe(parts, "/readyz")[1])
    assert "the API server does not answer" in probe(parts, "/readyz")[1]
    assert probe(parts, "/healthz")[0] == 200
    parts.restart("api-server")
    eventually(lambda: probe(parts, "/readyz") == (200, "ok\n"), why=lambda: probe(parts, "/readyz")[1])
