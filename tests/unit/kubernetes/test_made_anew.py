"""What is made anew while the answer that its predecessor is gone is still on its way."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest

from statefuldb.adapters.kubernetes.objects import DATABASES, VOLUMES
from statefuldb.model.identity import FINALIZER, LABEL_MANAGED
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import to_object
from statefuldb.reconcile.ports import EffectFailed
from unit.kubernetes.test_events import ABSENT
from unit.kubernetes.watched import life, watching
from unit.planning.world import KEY, serving_on

Json = dict[str, Any]


class Overtaken:
    """An adapter whose API does away with whatever it is asked about, and tells the watch of `next_life` first."""

    def __init__(self, plural: str, first: Json, next_life: Json) -> None:
        self._plural, self._next_life = plural, next_life
        self.adapter, self.tell = watching(self._answer)
        self.tell(plural, "ADDED", first)

    def _answer(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if method == "PUT":
            return ABSENT
        if f"/{self._plural}/" in path:
            self.tell(self._plural, "ADDED", self._next_life)
        return ABSENT if method == "GET" else (HTTPStatus.OK, {})


def deleting(uid: str, version: int) -> Json:
    made = life(uid, version)
    held = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FINALIZER]}
    return {**made, "metadata": {**made["metadata"], **held}}


def stored(record: VolumeRecord, version: int) -> Json:
    body: Json = to_object(record)
    return {**body, "metadata": {**body["metadata"], "resourceVersion": str(version)}}


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


def test_no_status_is_written_onto_a_database_that_was_deleted_meanwhile() -> None:
    overtaken = Overtaken(DATABASES, deleting("first", 3), life("second", 9))
    with pytest.raises(EffectFailed) as failure:
        overtaken.adapter.write_status(KEY, "first", {"summary": "decided before it was deleted"})
    assert failure.value.conflict
    assert "is being deleted" in str(failure.value)


def test_a_ledger_entry_that_is_put_back_as_soon_as_it_is_removed_is_not_forgotten() -> None:
    record = serving_on(Strategy.DFS)[0]
    overtaken = Overtaken(VOLUMES, stored(record, 3), stored(record, 9))
    overtaken.adapter.forget_volume(record)
    assert [volume.resource_version for volume in overtaken.adapter.volumes(KEY)] == ["9"]


def test_a_namespace_that_is_made_while_it_is_looked_for_is_there() -> None:
    named: Json = {"metadata": {"name": KEY.namespace}}
    versions = [{"metadata": {**named["metadata"], "resourceVersion": str(n)}} for n in (3, 9)]
    overtaken = Overtaken("namespaces", versions[0], versions[1])
    overtaken.adapter.look_around(KEY.namespace)
    assert overtaken.adapter.namespace_exists(KEY.namespace)


def test_an_entry_of_a_later_life_is_not_taken_for_one_whose_database_is_gone() -> None:
    """Each kind has a watch of its own: what another operator adopted is seen before the database it adopted it for."""
    adapter, told = watching(lambda *_: (HTTPStatus.OK, life("second", 9)))
    told(DATABASES, "ADDED", life("first", 3))
    told(VOLUMES, "ADDED", stored(replace(serving_on(Strategy.DFS)[0], owner_uid="second"), 8))
    found = adapter.database(KEY)
    assert found is not None
    assert found.uid == "second", "by the database of before, the entry in use would be retained and its server stopped"


def test_a_ledger_entry_that_was_written_meanwhile_is_not_removed() -> None:
    """One whose watch was broken would remove what a person had taken back, or another operator had gone on with."""
    version = "9"

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        wanted = (body or {}).get("preconditions", {}).get("resourceVersion", version)
        return (HTTPStatus.OK if wanted == version else HTTPStatus.CONFLICT), {}

    adapter, told = watching(exchange)
    told(VOLUMES, "ADDED", stored(serving_on(Strategy.DFS)[0], 3))
    (seen,) = adapter.volumes(KEY)
    with pytest.raises(EffectFailed) as failure:
        adapter.forget_volume(seen)
    assert failure.value.conflict
    adapter.forget_volume(replace(seen, resource_version=version))
    assert not adapter.volumes(KEY)


@pytest.mark.parametrize("anew", [True, False])
def test_the_secret_of_a_database_that_was_made_anew_meanwhile_is_not_removed(anew: bool) -> None:
    removed: list[str] = []

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if method == "DELETE":
            removed.append(path)
        if f"/{DATABASES}/" in path:
            return (HTTPStatus.OK, life("second", 9)) if anew else ABSENT
        return HTTPStatus.OK, {"metadata": {"resourceVersion": "4", "labels": {LABEL_MANAGED: "true"}}}

    adapter, _ = watching(exchange)
    if anew:
        with pytest.raises(EffectFailed) as failure:
            adapter.delete_secret(KEY, "orders-connection")
        assert failure.value.conflict
        assert not removed
        assert adapter.database(KEY) is not None, "the next pass knows of it"
    else:
        adapter.delete_secret(KEY, "orders-connection")
        assert len(removed) == 1


def test_the_secret_of_a_database_that_another_finalizer_holds_is_removed() -> None:
    removed: list[str] = []
    held = life("first", 9)
    held["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.org/other"]}

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if method == "DELETE":
            removed.append(path)
        if f"/{DATABASES}/" in path:
            return HTTPStatus.OK, held
        return HTTPStatus.OK, {"metadata": {"resourceVersion": "4", "labels": {LABEL_MANAGED: "true"}}}

    adapter, _ = watching(exchange)
    adapter.delete_secret(KEY, "orders-connection")
    assert len(removed) == 1
