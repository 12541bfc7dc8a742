"""What Prometheus and the kubelet are told, over HTTP."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from statefuldb.adapters.metrics import PASS_LIMIT_SECONDS, Metrics, MetricsServer, Request


class Time:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def metrics(time: Time) -> Metrics:
    return Metrics(time)


@pytest.fixture
def server(metrics: Metrics) -> Iterator[MetricsServer]:
    one = MetricsServer(metrics, "127.0.0.1", 0)
    yield one
    one.close()


def ask(server: MetricsServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{server.address}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def samples(server: MetricsServer) -> dict[str, float]:
    status, text = ask(server, "/metrics")
    assert status == 200
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {f"{s.name} {' '.join(s.labels.values())}".strip(): s.value for s in found}


def test_what_happens_is_counted(metrics: Metrics, server: MetricsServer, time: Time) -> None:
    metrics.pass_began()
    time.seconds += 2
    metrics.pass_ended("done")
    metrics.effect("AcceptOffers", "failed")
    metrics.mesos_call("ACCEPT", "refused")
    found = samples(server)
    assert found["statefuldb_passes_total done"] == 1
    assert found["statefuldb_pass_seconds_sum"] == 2
    assert found["statefuldb_effects_total AcceptOffers failed"] == 1
    assert found["statefuldb_mesos_calls_total ACCEPT refused"] == 1


def test_what_is_now_is_read_when_it_is_asked_for(metrics: Metrics, server: MetricsServer) -> None:
    depth, conditions = [1.0], {("Ready", "True"): 3, ("Ready", "False"): 1}
    metrics.gauge("statefuldb_queue_depth", "d", lambda: depth[0])
    metrics.databases(lambda: conditions)
    assert samples(server)["statefuldb_queue_depth"] == 1
    depth[0], conditions["Ready", "True"] = 7.0, 4
    found = samples(server)
    assert found["statefuldb_queue_depth"] == 7
    assert (found["statefuldb_databases Ready True"], found["statefuldb_databases Ready False"]) == (4, 1)


def test_readiness_says_what_is_amiss(metrics: Metrics, server: MetricsServer) -> None:
    assert ask(server, "/readyz") == (503, "starting\n")
    metrics.ready_when(lambda: "Mesos: not subscribed yet")
    assert ask(server, "/readyz") == (503, "Mesos: not subscribed yet\n")
    metrics.ready_when(lambda: "")
    assert ask(server, "/readyz") == (200, "ok\n")


def test_only_a_pass_that_hangs_is_unhealthy(metrics: Metrics, server: MetricsServer, time: Time) -> None:
    metrics.pass_began()
    time.seconds += PASS_LIMIT_SECONDS - 1
    assert ask(server, "/healthz") == (200, "ok\n")
    time.seconds += 2
    assert ask(server, "/healthz") == (503, f"a pass has taken {PASS_LIMIT_SECONDS + 1:.0f} s\n")
    metrics.pass_ended("failed")
    time.seconds += 10 * PASS_LIMIT_SECONDS
    assert ask(server, "/healthz") == (200, "ok\n")


def test_who_connects_and_says_nothing_is_not_waited_for(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each has a thread meanwhile."""
    assert Request.timeout == 10.0
    monkeypatch.setattr(Request, "timeout", 0.05)
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10.0) as silent:
        assert silent.recv(1) == b""
    assert capfd.readouterr().err == ""


def test_nothing_else_is_served(server: MetricsServer) -> None:
    assert ask(server, "/")[0] == 404


def test_ipv6() -> None:
    server = MetricsServer(Metrics(), "::1", 0)
    assert ask(server, "/healthz")[0] == 200
    server.close()
