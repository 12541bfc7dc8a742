"""One lasting connection to one keeper, on an event loop, over mutual TLS with its certificate pinned.

Plain `ssl` on a socket that does not block, instead of asyncio's own TLS: that keeps a quarter of a mebibyte for each
connection, and an operator has thousands of them.
"""

import asyncio
import http.client
import io
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from statefuldb.adapters.keeper.listening import Listening

P = ParamSpec("P")
T = TypeVar("T")
CONNECT_TIMEOUT_SECONDS = 5.0
ANSWER_LIMIT_BYTES = 1024 * 1024
_CHUNK_BYTES = 16 * 1024
# A peer whose machine is gone is noticed by the kernel within half a minute, without a packet of ours being asked for.
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 15), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))


class ConnectionFailed(Exception):
    """The keeper did not answer, or not as one."""


class AnotherCertificate(ConnectionFailed):
    """Whoever listens there is not the keeper whose certificate is pinned. Nothing was sent to it."""


def operator_context(identity: Path) -> ssl.SSLContext:
    """Return the operator's side of all connections. `identity` is a file with its certificate and key.

    Whom it talks to is not decided by an authority but by the pin, which `open_connection` compares.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(identity)
    return context


async def open_connection(
    address: str, port: int, *, context: ssl.SSLContext, pinned_pem: str, listening: Listening
) -> "KeeperConnection":
    """Connect, and compare the certificate. Raises ConnectionFailed, and OSError where nobody listens."""
    loop = asyncio.get_running_loop()
    plain = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        plain.setblocking(False)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE:
            plain.setsockopt(socket.IPPROTO_TCP, option, value)
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            await loop.sock_connect(plain, (address, port))
            # The peer has proved by the end of the handshake that it has the key of the certificate that it shows.
            connection = KeeperConnection(context.wrap_socket(plain, do_handshake_on_connect=False), listening)
            await connection.shake_hands(ssl.PEM_cert_to_DER_cert(pinned_pem))
    except BaseException:
        plain.close()
        raise
    return connection


class KeeperConnection:
    """An open connection. One request at a time.

    `beats` is whether the keeper was heard to give signs of life while it is waited for; then silence is noticed.
    """

    __slots__ = ("_listening", "_loop", "_rest", "_tls", "beats")

    def __init__(self, tls: ssl.SSLSocket, listening: Listening) -> None:
        self.beats = False
        self._tls = tls
        self._listening = listening
        self._loop = asyncio.get_running_loop()
        self._rest = b""

    async def shake_hands(self, pinned_der: bytes) -> None:
        """Make the handshake. Raises AnotherCertificate, ConnectionFailed."""
        try:
            await self._done(self._tls.do_handshake)
            if self._tls.getpeercert(binary_form=True) != pinned_der:
                raise AnotherCertificate("another certificate than the pinned one")
        except BaseException:
            self.close()
            raise

    async def get(self, path: str, *, timeout_seconds: float) -> str:
        """Return the body of a successful answer. Raises ConnectionFailed, OSError, TimeoutError."""
        request = f"GET {path} HTTP/1.1\r\nHost: keeper\r\n\r\n".encode()
        async with asyncio.timeout(timeout_seconds):
            if await self._done(self._tls.send, request) != len(request):
                raise ConnectionFailed("the request was not taken")
            try:
                while (code := _code(head := await self._head())) < http.client.OK:
                    self.beats = True
                length = int(http.client.parse_headers(io.BytesIO(head.partition(b"\r\n")[2]))["Content-Length"])
            except (IndexError, TypeError, ValueError, http.client.HTTPException) as error:
                raise ConnectionFailed(f"no HTTP answer: {error}") from error
            while len(self._rest) < length:
                await self._read_on()
        body, self._rest = self._rest[:length].decode(errors="replace"), self._rest[length:]
        if code != http.client.OK:
            raise ConnectionFailed(f"GET {path}: {code} {body[:500]}")
        return body

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):
            self._tls.close()

    async def _head(self) -> bytes:
        while b"\r\n\r\n" not in self._rest:
            await self._read_on()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return head

    async def _read_on(self) -> None:
        # What has begun to come is waited for byte by byte.
        if self.beats and not self._rest:
            part = await self._listening.hear(self._tls)
        else:
            part = await self._done(self._tls.recv, _CHUNK_BYTES)
        if not part:
            raise ConnectionFailed("the connection was closed")
        self._rest += part
        if len(self._rest) > ANSWER_LIMIT_BYTES:
            raise ConnectionFailed("the answer is too long")

    async def _done(self, step: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Make a step of TLS as soon as the socket is ready for it."""
        while True:
            add: Callable[..., object]
            remove: Callable[[int], object]
            try:
                return step(*arguments, **named)
            except ssl.SSLWantReadError:
                add, remove = self._loop.add_reader, self._loop.remove_reader
            except ssl.SSLWantWriteError:
                add, remove = self._loop.add_writer, self._loop.remove_writer
            # Outside of `except`: a wait of minutes would keep the error, its traceback and their frames.
            ready = self._loop.create_future()
            descriptor = self._tls.fileno()
            add(descriptor, _set, ready)
            try:
                await ready
            finally:
                remove(descriptor)


def _code(head: bytes) -> int:
    """Return the status code of an answer. Raises IndexError, ValueError."""
    return int(head.split(b" ", 2)[1])


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
