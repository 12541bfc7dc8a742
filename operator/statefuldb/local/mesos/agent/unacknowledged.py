"""What an agent has to say until it is thanked: sent at once, after 10 s, 20 s more, and so on."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

Json = dict[str, Any]
RETRY_FIRST_SECONDS = 10.0
RETRY_LIMIT_SECONDS = 600.0


class Unacknowledged:
    """Messages by whom they concern; later ones about the same wait behind the first. `save` keeps them on disk."""

    def __init__(
        self,
        *,
        send: Callable[[Json], None],
        save: Callable[[str, list[Json]], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._send = send
        self._save = save
        self._spawn = spawn
        self._waiting: dict[str, list[Json]] = {}
        self._sending: set[str] = set()

    def restore(self, key: str, messages: list[Json]) -> None:
        """Take up what was on disk; it is sent from the next `resend` on."""
        if messages:
            self._waiting[key] = messages

    def add(self, key: str, message: Json) -> None:
        """Say something until it is acknowledged by its `uuid`."""
        waiting = self._waiting.setdefault(key, [])
        waiting.append(message)
        self._save(key, waiting)
        if len(waiting) == 1:
            self._begin(key)

    def of(self, key: str) -> list[Json]:
        """Return what waits about one, oldest first."""
        return self._waiting.get(key, [])

    def keys(self, kind: str) -> list[str]:
        """Return whom messages of a kind wait about."""
        return [key for key, waiting in self._waiting.items() if waiting[0]["type"] == kind]

    def acknowledge(self, key: str, uuid: str) -> Json | None:
        """Take the first message away, if this is its uuid, and return it; the next one is sent then."""
        waiting = self._waiting.get(key, [])
        if not waiting or waiting[0]["uuid"] != uuid:
            return None
        done = waiting.pop(0)
        if waiting:
            self._begin(key)
        else:
            del self._waiting[key]
        self._save(key, waiting)
        return done

    def drop(self, key: str) -> None:
        """Say nothing more about one: nobody is left to thank us."""
        self._waiting.pop(key, None)

    def resend(self, keys: Iterable[str]) -> None:
        """Send the first message of each again, out of turn: somebody new listens."""
        for key in keys:
            if self._waiting[key][0]["uuid"] in self._sending:
                self._send(self._waiting[key][0])
            else:
                self._begin(key)

    def _begin(self, key: str) -> None:
        self._spawn(self._until_acknowledged(key, self._waiting[key][0]))

    async def _until_acknowledged(self, key: str, message: Json) -> None:
        pause = RETRY_FIRST_SECONDS
        self._sending.add(message["uuid"])
        while message in self._waiting.get(key, [])[:1]:
            self._send(message)
            await asyncio.sleep(pause)
            pause = min(RETRY_LIMIT_SECONDS, pause * 2)
        self._sending.discard(message["uuid"])
