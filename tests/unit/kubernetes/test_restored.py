"""The API was restored from a backup under a running operator: what that knows of it is of another past."""

from typing import Any

import pytest

from statefuldb.adapters.kubernetes.cache import Cache
from statefuldb.adapters.kubernetes.objects import DATABASES
from statefuldb.adapters.kubernetes.watching import OnEvent
from statefuldb.reconcile.ports import EffectFailed
from unit.kubernetes.watched import Relisting, Shelf, life, watching
from unit.planning.world import KEY


def begun(shelf: Shelf, restored: list[str]) -> tuple[Relisting, OnEvent]:
    """Return what has an adapter list anew, and what tells it of changes, once it has listed all."""
    machine = Relisting()
    adapter, tell = watching(shelf.exchange, on_restored=lambda: restored.append("restored"), machine=machine)
    adapter.start()
    return machine, tell


def test_an_api_that_went_back_is_noticed_by_a_list_that_is_older_than_what_was_seen() -> None:
    """A real etcd, put back under a running operator: its watches told of nothing, and what it had published stayed."""
    shelf, restored = Shelf(20), list[str]()
    machine, _ = begun(shelf, restored)
    machine.relist()
    shelf.versions["orders-0007"] = 50
    machine.relist()
    assert not restored
    shelf.versions["orders-0007"] = 8
    machine.relist()
    assert restored


@pytest.mark.parametrize("kind", ["MODIFIED", "DELETED"])
def test_one_whose_versions_went_on_is_noticed_by_an_object_that_went_back(kind: str) -> None:
    shelf, restored = Shelf(20), list[str]()
    machine, tell = begun(shelf, restored)
    tell(DATABASES, kind, {"metadata": {"namespace": "shop", "name": "orders-0007", "resourceVersion": "60"}})
    shelf.versions["orders-0001"] = 1_000
    machine.relist()
    assert restored


def test_what_changed_after_a_list_disproves_nothing() -> None:
    cache = Cache()
    listed, since = ({"metadata": {"namespace": "shop", "name": "a", "resourceVersion": v}} for v in ("5", "60"))
    cache.put(since)
    assert not cache.disproves(listed, "59"), "the list had left when the object changed"
    assert cache.disproves(listed, "60")
    cache.remove(since)
    assert not cache.disproves(listed, "59")
    assert cache.disproves(listed, "60")


def test_an_api_that_went_back_is_noticed_by_a_write_that_it_refuses() -> None:
    restored: list[str] = []
    stored = life("one", 7)

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if method == "GET":
            return 200, stored
        return 409, {"kind": "Status", "code": 409, "reason": "Conflict", "message": "modified"}

    adapter, tell = watching(exchange, on_restored=lambda: restored.append("restored"))
    tell(DATABASES, "ADDED", stored)
    for version, noticed in ((7, False), (8, False), (5, True)):
        stored = life("one", version)
        with pytest.raises(EffectFailed):
            adapter.write_status(KEY, "one", {"summary": "1 of 1 members answer SQL"})
        assert bool(restored) is noticed
