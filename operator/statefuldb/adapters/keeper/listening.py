"""Waiting for what keepers say next, thousands of them at once, and noticing those that say nothing any more.

A keeper that is waited for gives a sign of life every few seconds (docs/keeper.md). To wake up for each of them costs
ten times as much as to read it. So the kernel wakes us only for more than a few (SO_RCVLOWAT, socket(7)), which an
answer is, and all connections are read in one go now and then.
"""

import asyncio
import socket
import ssl
from contextlib import suppress

from statefuldb.model.keeper import SIGN_OF_LIFE

BEAT_SECONDS = 4.0
LOOK_SECONDS = 5.0
SILENT_SECONDS = 10.0
# More than what signs of life are between two looks, less than any status answer.
WAKE_BYTES = 256
# A sign, or the beginning of an answer.
_CHUNK_BYTES = 64


class Listening:
    """Those who are waited for on one event loop.

    Keepers are asked for a sign of life each `beat_seconds`. Who has said nothing for `silent_seconds` is found by the
    next look, one each `look_seconds`. A look reads before it judges: an operator that was itself held up finds what
    has come meanwhile.
    """

    def __init__(
        self,
        *,
        beat_seconds: float = BEAT_SECONDS,
        look_seconds: float = LOOK_SECONDS,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self.beat_seconds = beat_seconds
        self._look_seconds = look_seconds
        self._silent_seconds = silent_seconds
        self._waiting: set[_Waiting] = set()
        self._next: asyncio.TimerHandle | None = None

    async def hear(self, tls: ssl.SSLSocket) -> bytes:
        """Return what comes next that is no sign of life; empty where the peer has closed the connection.

        Raises TimeoutError where neither comes, OSError.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(tls, loop)
        descriptor = tls.fileno()
        _wake_for(tls, WAKE_BYTES)
        loop.add_reader(descriptor, waiting.read)
        self._waiting.add(waiting)
        if self._next is None:
            self._next = loop.call_later(self._look_seconds, self._look, loop)
        try:
            return await waiting.said
        finally:
            self._waiting.discard(waiting)
            loop.remove_reader(descriptor)
            _wake_for(tls, 1)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        for waiting in list(self._waiting):
            waiting.read()
            if loop.time() - waiting.heard_at >= self._silent_seconds and not waiting.said.done():
                waiting.said.set_exception(TimeoutError(f"no sign of life for {self._silent_seconds:g} s"))
        self._next = loop.call_later(self._look_seconds, self._look, loop) if self._waiting else None


class _Waiting:
    """One connection, when something was last heard on it (the loop's time), and what was said at last."""

    __slots__ = ("_loop", "_tls", "heard_at", "said")

    def __init__(self, tls: ssl.SSLSocket, loop: asyncio.AbstractEventLoop) -> None:
        self._tls = tls
        self._loop = loop
        self.heard_at = loop.time()
        self.said: asyncio.Future[bytes] = loop.create_future()

    def read(self) -> None:
        """Read what is there."""
        if self.said.done():
            return
        try:
            while (part := self._tls.recv(_CHUNK_BYTES)) == SIGN_OF_LIFE:
                self.heard_at = self._loop.time()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self.said.set_exception(error)
        else:
            self.said.set_result(part)


def _wake_for(tls: ssl.SSLSocket, size: int) -> None:
    # Where a kernel has no such option, each sign of life wakes us.
    with suppress(OSError):
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
