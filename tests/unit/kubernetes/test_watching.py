"""kopf is begun again whatever ended it: an operator that sees nothing is worse."""

import asyncio
import threading
from typing import Any

import kopf
import pytest

from statefuldb.adapters.kubernetes import watching
from statefuldb.adapters.kubernetes.watching import Watcher


def test_kopf_that_gave_up_by_itself_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for its flag on a thread of the event loop's, which waits for that thread before it can be closed."""
    begun, again = threading.Event(), threading.Event()

    async def give_up(*, stop_flag: threading.Event, **_: Any) -> None:
        (again if begun.is_set() else begun).set()
        waiter = asyncio.create_task(asyncio.to_thread(stop_flag.wait))
        await asyncio.sleep(0.01)
        waiter.cancel()
        raise RuntimeError("the kind vanished")

    monkeypatch.setattr(watching, "BEGIN_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(watching, "served_by", lambda _: frozenset())
    monkeypatch.setattr(kopf, "operator", give_up)
    watcher = Watcher(None, lambda *_: None)
    watcher.start()
    try:
        assert again.wait(5.0)
    finally:
        watcher.stop()
