"""The Kubernetes port between two lives of one name."""

import json
from dataclasses import replace
from typing import Any

import pytest

from statefuldb.adapters.kubernetes.adapter import LISTED_SECONDS
from statefuldb.adapters.kubernetes.objects import DATABASES, PAGE_OBJECTS, VOLUMES
from statefuldb.model.duplicate import OtherEntry
from statefuldb.model.identity import ANNOTATION_RELEASE, ANNOTATION_RESTARTED_AT, DatabaseKey
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import to_object
from statefuldb.reconcile.ports import EffectFailed, NotAnswered
from unit.kubernetes.test_events import ABSENT
from unit.kubernetes.watched import Passing, Relisting, Shelf, life, watching
from unit.planning.world import KEY, serving_on

Json = dict[str, Any]


def test_lists_are_read_in_pages_and_have_only_those_looked_at_that_they_are_about() -> None:
    shelf, enqueued, machine = Shelf(2 * PAGE_OBJECTS + 1), list[DatabaseKey](), Relisting()
    adapter, _ = watching(shelf.exchange, enqueued.append, machine=machine)
    adapter.start()
    assert not adapter.crd_terminating(), "no watch has told of anything yet"
    assert shelf.pages == 3
    assert [key.name for key in enqueued] == sorted(shelf.versions)
    enqueued.clear()
    shelf.versions["orders-0007"] = 1000
    shelf.versions["orders-0150-new"] = 1001
    del shelf.versions["orders-0199"]
    machine.relist()
    assert [key.name for key in enqueued] == ["orders-0007", "orders-0150-new", "orders-0199"]
    enqueued.clear()
    machine.relist()
    assert enqueued == []
    shelf.definitions = {"deletionTimestamp": "2025-06-01T00:00:00Z", "resourceVersion": "2"}
    machine.relist()
    assert adapter.crd_terminating(), "whatever was missed"


def test_what_went_before_a_watch_began_is_found_to_be_gone_soon_after() -> None:
    """A watch tells of what is there as it begins, also where it begins anew, but of nothing that has gone before."""
    shelf, enqueued, machine = Shelf(4), list[DatabaseKey](), Passing()
    adapter, tell = watching(shelf.exchange, enqueued.append, machine=machine)
    adapter.start()
    enqueued.clear()
    del shelf.versions["orders-0001"]
    machine.pass_by(LISTED_SECONDS)
    assert [key.name for key in enqueued] == ["orders-0001"]
    enqueued.clear()
    del shelf.versions["orders-0002"]
    machine.pass_by(2 * LISTED_SECONDS)
    still = {"namespace": "shop", "name": "orders-0003", "resourceVersion": "4"}
    tell(DATABASES, None, {"metadata": still})
    machine.pass_by(LISTED_SECONDS)
    assert [key.name for key in enqueued] == ["orders-0002"]
    adapter.stop()


def test_who_is_in_a_namespace_is_known_by_databases_and_entries_that_can_be_read_or_not() -> None:
    """Of thousands nobody is looked at where a namespace changes that has none of them."""
    adapter, told = watching(lambda *_: ABSENT)
    told(DATABASES, "ADDED", life("one", 1))
    blog, wiki = (replace(KEY, namespace=namespace) for namespace in ("blog", "wiki"))
    record = serving_on(Strategy.DFS)[0]
    told(VOLUMES, "ADDED", to_object(replace(record, key=blog)))
    damaged: Json = to_object(replace(record, key=wiki))
    told(VOLUMES, "ADDED", {**damaged, "spec": {**damaged["spec"], "identity": "gone"}})
    assert adapter.keys() == (blog, KEY, wiki)
    assert [adapter.keys(each) for each in ("blog", "shop", "wiki", "else")] == [(blog,), (KEY,), (wiki,), ()]


