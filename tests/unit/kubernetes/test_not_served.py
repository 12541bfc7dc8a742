"""A kind that is not served for a while, as while its definition is put right, takes nothing with it."""

from typing import Any

import pytest

from statefuldb.adapters.kubernetes.adapter import KubernetesAdapter
from statefuldb.adapters.kubernetes.objects import DATABASES, PAGE_OBJECTS, PROFILES, VOLUMES
from statefuldb.model.identity import DatabaseKey
from statefuldb.reconcile.ports import NotAnswered
from unit.kubernetes.watched import Relisting, Shelf, watching

NOT_SERVED = (404, "404 page not found\n")


class Unserved(Shelf):
    """A shelf of which some kinds are not served, or no longer from a page of a list on."""

    kinds: tuple[str, ...] = ()
    amid_a_list = False

    def exchange(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        whole = path.partition("?")[0]
        if whole.endswith(self.kinds or ("nothing",)) and ("continue=" in path or not self.amid_a_list):
            return NOT_SERVED
        return super().exchange(method, path, body, content_type)


def adapter_on(shelf: Shelf, enqueued: list[DatabaseKey]) -> KubernetesAdapter:
    return watching(shelf.exchange, enqueued.append, machine=Relisting())[0]


@pytest.mark.parametrize(("kind", "amid_a_list"), [(DATABASES, False), (DATABASES, True), (VOLUMES, False)])
def test_a_list_of_what_is_not_served_says_nothing(kind: str, amid_a_list: bool) -> None:
    """Simulator, seed 9 where the API turns the operator away: it began without its ledger, and acknowledged an end."""
    shelf, enqueued = Unserved(2 * PAGE_OBJECTS), list[DatabaseKey]()
    adapter = adapter_on(shelf, enqueued)
    adapter._relist()
    enqueued.clear()
    shelf.kinds, shelf.amid_a_list = (f"/{kind}",), amid_a_list
    with pytest.raises(NotAnswered, match="not served now"):
        adapter._relist()
    assert not enqueued
    with pytest.raises(NotAnswered, match="not served now"):
        adapter_on(shelf, []).start()
    shelf.kinds = ()
    adapter._relist()
    assert not enqueued
    assert len(adapter.keys()) == 2 * PAGE_OBJECTS


@pytest.mark.parametrize("kind", [DATABASES, VOLUMES])
def test_what_goes_with_its_definition_is_gone(kind: str) -> None:
    shelf, enqueued = Unserved(1), list[DatabaseKey]()
    adapter = adapter_on(shelf, enqueued)
    adapter._relist()
    shelf.kinds, shelf.definitions = (
        (f"/{kind}",),
        {"deletionTimestamp": "2025-06-01T00:00:00Z", "resourceVersion": "2"},
    )
    adapter._relist()
    assert adapter.crd_terminating()
    assert bool(adapter.keys()) is (kind == VOLUMES)


def test_what_bounds_databases_bounds_them_on() -> None:
    shelf, enqueued = Unserved(1), list[DatabaseKey]()
    adapter = adapter_on(shelf, enqueued)
    shelf.kinds = (f"/{PROFILES}",)
    adapter._relist()
    enqueued.clear()
    adapter._relist()
    assert not enqueued


def test_an_operator_whose_kind_is_not_served_says_that_it_does_not_do_its_work() -> None:
    shelf = Unserved(1)
    adapter = adapter_on(shelf, [])
    adapter._relist()
    shelf.kinds = (f"/{DATABASES}",)
    assert "not served now" in adapter.lost()
    shelf.definitions = {"deletionTimestamp": "2025-06-01T00:00:00Z", "resourceVersion": "2"}
    later = adapter_on(shelf, [])
    later._relist()
    assert later.lost() == "", "without the definition there is no work"
