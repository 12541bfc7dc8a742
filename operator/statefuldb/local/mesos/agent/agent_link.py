"""An agent's side of its connection to the master: a stream of orders in, messages out, signs of life."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from logging import getLogger
from typing import Any

import aiohttp

from statefuldb.local.mesos.recordio import decode

log = getLogger(__name__)
Json = dict[str, Any]
RECONNECT_SECONDS = 0.5


class AgentLink:
    """One agent's connection to `master` (host:port). Messages are sent in the order in which they were put here."""

    def __init__(self, master: str, heartbeat_seconds: float) -> None:
        self._master = f"http://{master}"
        self._heartbeat_seconds = heartbeat_seconds
        self._outgoing: asyncio.Queue[Json] = asyncio.Queue()

    def send(self, message: Json) -> None:
        """Send a message. A lost one is sent again by whoever waits for its acknowledgement."""
        self._outgoing.put_nowait(message)

    async def follow(
        self,
        *,
        describe: Callable[[], Json],
        obey: Callable[[Json], Awaitable[None]],
        identity: Callable[[], str | None],
        until: asyncio.Event,
    ) -> None:
        """Register with what `describe` returns and obey what comes; again, whenever the master was away."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, connect=5)) as session:
            others = [asyncio.create_task(self._post(session, identity)), asyncio.create_task(self._beat())]
            try:
                while not until.is_set():
                    try:
                        await self._serve(session, describe(), obey)
                    except (aiohttp.ClientError, OSError) as error:
                        log.info("master is away: %s", error)
                    await asyncio.sleep(RECONNECT_SECONDS)
            finally:
                for work in others:
                    work.cancel()
                await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, session: aiohttp.ClientSession, body: Json, obey: Callable[[Json], Awaitable[None]]) -> None:
        async with session.post(f"{self._master}/internal/agent", json=body) as response:
            response.raise_for_status()
            while (message := await decode(response.content)) is not None:
                await obey(message)

    async def _post(self, session: aiohttp.ClientSession, identity: Callable[[], str | None]) -> None:
        while True:
            message = {**await self._outgoing.get(), "agent_id": identity()}
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with session.post(f"{self._master}/internal/agent/message", json=message):
                    pass

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            self.send({"type": "ALIVE"})
