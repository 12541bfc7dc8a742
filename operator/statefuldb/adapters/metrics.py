"""What Prometheus is told, and whether the operator is alive and ready: counts only, no name of any database."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from logging import getLogger
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

log = getLogger(__name__)
PASS_LIMIT_SECONDS = 300.0
REQUEST_SECONDS = 10.0
Condition = tuple[str, str]
Unready = Callable[[], str]


class Metrics:
    """What is counted as it happens, and what is read whenever somebody asks. Implements the port `Measures`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._began: dict[int, float] = {}
        self._unready: Unready = lambda: "starting"
        self._passes = self._counter("statefuldb_passes", "Passes over one database, by outcome", "outcome")
        self._effects = self._counter("statefuldb_effects", "Actions begun, by kind and outcome", "kind", "outcome")
        self._calls = self._counter("statefuldb_mesos_calls", "Calls to Mesos, by type and outcome", "call", "outcome")
        self._seconds = Histogram("statefuldb_pass_seconds", "Seconds that a pass took", registry=self.registry)
        ProcessCollector(registry=self.registry)

    def pass_began(self) -> None:
        """Note that this thread, a worker, took a key."""
        self._began[threading.get_ident()] = self._clock()

    def pass_ended(self, outcome: str) -> None:
        """Note how the pass ended that this thread began last."""
        began = self._began.pop(threading.get_ident(), None)
        if began is not None:
            self._seconds.observe(self._clock() - began)
        self._passes.labels(outcome).inc()

    def effect(self, kind: str, outcome: str) -> None:
        """Count an action."""
        self._effects.labels(kind, outcome).inc()

    def mesos_call(self, call: str, outcome: str) -> None:
        """Count a call to Mesos."""
        self._calls.labels(call, outcome).inc()

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Tell what `read` returns, whenever somebody asks."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def databases(self, read: Callable[[], Mapping[Condition, int]]) -> None:
        """Tell how many databases have each condition with each status, whenever somebody asks."""
        self.registry.register(_Databases(read))

    def ready_when(self, unready: Unready) -> None:
        """Have readiness told by `unready`: why not, "" where the operator does or awaits its work."""
        self._unready = unready

    def unready(self) -> str:
        """Say why the operator does not do its work, "" where it does."""
        return self._unready()

    def stuck(self) -> str:
        """Say why the operator must be started anew, "" where it need not. Every effect is bounded: no pass hangs."""
        began = min(list(self._began.values()), default=None)
        took = self._clock() - began if began is not None else 0.0
        return f"a pass has taken {took:.0f} s" if took > PASS_LIMIT_SECONDS else ""

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)


class _Databases(Collector):
    def __init__(self, read: Callable[[], Mapping[Condition, int]]) -> None:
        self._read = read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield one gauge with a sample for each condition and status."""
        labels = ("condition", "status")
        family = GaugeMetricFamily("statefuldb_databases", "Databases, by condition and its status", labels=labels)
        for condition, count in sorted(self._read().items()):
            family.add_metric(condition, count)
        yield family


class MetricsServer:
    """Serves /metrics, /healthz and /readyz on one address; port 0 is any that is free. Raises OSError."""

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self._metrics = metrics
        self._exposition = make_wsgi_app(metrics.registry)
        server = _ServerV6 if ":" in host else _Server
        self._server = make_server(host, port, self._answer, server_class=server, handler_class=Request)
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{self._server.server_port}"
        log.info("metrics at http://%s/metrics", self.address)

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return list(self._exposition(environ, start_response))
        checks = {"/healthz": self._metrics.stuck, "/readyz": self._metrics.unready}
        if path not in checks:
            status, text = HTTPStatus.NOT_FOUND, "there are /metrics, /healthz and /readyz"
        else:
            text = checks[path]()
            status = HTTPStatus.SERVICE_UNAVAILABLE if text else HTTPStatus.OK
        start_response(f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{text or 'ok'}\n".encode()]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class Request(WSGIRequestHandler):
    """One request, on a thread of its own, which is not kept by who says nothing or takes no answer."""

    timeout = REQUEST_SECONDS

    def handle(self) -> None:
        """Answer, where something is asked in time."""
        with suppress(TimeoutError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Log nothing: probes come every few seconds."""
