"""Watches: from a version, with selectors, bookmarks, and their end."""

import pytest

from conformance.kubernetes.server import Api
from conformance.kubernetes.things import GROUP, fields, labelled, thing


def test_it_tells_what_happened_since_a_version(api: Api, space: str) -> None:
    version = api.call("GET", space)[1]["metadata"]["resourceVersion"]
    api.made(space, thing("one"))
    api.patched(f"{space}/one", {"spec": {"replicas": 3}})
    api.patched(f"{space}/one", {"spec": {"replicas": 3}})
    api.call("DELETE", f"{space}/one")
    events = api.events(f"{space}?watch=true&resourceVersion={version}&timeoutSeconds=1")
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"], "a write of nothing is no event"
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))


def test_it_tells_what_happens(api: Api, space: str) -> None:
    version = api.call("GET", space)[1]["metadata"]["resourceVersion"]
    with api.watch(f"{space}?watch=1&resourceVersion={version}&timeoutSeconds=20") as events:
        made = api.made(space, thing("one"))
        assert next(events) == {"type": "ADDED", "object": made}
        changed = api.patched(f"{space}/one/status", {"status": {"phase": "x"}})
        assert next(events) == {"type": "MODIFIED", "object": changed}


def test_entering_and_leaving_a_selection(api: Api, space: str) -> None:
    version = api.made(space, thing("one"))["metadata"]["resourceVersion"]
    path = f"{space}/one"
    api.patched(path, {"metadata": {"labels": {"sel": "yes"}}})
    api.patched(path, {"spec": {"replicas": 3}})
    left = api.patched(path, {"metadata": {"labels": {"sel": "no"}}})
    api.call("DELETE", path)
    query = f"watch=true&resourceVersion={version}&timeoutSeconds=1"
    events = api.events(f"{space}?{query}&labelSelector=sel=yes")
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    final = events[-1]["object"]["metadata"]
    assert final["labels"] == {"sel": "yes"}, "the state that was selected"
    assert final["resourceVersion"] == left["metadata"]["resourceVersion"]
    events = api.events(f"{space}?{query}&fieldSelector=metadata.name=other")
    assert events == []


@pytest.mark.parametrize("query", ["watch=true&resourceVersion=0", "watch=true", "watch=true&limit=1"])
def test_without_a_version_it_begins_with_all(api: Api, space: str, query: str) -> None:
    made = [api.made(space, thing(name)) for name in ("a", "b")]
    events = api.events(f"{space}?{query}&timeoutSeconds=1")
    assert events == [{"type": "ADDED", "object": stored} for stored in made]


def test_the_end_of_the_beginning_is_marked(api: Api, space: str) -> None:
    made = api.made(space, thing("one"))
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1"
    # A later bookmark may come before the time is over.
    added, mark, *_ = api.events(f"{space}?watch=1&{query}")
    assert added == {"type": "ADDED", "object": made}
    assert (mark["type"], mark["object"]["kind"]) == ("BOOKMARK", "Thing")
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    query = "sendInitialEvents=false&resourceVersionMatch=NotOlderThan"
    assert api.events(f"{space}?watch=1&{query}&timeoutSeconds=1") == []


def test_a_bookmark_comes_before_the_time_is_over(api: Api, space: str) -> None:
    version = api.made(space, thing("one"))["metadata"]["resourceVersion"]
    query = f"resourceVersion={version}&allowWatchBookmarks=true&timeoutSeconds=4"
    with api.watch(f"{space}?watch=true&{query}") as events:
        mark = next(events)
    assert mark["type"] == "BOOKMARK"
    assert set(mark["object"]) == {"kind", "apiVersion", "metadata"}
    assert int(mark["object"]["metadata"]["resourceVersion"]) >= int(version)


def test_a_version_that_is_too_old_is_expired(api: Api, space: str) -> None:
    (event,) = api.events(f"{space}?watch=true&resourceVersion=1&timeoutSeconds=5")
    assert event["type"] == "ERROR"
    error = event["object"]
    assert (error["kind"], error["code"], error["reason"]) == ("Status", 410, "Expired")
    assert error["message"].startswith("too old resource version: 1 (")


def test_a_version_of_the_future_is_waited_for(api: Api, space: str) -> None:
    api.made(space, thing("one"))
    assert api.events(f"{space}?watch=true&resourceVersion=99999999&timeoutSeconds=1") == []


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("sendInitialEvents=true", 422, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
        ("continue=x", 422, "resourceVersionMatch is forbidden when continue is provided"),
        ("resourceVersionMatch=Exact&resourceVersion=5", 422, "forbidden for watch unless sendInitialEvents"),
        ("resourceVersion=abc", 500, 'resourceVersion: Invalid value: "abc": strconv.ParseUint'),
        ("fieldSelector=bogus=1", 400, "field label not supported: bogus"),
    ],
)
def test_watches_that_are_refused(api: Api, space: str, query: str, status: int, message: str) -> None:
    code, error = api.call("GET", f"{space}?watch=true&timeoutSeconds=1&{query}")
    assert code == status
    assert message in error["message"]
    if status == 422:
        assert fields(error) == ["resourceVersionMatch"]
        assert error["details"]["kind"] == "ListOptions"


def test_other_paths_and_namespaces(api: Api, space: str) -> None:
    made = api.made(space, thing("one"))
    assert api.call("GET", f"{space}/one?watch=true&timeoutSeconds=1") == (200, made), "of one object it is a GET"
    events = api.events(f"{GROUP}/watch/things?timeoutSeconds=1&labelSelector=app=none")
    assert events == []
    legacy = space.replace("/v1/", "/v1/watch/")
    assert api.events(f"{legacy}?timeoutSeconds=1") == [{"type": "ADDED", "object": made}]
    assert api.events(f"{GROUP}/namespaces/conformance-absent/things?watch=true&timeoutSeconds=1") == []


def test_events_come_as_tables_or_metadata(api: Api, space: str) -> None:
    api.made(space, labelled("one", {"a": "b"}))
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    path = f"{space}?watch=true&timeoutSeconds=20&resourceVersion=0"
    with api.watch(path, Accept=accept) as events:
        first = next(events)["object"]
        assert first["kind"] == "Table"
        assert [column["name"] for column in first["columnDefinitions"]][:2] == ["Name", "Engine"]
        assert first["rows"][0]["cells"][:2] == ["one", "postgres"]
        api.patched(f"{space}/one", {"spec": {"replicas": 4}})
        second = next(events)["object"]
        assert not second["columnDefinitions"], "told once"
        assert second["rows"][0]["cells"][2] == 4
    with api.watch(path, Accept="application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io") as events:
        shown = next(events)["object"]
    assert shown["kind"] == "PartialObjectMetadata"
    assert shown["metadata"]["labels"] == {"a": "b"}
    assert "spec" not in shown
