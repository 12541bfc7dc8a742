"""A proxy between the operator and its master that can cut any call short and kill either in that moment.

Each call of the operator is a connection of its own (adapters/mesos/calls.py), so one request is read whole, judged,
and passed on; whatever comes back is passed back as it comes, the event stream included.
"""

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Cut:
    """Where a call is cut: after how many of an ACCEPT's operations the master was told; 0: it hears nothing."""

    operations: int = 0

    def apply(self, call: Json) -> Json | None:
        """Return what the master hears, None for nothing."""
        if self.operations == 0:
            return None
        if call["type"] != "ACCEPT":
            return call
        accept = call["accept"]
        return {**call, "accept": {**accept, "operations": accept["operations"][: self.operations]}}


def task_ids(call: Json | None) -> list[str]:
    """Return the ids of the tasks that a call launches."""
    operations = (call or {}).get("accept", {}).get("operations", [])
    launches = [operation["launch"] for operation in operations if operation["type"] == "LAUNCH"]
    return [task["task_id"]["value"] for launch in launches for task in launch["task_infos"]]


class Interceptor(socketserver.ThreadingTCPServer):
    """Listens on loopback for the operator. `arm` sets a trap for the next call that fits."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, master: str, kill: Callable[[], None]) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        host, _, port = master.rpartition(":")
        self.master = (host, int(port))
        self._kill = kill
        self._lock = threading.Lock()
        self._trap: tuple[Callable[[Json], bool], Cut] | None = None
        self.sprung = threading.Event()
        self.launched: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def arm(self, fits: Callable[[Json], bool], cut: Cut) -> None:
        """Cut the next call that fits, and kill then."""
        with self._lock:
            self.sprung.clear()
            self._trap = (fits, cut)

    def judge(self, call: Json) -> Cut | None:
        """Return how this call is to be cut; None for not at all."""
        with self._lock:
            fits = self._trap is not None and self._trap[0](call)
            cut = self._trap[1] if self._trap is not None and fits else None
            if cut is not None:
                self._trap = None
            self.launched += task_ids(call if cut is None else cut.apply(call))
            return cut

    def kill(self) -> None:
        """Kill with -9, and say so to whoever waits."""
        self._kill()
        self.sprung.set()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: Interceptor

    def handle(self) -> None:
        head, body = self._request()
        if not head:
            return
        with contextlib.suppress(ValueError):
            call = json.loads(body) if body else {}
            cut = self.server.judge(call)
            if cut is not None:
                heard = cut.apply(call)
                if heard is not None:
                    self._tell_master(head, json.dumps(heard).encode())
                self.server.kill()
                return
        with socket.create_connection(self.server.master, timeout=10) as master:
            master.settimeout(None)
            master.sendall(head + body)
            back = threading.Thread(target=_copy, args=(self.request, master), daemon=True)
            back.start()
            _copy(master, self.request)

    def _request(self) -> tuple[bytes, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            part = self.request.recv(CHUNK_BYTES)
            if not part:
                return b"", b""
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        while len(body) < length:
            body += self.request.recv(CHUNK_BYTES)
        return head + b"\r\n\r\n", body

    def _tell_master(self, head: bytes, body: bytes) -> None:
        """Send the shortened call and wait for the master's answer, which nobody else will hear."""
        lines = [line for line in head.split(b"\r\n") if line and not line.lower().startswith(b"content-length")]
        with socket.create_connection(self.server.master, timeout=10) as master:
            master.sendall(b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""]) + body)
            assert master.recv(CHUNK_BYTES).split(b" ")[1] == b"202"


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until either side ends."""
    with contextlib.suppress(OSError):
        while part := source.recv(CHUNK_BYTES):
            target.sendall(part)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
