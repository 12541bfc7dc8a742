"""A Mesos master as any client sees it: plain HTTP, and the RecordIO stream of one subscription."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
JSON = "application/json"
SCHEDULER, OPERATOR = "/api/v1/scheduler", "/api/v1"
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back. `text` is the body."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def body(self) -> Json:
        parsed: Json = json.loads(self.text) if self.text else {}
        return parsed


class Http:
    """The HTTP of one master at `host:port`. `usual` are headers of every request that does not say otherwise."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.usual: dict[str, str | None] = {"Content-Type": JSON, "Accept": JSON}

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address, timeout=PATIENCE_SECONDS)

    def send(self, method: str, path: str, body: Any = None, **headers: str | None) -> Answer:
        """Send one request; headers by name, with underscores for hyphens, None to leave a usual one out."""
        connection = self.connect()
        try:
            connection.request(method, path, encoded(body), self.named(headers))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read().decode())
        finally:
            connection.close()

    def raw(self, sent: bytes, *, until: bytes = b"", half_close: bool = False) -> bytes:
        """Send bytes on a connection of their own; return what comes until `until` or the end.

        `half_close` ends our side of the connection once an event has come.
        """
        host, _, port = self.address.rpartition(":")
        received = b""
        with socket.create_connection((host, int(port)), PATIENCE_SECONDS) as connection:
            connection.sendall(sent)
            while not until or until not in received:
                read = connection.recv(65536)
                if not read:
                    break
                received += read
                if half_close and b'"HEARTBEAT"' in received:
                    connection.shutdown(socket.SHUT_WR)
                    half_close = False
        return received

    def named(self, headers: dict[str, str | None]) -> dict[str, str]:
        """Return the headers of a request, given by names with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return {name: value for name, value in {**self.usual, **given}.items() if value is not None}

    def ask(self, kind: str, **body: Any) -> Answer:
        """Send one call of the operator API."""
        call: Json = {"type": kind}
        if body:
            call[kind.lower()] = body
        return self.send("POST", OPERATOR, call)

    def get(self, kind: str) -> Json:
        """Return the answer to one `GET_...` call of the operator API."""
        answer = self.ask(kind)
        assert answer.status == 200, answer.text
        found: Json = answer.body.get(kind.lower(), {})
        return found


def encoded(body: Any) -> bytes | None:
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()


class Stream:
    """The events of one subscription, in order. `ended` says how it ended: cleanly, or by a broken connection."""

    def __init__(self, master: Http, call: Json, **headers: str | None) -> None:
        self._connection = master.connect()
        self._connection.request("POST", SCHEDULER, encoded(call), master.named(headers))
        self._response = self._connection.getresponse()
        self.status = self._response.status
        self.id = self._response.headers.get("Mesos-Stream-Id")
        self.ended: str | None = None
        self.left = False
        self.events: list[Json] = []
        self._changed = threading.Condition()
        self._listeners: list[Callable[[Json], None]] = []
        if self.status != 200:
            self.text = self._response.read().decode()
            return
        if self._connection.sock is not None:
            self._connection.sock.settimeout(None)
        self._socket = self._connection.sock
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        how = "broken"
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            while line := self._response.readline():
                event = json.loads(self._response.read(int(line)))
                with self._changed:
                    self.events.append(event)
                    self._changed.notify_all()
            # Nothing is left of a chunked body that has come to its end; a broken one just stops.
            how = "clean" if getattr(self._response, "chunk_left", 0) is None else "broken"
        with self._changed:
            self.ended = how
            self._changed.notify_all()

    def wait(self, condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS, about: str = "") -> Any:
        """Return the first truth of a condition that events can change. Fails with what was received instead."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (found := condition()):
                left = deadline - time.monotonic()
                if left <= 0:
                    received = "\n".join(json.dumps(event)[:400] for event in self.events if event["type"] != "OFFERS")
                    raise AssertionError(f"not within {seconds:g} s: {about}; received\n{received}")
                self._changed.wait(left)
        return found

    def wait_for_more(self, seconds: float, about: str) -> None:
        """Wait for any further event."""
        known = len(self.events)
        self.wait(lambda: len(self.events) > known, seconds, about)

    def close(self) -> None:
        """Break the connection, as a scheduler that dies does."""
        self.left = True
        with contextlib.suppress(OSError, AttributeError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._connection.close()
