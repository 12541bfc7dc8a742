"""The keeper's endpoint: JSON over mutual TLS, version 1 of the protocol (docs/keeper.md)."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from statefuldb.keeper.state import State
from statefuldb.model.keeper import KeeperStatus

BODY_LIMIT_BYTES = 64 * 1024
CONNECTION_TIMEOUT_SECONDS = 45.0
# Whoever has shown no certificate yet costs a thread and memory, of which the task has little beside its server's.
STRANGERS_LIMIT = 32
HANDSHAKE_SECONDS = 5.0
LONG_POLL_LIMIT_SECONDS = 300.0
LEAST_BEAT_SECONDS = 1.0

Command = Callable[[Mapping[str, Any]], None]


class StaleEpoch(Exception):
    """The caller is an operator that has been succeeded."""


class Endpoint(ThreadingHTTPServer):
    """Serves the status of one keeper, and its commands by path."""

    daemon_threads = True
    allow_reuse_address = True
    # Where more come at once than wait here, the kernel lets each try again seconds later.
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        *,
        context: ssl.SSLContext,
        state: State,
        commands: Mapping[str, Command],
    ) -> None:
        self.context = context
        self.state = state
        self.commands = commands
        self._strangers = threading.BoundedSemaphore(STRANGERS_LIMIT)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Take the address, and ask no name service what it is called: one that is away does not answer for long."""
        TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)

    def start(self) -> None:
        """Serve on a thread of its own."""
        threading.Thread(target=self.serve_forever, name="endpoint", daemon=True).start()

    def get_request(self) -> tuple[socket, Any]:
        """Accept a connection; its handshake is made on its own thread, so that none can hold up the others."""
        plain, address = super().get_request()
        plain.settimeout(HANDSHAKE_SECONDS)
        return self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection on its own thread, unless too many make their handshakes just now."""
        if not self._strangers.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:
            # No thread could be started, which would have given the place back.
            self._strangers.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Make the handshake, in which everybody but the operator fails, and serve whoever is left."""
        try:
            request.do_handshake()
            request.settimeout(CONNECTION_TIMEOUT_SECONDS)
        except OSError:
            self.shutdown_request(request)
            return
        finally:
            self._strangers.release()
        super().process_request_thread(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a connection that fails (no certificate, gone away) end quietly; it was told by TLS."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endpoint

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path != "/v1/status":
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"no {url.path}", "allowed": "/v1/status"})
            return
        query = parse_qs(url.query)
        status = self.server.state.status
        if "after" in query:
            pause_seconds = min(float(query.get("timeout_seconds", ["30"])[0]), LONG_POLL_LIMIT_SECONDS)
            beat_seconds = max(LEAST_BEAT_SECONDS, float(query.get("beat_seconds", ["inf"])[0]))
            status = self._wait_after(int(query["after"][0]), pause_seconds, beat_seconds)
        self._send(HTTPStatus.OK, status.to_json())
        self.server.state.note_told(status.revision)

    def do_POST(self) -> None:
        command = self.server.commands.get(self.path)
        length = int(self.headers.get("Content-Length", 0))
        if command is None or length > BODY_LIMIT_BYTES:
            known = ", ".join(sorted(self.server.commands))
            self.close_connection = True
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"no {self.path}", "allowed": known})
            return
        try:
            command(json.loads(self.rfile.read(length)))
        except StaleEpoch as error:
            self._answer(HTTPStatus.CONFLICT, {"error": str(error)})
        except (KeyError, TypeError, ValueError) as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": f"{type(error).__name__}: {error}"})
        except OSError as error:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)})
        else:
            self._answer(HTTPStatus.OK, {"done": True})

    def _wait_after(self, revision: int, pause_seconds: float, beat_seconds: float) -> KeeperStatus:
        """Return the status once it has changed or the pause is over; each `beat_seconds` give a sign of life."""
        state, until = self.server.state, time.monotonic() + pause_seconds
        # The first one at once: whoever has heard it knows that there are signs of life to be missed.
        while (left := until - time.monotonic()) > beat_seconds and state.status.revision == revision:
            if state.stands():
                self.send_response_only(HTTPStatus.PROCESSING)
                self.end_headers()
            state.wait_after(revision, beat_seconds)
        return state.wait_after(revision, max(0.0, left))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: paths and addresses of every poll are of no use in a task's output."""

    def _answer(self, code: HTTPStatus, body: Mapping[str, object]) -> None:
        self._send(code, json.dumps(body))

    def _send(self, code: HTTPStatus, text: str) -> None:
        encoded = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)
