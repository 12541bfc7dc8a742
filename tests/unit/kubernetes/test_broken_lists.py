"""A complete list that breaks off: what it has shown by then is looked at, what it has not shown yet is not gone."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from statefuldb.adapters.kubernetes.objects import DATABASES, PROFILES, VOLUMES
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.spec import Strategy
from statefuldb.model.volume_object import to_object
from statefuldb.reconcile.ports import EffectFailed
from unit.kubernetes.watched import Relisting, Shelf, life, watching
from unit.planning.world import KEY, serving_on

Json = dict[str, Any]
UNAVAILABLE = (503, {"kind": "Status", "code": 503, "reason": "ServiceUnavailable"})


class Torn(Shelf):
    """A shelf that lists one kind in two pages of one object each; while it is `torn`, the second is not to be had."""

    torn = False

    def __init__(self, plural: str, pages: tuple[Json, Json]) -> None:
        super().__init__(1)
        self._plural, self.pages_of_it = plural, pages

    def exchange(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        parts = urlsplit(path)
        if not parts.path.endswith(f"/{self._plural}"):
            return super().exchange(method, path, body, content_type)
        second = "continue=" in parts.query
        if second and self.torn:
            return UNAVAILABLE
        more = {} if second else {"continue": "second"}
        return 200, {"metadata": {"resourceVersion": "90", **more}, "items": [self.pages_of_it[second]]}


def named(body: Json, name: str, version: int) -> Json:
    return {**body, "metadata": {**body["metadata"], "name": name, "resourceVersion": str(version)}}


BEYOND = DatabaseKey(namespace="shop", name="orders-0000")
OF_A_KIND = [
    (DATABASES, life("one", 1), KEY),
    (VOLUMES, to_object(serving_on(Strategy.DFS)[0]), KEY),
    (PROFILES, {"metadata": {"name": "bounds"}}, BEYOND),
]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("plural", "body", "key"), OF_A_KIND)
def test_what_a_list_has_shown_before_it_broke_off_is_looked_at(
    plural: str, body: Json, key: DatabaseKey, known: bool
) -> None:
    """The cache had taken it in: to the watch, once it told of it, and to every later list it was no news."""
    name = body["metadata"]["name"]
    before = named(body, name if known else "another", 1), named(body, "second", 2)
    torn, enqueued = Torn(plural, before), list[DatabaseKey]()
    adapter, tell = watching(torn.exchange, enqueued.append, machine=Relisting())
    adapter._relist()
    enqueued.clear()
    torn.pages_of_it, torn.torn = (named(body, name, 50), before[1]), True
    with pytest.raises(EffectFailed, match="503"):
        adapter._relist()
    tell(plural, "MODIFIED", torn.pages_of_it[0])
    assert key in enqueued


@pytest.mark.parametrize(("plural", "body", "key"), OF_A_KIND)
def test_what_a_list_has_not_shown_before_it_broke_off_is_not_gone(plural: str, body: Json, key: DatabaseKey) -> None:
    torn, enqueued = Torn(plural, (named(body, "first", 1), named(body, "second", 2))), list[DatabaseKey]()
    adapter, _ = watching(torn.exchange, enqueued.append, machine=Relisting())
    adapter._relist()
    enqueued.clear()
    torn.torn = True
    with pytest.raises(EffectFailed, match="503"):
        adapter._relist()
    torn.torn = False
    adapter._relist()
    assert not enqueued
