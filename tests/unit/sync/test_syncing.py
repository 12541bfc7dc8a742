"""Passes against an API in memory: killed before or after every single call, the next pass goes on."""

import contextlib
import copy
from collections.abc import Callable
from dataclasses import replace

import pytest

from statefuldb.model.identity import ANNOTATION_SYNC
from statefuldb.sync.directory import DirectorySource
from statefuldb.sync.ports import Json, Refused, Snapshot, SourceFile, Unreachable
from statefuldb.sync.record import State
from statefuldb.sync.syncing import Settings, Sync

DATABASE = """apiVersion: statefuldb.dev/v1alpha1
kind: StatefulDatabase
metadata: {name: %s}
spec: {deletionProtection: Disabled, retention: {whenDeleted: Delete}, replicas: %d}
"""
SETTINGS = Settings(name="fleet", namespace="shop", source="somewhere", prune=True)


class Killed(Exception):
    """The process is no more."""


class Memory:
    """An API in memory. `life` is how many calls that change something are made before the process is killed."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Json] = {}
        self.events: list[Json] = []
        self.calls = 0
        self.life: int | None = None
        self.dies_after = False
        self.answers = True
        self.refuses: Callable[[Json], str] = lambda body: ""
        self._version = 0

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        self._asked()
        return copy.deepcopy(self.objects.get((kind, namespace, name)))

    def databases(self, namespace: str) -> list[Json]:
        self._asked()
        found = [o for (kind, place, _), o in self.objects.items() if (kind, place) == ("StatefulDatabase", namespace)]
        return copy.deepcopy(found)

    def apply(self, body: Json) -> Json:
        if said := self.refuses(body):
            raise Refused(said, 422)
        return self._change(lambda: self._put(body))

    def retain(self, namespace: str, name: str) -> None:
        def change() -> Json:
            stored = self.objects["StatefulDatabase", namespace, name]
            stored["spec"]["retention"]["whenDeleted"] = "Retain"
            return stored

        self._change(change)

    def delete(self, kind: str, namespace: str, name: str, uid: str) -> None:
        def change() -> Json:
            stored = self.objects[kind, namespace, name]
            assert stored["metadata"]["uid"] == uid
            assert stored["spec"]["retention"]["whenDeleted"] == "Retain", "this would have deleted data"
            return self.objects.pop((kind, namespace, name))

        self._change(change)

    def write(self, body: Json) -> None:
        if body["kind"] == "Event":
            self.events.append(self._change(lambda: body))
            return
        held = self.objects.get(("ConfigMap", body["metadata"]["namespace"], body["metadata"]["name"]))
        version = held["metadata"]["resourceVersion"] if held is not None else None
        if body["metadata"].get("resourceVersion") != version:
            raise Refused("has changed since", 409)
        self._change(lambda: self._put(body))

    def _put(self, body: Json) -> Json:
        metadata = body["metadata"]
        key = (body["kind"], metadata.get("namespace", ""), metadata["name"])
        self._version += 1
        uid = self.objects[key]["metadata"]["uid"] if key in self.objects else f"u{self._version}"
        named = {**metadata, "resourceVersion": str(self._version), "uid": uid}
        self.objects[key] = {**copy.deepcopy(body), "metadata": named}
        return self.objects[key]

    def _asked(self) -> None:
        if not self.answers:
            raise Refused("the API server does not answer", 0)

    def _change(self, effect: Callable[[], Json]) -> Json:
        self._asked()
        self.calls += 1
        last = self.life is not None and self.calls > self.life
        if last and not self.dies_after:
            raise Killed
        done = effect()
        if last:
            raise Killed
        return copy.deepcopy(done)


class Files:
    """A source that is set by hand."""

    changes_whole = True

    def __init__(self) -> None:
        self.files: dict[str, str] | None = {}

    def read(self) -> Snapshot:
        if self.files is None:
            raise Unreachable("gone")
        files = tuple(SourceFile(path=path, text=text) for path, text in sorted(self.files.items()))
        return Snapshot(revision=str(hash(tuple(sorted(self.files.items())))), files=files)


def sync(source: Files | DirectorySource, cluster: Memory, settings: Settings = SETTINGS) -> Sync:
    return Sync(settings=settings, source=source, cluster=cluster, check=lambda body: [])


def names(cluster: Memory) -> dict[str, int]:
    return {key[2]: o["spec"]["replicas"] for key, o in cluster.objects.items() if key[0] == "StatefulDatabase"}


STORY = (
    {"a": DATABASE % ("one", 0), "b": DATABASE % ("two", 0)},
    {"a": DATABASE % ("one", 1), "c": DATABASE % ("three", 0) + "---\n" + DATABASE % ("four", 0)},
    {"a": DATABASE % ("one", 1), "c": DATABASE % ("three", 2)},
)
ENDS = ({"one": 0, "two": 0}, {"one": 1, "three": 0, "four": 0}, {"one": 1, "three": 2})


@pytest.mark.parametrize("dies_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("life", range(8))
def test_killed_at_any_call_the_next_process_goes_on(life: int, dies_after: bool) -> None:
    cluster, source = Memory(), Files()
    killed = 0
    for files, end in zip(STORY, ENDS, strict=True):
        source.files = dict(files)
        cluster.calls, cluster.life, cluster.dies_after = 0, life, dies_after
        try:
            sync(source, cluster).once()
        except Killed:
            killed += 1
        cluster.life = None
        status = sync(source, cluster).once()
        assert names(cluster) == end
        assert (status.state, status.errors, status.drift) == (State.SYNCED, (), ())
        quiet = cluster.calls
        sync(source, cluster).once()
        assert cluster.calls == quiet, "a pass that finds nothing new writes nothing"
    assert killed or life > 3


@pytest.mark.parametrize("dies_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("life", range(8))
def test_what_was_applied_by_a_killed_process_is_pruned_though_the_source_has_moved_on(
    life: int, dies_after: bool
) -> None:
    cluster, source = Memory(), Files()
    cluster.dies_after = dies_after
    for files in STORY:
        source.files = dict(files)
        cluster.calls, cluster.life = 0, life
        with contextlib.suppress(Killed):
            sync(source, cluster).once()
    cluster.life = None
    sync(source, cluster).once()
    assert names(cluster) == ENDS[-1]


def test_one_that_is_refused_stops_no_other_and_is_not_pruned() -> None:
    cluster, source = Memory(), Files()
    source.files = dict(STORY[0])
    sync(source, cluster).once()
    cluster.refuses = lambda body: "spec.replicas: too many" if body["spec"]["replicas"] > 5 else ""
    source.files = {"a": DATABASE % ("one", 9), "b": DATABASE % ("two", 3), "c": "kind: ["}
    status = sync(source, cluster).once()
    assert names(cluster) == {"one": 0, "two": 3}
    assert status.state is State.PARTIAL
    assert "a document 1: StatefulDatabase/one in shop: spec.replicas: too many" in status.errors
    assert any(error.startswith("c document 1: ") for error in status.errors)
    assert cluster.events[-1]["reason"] == "SyncPartial"


def test_an_unreachable_source_or_api_changes_nothing() -> None:
    cluster, source = Memory(), Files()
    source.files = dict(STORY[0])
    done = sync(source, cluster).once()
    source.files = None
    status = sync(source, cluster).once()
    assert (status.state, status.revision) == (State.FAILED, done.revision)
    assert names(cluster) == ENDS[0]
    source.files = {}
    cluster.answers = False
    with pytest.raises(Refused):
        sync(source, cluster).once()
    cluster.answers = True
    assert "taken for an accident" in sync(source, cluster).once().errors[0]
    assert names(cluster) == ENDS[0]


@pytest.mark.parametrize("owner", ["", "shop/another"])
def test_what_was_made_anew_by_another_since_it_was_looked_at_is_not_pruned(owner: str) -> None:
    cluster, source = Memory(), Files()
    source.files = dict(STORY[0])
    sync(source, cluster).once()
    source.files = {"a": DATABASE % ("one", 1)}
    place = ("StatefulDatabase", "shop", "two")

    def anew(body: Json) -> str:
        made = copy.deepcopy(cluster.objects[place])
        made["metadata"] |= {"uid": "another", "annotations": {ANNOTATION_SYNC: owner} if owner else {}}
        cluster.objects[place] = made
        return ""

    # It is applied before it is pruned.
    cluster.refuses = anew
    sync(source, cluster).once()
    assert cluster.objects[place]["metadata"]["uid"] == "another"


def test_two_sources_of_one_name_do_not_prune_each_other() -> None:
    cluster, mine, theirs = Memory(), Files(), Files()
    mine.files, theirs.files = {"a": DATABASE % ("one", 0)}, {"b": DATABASE % ("two", 0)}
    for _ in range(3):
        sync(mine, cluster, replace(SETTINGS, source="mine.git#main")).once(believe=True)
        status = sync(theirs, cluster, replace(SETTINGS, source="theirs.git#main")).once(believe=True)
        assert names(cluster) == {"one": 0, "two": 0}
        assert "was applied under this name from mine.git#main" in status.kept[0]
    # One that was moved is believed as soon as it is still the one; another revision of one is none.
    status = sync(theirs, cluster, replace(SETTINGS, source="theirs.git#v2")).once(believe=True)
    assert (names(cluster), status.kept) == ({"two": 0}, ())


def test_a_damaged_inventory_prunes_nothing() -> None:
    cluster, source = Memory(), Files()
    source.files = dict(STORY[0])
    sync(source, cluster).once()
    cluster.objects["ConfigMap", "shop", "statefuldb-sync-fleet"]["data"]["inventory"] = "[{}]"
    source.files = {"a": DATABASE % ("one", 0)}
    with pytest.raises(Refused, match="damaged"):
        sync(source, cluster).once()
    assert names(cluster) == ENDS[0]
