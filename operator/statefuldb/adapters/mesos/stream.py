"""The stream of events: opened by one thread, closed by any, and told from the next one by its id."""

import http.client
import json
import socket
import threading
from logging import getLogger
from typing import Any

from statefuldb.adapters.mesos.uncollected import uncollected

log = getLogger(__name__)


class EventStream:
    """The stream that there is, if any. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None
        self._id: str | None = None
        self._calls_under: str | None = None

    @property
    def calls_under(self) -> str | None:
        """The id under which calls are made. None where there is no subscription, or it has not been taken up yet."""
        with self._lock:
            return self._calls_under

    def open(self, connection: http.client.HTTPConnection) -> None:
        """Connect. Raises OSError, also where it was closed before there was anything to close."""
        with self._lock:
            self._connection = connection
        connection.connect()
        with self._lock:
            if self._connection is not connection:
                raise ConnectionAbortedError("given up while it was being opened")

    def begun(self, stream_id: str) -> None:
        """Note the id under which the subscription was granted."""
        with self._lock:
            self._id = stream_id

    def taken_up(self, stream_id: str) -> None:
        """Have calls made under this id from now on, unless its stream has ended meanwhile."""
        with self._lock:
            if self._id == stream_id:
                self._calls_under = stream_id

    def close(self, stream_id: str | None = None) -> None:
        """Close the stream, whichever there is or, with an id, only that one. Whoever reads it finds its end."""
        with self._lock:
            if stream_id not in (None, self._id):
                return
            connection, self._connection = self._connection, None
        sock = connection.sock if connection is not None else None
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("the stream was closed already")

    def over(self) -> None:
        """Note, as the one who reads, that there is no stream any more."""
        self.close()
        with self._lock:
            self._id = self._calls_under = None


def read_record(answer: http.client.HTTPResponse) -> dict[str, Any] | None:
    """Return the next RecordIO record of a stream, or None at its end. Linear in its size."""
    line = answer.readline()
    if not line.strip():
        return None
    body = answer.read(int(line))
    with uncollected():
        return dict(json.loads(body))
