"""What databases stand in, read directly: whom a change concerns looks, also where no watch tells of it."""

from typing import Any

import pytest

from statefuldb.adapters.kubernetes.adapter import KubernetesAdapter
from statefuldb.adapters.kubernetes.surroundings import DEFINITIONS
from unit.kubernetes.test_events import ABSENT
from unit.kubernetes.watched import Relisting, Shelf, watching
from unit.planning.world import KEY

Json = dict[str, Any]


class Grounds(Shelf):
    """A shelf with one namespace beside it, as `namespace` says; None where it is not there."""

    def __init__(self) -> None:
        super().__init__(1)
        self.told: list[str | None] = []
        self.namespace: Json | None = {"resourceVersion": "1"}

    def exchange(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if not path.endswith(f"/namespaces/{KEY.namespace}"):
            return super().exchange(method, path, body, content_type)
        if self.namespace is None:
            return ABSENT
        return 200, {"metadata": {"name": KEY.namespace, **self.namespace}}

    def known(self, *namespaces: str) -> KubernetesAdapter:
        """Return an adapter that has seen all of it, confined to `namespaces` where there are any."""
        adapter, self.tell = watching(
            self.exchange, machine=Relisting(), on_surroundings=self.told.append, namespaces=namespaces
        )
        adapter._relist()
        adapter.look_around(KEY.namespace)
        self.told.clear()
        return adapter


LABELLED = {"resourceVersion": "2", "labels": {"tier": "gold"}}


@pytest.mark.parametrize("now", [LABELLED, None])
def test_a_namespace_that_nobody_watches_is_looked_at_with_each_list(now: Json | None) -> None:
    """By its labels a profile bounds it: what was refused may be allowed by now, and nothing else tells of that."""
    grounds = Grounds()
    adapter = grounds.known(KEY.namespace)
    adapter._relist()
    assert grounds.told == [], "nothing has changed"
    grounds.namespace = now
    adapter._relist()
    assert grounds.told == [KEY.namespace]


def test_a_namespace_that_one_database_looked_at_is_news_to_the_others_in_it() -> None:
    grounds = Grounds()
    adapter = grounds.known()
    grounds.namespace = LABELLED
    adapter.look_around(KEY.namespace)
    grounds.tell("namespaces", "MODIFIED", {"metadata": {"name": KEY.namespace, **LABELLED}})
    assert grounds.told == [KEY.namespace]


def test_definitions_that_a_list_found_changed_are_news_to_every_database() -> None:
    grounds = Grounds()
    adapter = grounds.known()
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "2"}
    grounds.definitions = going
    adapter._relist()
    assert adapter.crd_terminating()
    for plural in ("statefuldatabases", "databasevolumes"):
        grounds.tell(DEFINITIONS, "MODIFIED", {"metadata": {"name": f"{plural}.statefuldb.dev", **going}})
    assert grounds.told == [None, None], "of each of the two"
