"""A master that says what a script tells it, and remembers what it was sent."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Script = Callable[["Stream"], None]


class Stream:
    """One subscription's event stream."""

    def __init__(self, handler: BaseHTTPRequestHandler, number: int, ended: threading.Event) -> None:
        self._handler = handler
        self.ended = ended
        self.number = number

    def begin(self, status: int = 200, **headers: str) -> None:
        self._handler.send_response(status)
        for name, value in {"Mesos-Stream-Id": f"stream-{self.number}", **headers}.items():
            self._handler.send_header(name.replace("_", "-"), value)
        if status == 200:
            self._handler.send_header("Transfer-Encoding", "chunked")
        else:
            self._handler.send_header("Content-Length", "0")
        self._handler.end_headers()

    def say(self, event: Json) -> None:
        self.send(self.record(event))

    @staticmethod
    def record(event: Json) -> bytes:
        """Return one chunk that holds one RecordIO record."""
        body = json.dumps(event).encode()
        record = b"%d\n%s" % (len(body), body)
        return b"%x\r\n%s\r\n" % (len(record), record)

    def send(self, chunk: bytes) -> None:
        self._handler.wfile.write(chunk)
        self._handler.wfile.flush()

    def subscribed(self, heartbeat: float = 15.0) -> None:
        self.begin()
        ids = {"framework_id": {"value": "framework-1"}, "heartbeat_interval_seconds": heartbeat}
        self.say({"type": "SUBSCRIBED", "subscribed": ids})


class ScriptedMaster:
    """Serves one script for each subscription. `answers` has what the operator API says, by the type of the call."""

    def __init__(
        self,
        script: Script,
        *,
        status: int = 202,
        version: str = "1.11.0",
        answers: Mapping[str, Json] | None = None,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.calls: list[tuple[Json, dict[str, str]]] = []
        self.subscriptions: list[float] = []
        self.ending = threading.Event()
        self.status = status
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.calls.append((body, dict(self.headers)))
                if body["type"] == "SUBSCRIBE":
                    outer.subscriptions.append(time.monotonic())
                    self.close_connection = True
                    try:
                        script(Stream(self, len(outer.subscriptions), outer.ending))
                    except (BrokenPipeError, ConnectionResetError):
                        return
                    return
                if self.path == "/api/v1":
                    self._answer({"type": body["type"], body["type"].lower(): (answers or {})[body["type"]]})
                    return
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                self._answer({"version": version})

            def _answer(self, what: Json) -> None:
                body = json.dumps(what).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        self._server = Server((host, 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"[{host!s}]:{port}" if ":" in str(host) else f"{host!s}:{port}"

    def kinds(self) -> list[str]:
        return [body["type"] for body, _ in self.calls]

    def wait_for(self, kind: str, seconds: float = 10.0) -> Json:
        deadline = time.monotonic() + seconds
        while True:
            for body, _ in self.calls:
                if body["type"] == kind:
                    return body
            assert time.monotonic() < deadline, f"no {kind} in {self.kinds()}"
            time.sleep(0.01)

    def close(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