def test_a_status_is_not_written_into_the_next_life_of_its_name() -> None:
    written: list[Json] = []

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        written.append(body)
        return 200, body

    adapter, told = watching(exchange)
    told(DATABASES, "ADDED", life("first", 1))
    adapter.write_status(KEY, "first", {"summary": "decided about the first"})
    assert len(written) == 1
    told(DATABASES, "ADDED", life("second", 9))
    with pytest.raises(EffectFailed) as failure:
        adapter.write_status(KEY, "first", {"summary": "decided about the first"})
    assert failure.value.conflict
    assert len(written) == 1


@pytest.mark.parametrize(
    ("now", "same"),
    [
        ({"generation": 3}, True),
        ({"generation": 4}, False),
        ({"generation": 3, "uid": "second"}, False),
        ({"generation": 3, "deletionTimestamp": "2025-06-01T00:00:00Z"}, False),
        ({"generation": 3, "annotations": {ANNOTATION_RESTARTED_AT: "2025-06-01T00:00:00Z"}}, False),
        (None, False),
    ],
)
def test_what_is_asked_for_is_confirmed_by_a_direct_look_and_the_cache_knows_of_it(
    now: Json | None, same: bool
) -> None:
    """Simulator, seed 16019: one whose watch was broken restarted what another had launched for a later edit."""
    before = life("first", 1)
    before["metadata"]["generation"] = 3

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        assert method == "GET"
        return ABSENT if now is None else (200, {**before, "metadata": {**before["metadata"], **now}})

    adapter, told = watching(exchange)
    told(DATABASES, "ADDED", before)
    seen = adapter.database(KEY)
    assert seen is not None
    if now is not None:
        now["resourceVersion"] = "2"
    if same:
        adapter.confirm(seen)
    else:
        with pytest.raises(EffectFailed) as failure:
            adapter.confirm(seen)
        assert failure.value.conflict
        latest = adapter.database(KEY)
        assert latest is None if now is None else latest is not None and latest != seen


def test_a_database_whose_kind_is_not_served_is_not_gone() -> None:
    """As where its definition serves another version only: every database was stopped, and its data retained."""
    adapter, told = watching(lambda *_: (404, {"kind": "Status", "message": "404 page not found"}))
    told(VOLUMES, "ADDED", {**to_object(serving_on(Strategy.DFS)[0])})
    with pytest.raises(NotAnswered, match="its kind is not served"):
        adapter.database(KEY)
    with pytest.raises(NotAnswered, match="its kind is not served"):
        adapter.delete_secret(KEY, "orders-connection")


def test_entries_that_cannot_be_read_are_told_apart_from_those_that_can() -> None:
    enqueued: list[DatabaseKey] = []
    adapter, told = watching(lambda *_: ABSENT, enqueued.append)
    record, other = serving_on(Strategy.DFS)[0], replace(KEY, name="invoices")
    adopted = replace(record, key=other, name=record.name.replace("11111111", "22222222"))
    stored: dict[str, Json] = {r.name: json.loads(json.dumps(to_object(r))) for r in (record, adopted)}

    def tell(entry: VolumeRecord, version: int, **spec: Any) -> None:
        body = stored[entry.name]
        body["metadata"]["resourceVersion"] = str(version)
        told(VOLUMES, "MODIFIED", {**body, "spec": {**body["spec"], **spec}})

    tell(record, 1)
    tell(adopted, 2)
    assert [r.name for r in adapter.volumes(KEY)] == [record.name]
    assert not adapter.damaged(KEY)
    tell(record, 3, identity="gone", database=7)
    tell(adopted, 4, phase="Broken")
    assert enqueued == [KEY, other, KEY, KEY, other], "the second entry of the same data has the first looked at"
    assert adapter.keys() == (other, KEY)
    assert not adapter.volumes(KEY)
    assert not adapter.volumes(other)
    assert {(entry.name, entry.key) for entry in adapter.damaged(KEY)} == {(record.name, KEY), (adopted.name, other)}
    assert [entry.name for entry in adapter.damaged(other)] == [adopted.name]
    tell(record, 5)
    tell(adopted, 6)
    assert [r.name for r in adapter.volumes(other)] == [adopted.name]
    assert not adapter.damaged(KEY)


