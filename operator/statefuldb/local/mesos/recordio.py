"""RecordIO over a chunked HTTP answer: the length on a line, then the JSON (Mesos docs, scheduler-http-api)."""

import asyncio
import json
from typing import Any

from aiohttp import web

Json = dict[str, Any]


def encode(message: Json) -> bytes:
    """Return one record."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return b"%d\n%s" % (len(body), body)


async def decode(stream: asyncio.StreamReader | Any) -> Json | None:
    """Return the next record of a stream, or None at its end."""
    try:
        line = await stream.readline()
        if not line:
            return None
        return dict(json.loads(await stream.readexactly(int(line))))
    except asyncio.IncompleteReadError:
        return None


class Outgoing:
    """One open stream: messages put here are sent in order until it is closed."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Json | None] = asyncio.Queue()

    def put(self, message: Json) -> None:
        """Send a message."""
        self._queue.put_nowait(message)

    def close(self) -> None:
        """End the stream after what was put before."""
        self._queue.put_nowait(None)

    async def serve(self, response: web.StreamResponse) -> None:
        """Write messages until the stream is closed or its reader goes away."""
        while (message := await self._queue.get()) is not None:
            await response.write(encode(message))
