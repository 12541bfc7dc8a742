"""What is made anew while the answer that its predecessor is gone is still on its way."""

from http import HTTPStatus
from typing import Any

import pytest

from statefuldb.adapters.kubernetes.adapter import KubernetesAdapter
from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.objects import DATABASES, VOLUMES
from statefuldb.adapters.kubernetes.watching import OnEvent
from statefuldb.model.identity import FINALIZER
from statefuldb.model.spec import Strategy
from statefuldb.model.volume_object import to_object
from statefuldb.reconcile.ports import EffectFailed
from unit.kubernetes.test_adapter import Watch, life
from unit.kubernetes.test_events import Clockwork
from unit.planning.world import KEY, serving_on

Json = dict[str, Any]


class Overtaken:
    """An adapter whose API does away with whatever it is asked about, and tells the watch of `next_life` first."""

    def __init__(self, plural: str, first: Json, next_life: Json) -> None:
        self._plural, self._next_life = plural, next_life
        self.adapter = KubernetesAdapter(
            client_over(self._answer),
            make_watch=self._watching,
            enqueue=lambda _: None,
            on_surroundings=lambda _: None,
            instance="operator-1",
            machine=Clockwork(),  # type: ignore[arg-type]
        )
        self.tell(plural, "ADDED", first)

    def _watching(self, on_event: OnEvent) -> Watch:
        self.tell = on_event
        return Watch(on_event)

    def _answer(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if method == "PUT":
            return HTTPStatus.NOT_FOUND, {}
        if f"/{self._plural}/" in path:
            self.tell(self._plural, "ADDED", self._next_life)
        return (HTTPStatus.NOT_FOUND, {}) if method == "GET" else (HTTPStatus.OK, {})


def deleting(uid: str, version: int) -> Json:
    made = life(uid, version)
    held = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FINALIZER]}
    return {**made, "metadata": {**made["metadata"], **held}}


def test_a_database_that_is_made_as_soon_as_the_finalizer_is_off_is_not_forgotten() -> None:
    overtaken = Overtaken(DATABASES, deleting("first", 3), life("second", 9))
    overtaken.adapter.remove_finalizer(KEY)
    found = overtaken.adapter.database(KEY)
    assert found is not None, "nobody would look at it before the next complete list"
    assert found.uid == "second"


def test_a_database_that_is_made_while_its_predecessor_is_looked_for_is_not_forgotten() -> None:
    overtaken = Overtaken(DATABASES, life("first", 3), life("second", 9))
    with pytest.raises(EffectFailed):
        overtaken.adapter.write_status(KEY, "first", {"summary": "decided about the first"})
    found = overtaken.adapter.database(KEY)
    assert found is not None
    assert found.uid == "second"


def test_a_ledger_entry_that_is_put_back_as_soon_as_it_is_removed_is_not_forgotten() -> None:
    record = serving_on(Strategy.DFS)[0]
    body: Json = to_object(record)
    versions = [{**body, "metadata": {**body["metadata"], "resourceVersion": str(n)}} for n in (3, 9)]
    overtaken = Overtaken(VOLUMES, versions[0], versions[1])
    overtaken.adapter.forget_volume(record)
    assert [volume.resource_version for volume in overtaken.adapter.volumes(KEY)] == ["9"]


def test_a_namespace_that_is_made_while_it_is_looked_for_is_there() -> None:
    named: Json = {"metadata": {"name": KEY.namespace}}
    versions = [{"metadata": {**named["metadata"], "resourceVersion": str(n)}} for n in (3, 9)]
    overtaken = Overtaken("namespaces", versions[0], versions[1])
    overtaken.adapter.look_around(KEY.namespace)
    assert overtaken.adapter.namespace_exists(KEY.namespace)