def test_entries_of_the_same_data_know_of_each_other_across_namespaces() -> None:
    enqueued: list[DatabaseKey] = []
    adapter, told = watching(lambda *_: ABSENT, enqueued.append)
    record = serving_on(Strategy.DFS)[0]
    before, after = (replace(KEY, namespace=namespace) for namespace in ("a", "z"))
    copies = {key: replace(record, key=key) for key in (before, after)}

    def tell(plural: str, kind: str, body: Json, version: int) -> list[DatabaseKey]:
        enqueued.clear()
        metadata = {**body["metadata"], "resourceVersion": str(version)}
        told(plural, kind, {**body, "metadata": metadata})
        return list(enqueued)

    def stored(entry: VolumeRecord) -> Json:
        return dict(json.loads(json.dumps(to_object(entry))))

    tell(DATABASES, "ADDED", life(record.owner_uid, 1), 1)
    assert tell(VOLUMES, "ADDED", stored(record), 2) == [KEY]
    assert adapter.others_of(record) == ()
    assert tell(VOLUMES, "ADDED", stored(copies[before]), 3) == [before, KEY]
    assert tell(VOLUMES, "ADDED", stored(copies[after]), 4) == [after, before, KEY]
    assert adapter.owner_of(record.identity.uid) == KEY, "not the first by name, but the one in use"
    mine = OtherEntry(key=KEY, name=record.name, in_use=True)
    assert adapter.others_of(copies[before]) == (mine, OtherEntry(key=after, name=record.name))
    assert [other.key for other in adapter.others_of(record)] == [before, after]
    assert tell(VOLUMES, "DELETED", stored(copies[after]), 5) == [after, before, KEY]
    assert tell(VOLUMES, "DELETED", stored(record), 6) == [KEY, before]
    assert adapter.others_of(copies[before]) == (OtherEntry(key=KEY, name="", in_use=True),), "its owner is there"
    assert tell(DATABASES, "DELETED", life(record.owner_uid, 1), 7) == [KEY, before]
    assert adapter.others_of(copies[before]) == ()
    assert adapter.owner_of(record.identity.uid) == before


def test_what_others_have_put_on_an_entry_stays_as_it_is_written() -> None:
    """A finalizer that holds one which somebody deletes, above all: without it the entry would go with the write."""
    written: list[Json] = []

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        written.append(body)
        return 200, {**body, "metadata": {**body["metadata"], "resourceVersion": "8"}}

    adapter, told = watching(exchange)
    record = serving_on(Strategy.DFS)[0]
    stored: Json = to_object(replace(record, resource_version="7"))
    labels = {**stored["metadata"]["labels"], "velero.io/backup-name": "nightly"}
    others = {"annotations": {"note": "ask ada", ANNOTATION_RELEASE: record.name}, "finalizers": ["ada.example/keep"]}
    owner = {"ownerReferences": [{"kind": "ConfigMap", "apiVersion": "v1", "name": "a", "uid": "1"}]}
    told(VOLUMES, "ADDED", {**stored, "metadata": {**stored["metadata"], **others, **owner, "labels": labels}})
    (seen,) = adapter.volumes(KEY)
    saved = adapter.save_volume(replace(seen, incarnation=seen.incarnation + 1))
    adapter.save_volume(replace(saved, incarnation=seen.incarnation + 2))
    assert [body["metadata"]["resourceVersion"] for body in written] == ["7", "8"]
    for body in written:
        assert body["metadata"]["labels"] == labels
        assert body["metadata"]["finalizers"] == others["finalizers"]
        assert body["metadata"]["annotations"] == {"note": "ask ada"}, "a release is good for what was released"
        assert "ownerReferences" not in body["metadata"], "the ledger outlives everything else"
