"""One watch: changes in order as lines of JSON, bookmarks while nothing happens."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.objects.store import Change
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.serving.representation import TABLE, one

Json = dict[str, Any]
# kopf drops a watch that is silent for 70 s; the real server sends one each minute.
BOOKMARK_SECONDS = 50.0
# The real server sends one shortly before the time that the client asked for is over.
LAST_BOOKMARK_SECONDS = 2.0


class Watch:
    """Which changes one client is told of."""

    def __init__(self, kind: Kind, namespace: str, matches: Callable[[Json], bool], form: str, include: str) -> None:
        self._kind = kind
        self._namespace = namespace
        self._matches = matches
        self._form = form
        self._include = include
        self._begun = False
        self._lines: asyncio.Queue[Json | None] = asyncio.Queue()

    @property
    def key(self) -> str:
        """The storage key of what is watched."""
        return self._kind.key

    def begin(self, objects: list[Json]) -> None:
        """Tell of what is there already."""
        for stored in objects:
            self._send("ADDED", stored)

    def put(self, change: Change) -> None:
        """Tell of a change, if it is of this kind; entering or leaving the selection counts as ADDED or DELETED."""
        key, namespace, _ = change.address
        if key != self._kind.key or (self._namespace and namespace != self._namespace):
            return
        now = change.type != "DELETED" and self._matches(change.object)
        before = change.previous is not None and self._matches(change.previous)
        if now:
            self._send("MODIFIED" if before else "ADDED", change.object)
        elif before and change.previous is not None:
            metadata = {**change.previous["metadata"], "resourceVersion": str(change.version)}
            self._send("DELETED", {**change.previous, "metadata": metadata})

    def expire(self, wanted: int, oldest: int) -> None:
        """Say that the version is too old, and end."""
        error = ApiError(410, f"too old resource version: {wanted} ({oldest})")
        self._lines.put_nowait({"type": "ERROR", "object": error.status()})
        self.end()

    def bookmark(self, version: int, *, end_of_initial: bool = False) -> None:
        """Tell how far the client has seen."""
        metadata: Json = {"resourceVersion": str(version), "creationTimestamp": None}
        if end_of_initial:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        mark = {"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": metadata}
        self._lines.put_nowait({"type": "BOOKMARK", "object": mark})

    def end(self) -> None:
        """End the stream."""
        self._lines.put_nowait(None)

    async def serve(self, response: web.StreamResponse, seconds: float, version: Callable[[], int] | None) -> None:
        """Write lines until the end, or for `seconds` if given; bookmarks where `version` is given."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds if seconds else None
        marked = False
        while True:
            now = loop.time()
            if deadline is not None and now >= deadline:
                return
            left = BOOKMARK_SECONDS if deadline is None else min(BOOKMARK_SECONDS, deadline - now)
            last = deadline is not None and not marked and left > LAST_BOOKMARK_SECONDS
            wait = min(left, deadline - LAST_BOOKMARK_SECONDS - now) if last and deadline is not None else left
            try:
                line = await asyncio.wait_for(self._lines.get(), timeout=max(0.0, wait))
            except TimeoutError:
                over = deadline is not None and loop.time() >= deadline
                if version is not None and not over:
                    marked = last or marked
                    self.bookmark(version())
                continue
            if line is None:
                return
            await response.write(json.dumps(line).encode() + b"\n")

    def _send(self, kind: str, stored: Json) -> None:
        shown = one(self._kind, stored, self._form, datetime.now(UTC), self._include)
        if self._form == TABLE:
            if self._begun:
                shown["columnDefinitions"] = None
            self._begun = True
        self._lines.put_nowait({"type": kind, "object": shown})
