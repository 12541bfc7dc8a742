"""kopf is begun again whatever ended it: an operator that sees nothing is worse."""

import asyncio
import threading
from typing import Any

import kopf
import pytest

from statefuldb.adapters.kubernetes import watching
from statefuldb.adapters.kubernetes.surroundings import DEFINITIONS
from statefuldb.adapters.kubernetes.watching import Watcher
from statefuldb.model.schema.crd import GROUP


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


def test_of_definitions_only_ours_are_told_of_and_only_what_is_asked_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster may have hundreds of others, large ones, and controllers that change them."""
    told, over = list[tuple[str, str | None, dict[str, Any]]](), threading.Event()

    async def tell(*, registry: kopf.OperatorRegistry, **_: Any) -> None:
        found: list[Any] = [each.fn for each in registry._watching.get_all_handlers() if each.id == DEFINITIONS]
        (noticed,) = found
        for name in (f"statefuldatabases.{GROUP}", "things.example.org", f"{GROUP}.example.org"):
            metadata = {"name": name, "uid": name, "resourceVersion": "7"}
            await noticed(event={"type": "MODIFIED", "object": {"metadata": metadata, "spec": {"versions": []}}})
        over.set()

    monkeypatch.setattr(watching, "served_by", lambda _: frozenset())
    monkeypatch.setattr(kopf, "operator", tell)
    watcher = Watcher(None, lambda *event: told.append(event))
    watcher.start()
    try:
        assert over.wait(5.0)
    finally:
        watcher.stop()
    ours = f"statefuldatabases.{GROUP}"
    assert told == [
        (DEFINITIONS, "MODIFIED", {"metadata": {"name": ours, "uid": ours, "resourceVersion": "7"}}),
    ]
