"""Field sets: written and read, and what an apply makes of them."""

import copy
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from statefuldb.local.api_server.changes import fields
from statefuldb.local.api_server.changes.apply import apply
from statefuldb.local.api_server.changes.ownership import owned_after, touched
from statefuldb.local.api_server.copying import sharing
from statefuldb.local.api_server.errors import ApiError
from unit.local.api_server.world import NOW

Json = dict[str, Any]
ITEM: Json = {"properties": {"name": {}, "role": {}}}
SCHEMA: Json = {
    "properties": {
        "spec": {
            "properties": {
                "users": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": ITEM},
                "tags": {"x-kubernetes-list-type": "set"},
                "steps": {},
                "options": {"additionalProperties": {}},
                "whole": {"x-kubernetes-map-type": "atomic"},
            }
        }
    }
}
words = st.sampled_from(["a", "b", "c"])
users = st.lists(
    st.fixed_dictionaries({"name": words}, optional={"role": words}), max_size=3, unique_by=lambda u: u["name"]
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "users": users,
        "tags": st.lists(words, max_size=3, unique=True),
        "steps": st.lists(words, max_size=3),
        "options": st.dictionaries(words, words, max_size=3),
        "whole": st.dictionaries(words, words, max_size=3),
    },
)


def body(spec: Json) -> Json:
    return {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": copy.deepcopy(spec)}


def applied(live: Json | None, spec: Json, manager: str, *, force: bool = False) -> Json:
    return apply(live, body(spec), manager=manager, force=force, now=NOW, schema=SCHEMA)


@given(specs, st.booleans())
def test_what_is_written_is_read_back(spec: Json, containers: bool) -> None:
    paths = all_paths(body(spec)) if containers else set(fields.paths_of(body(spec), SCHEMA))
    assert set(fields.read(fields.write(paths))) == paths


@given(specs)
def test_paths_rebuild_what_they_come_from(spec: Json) -> None:
    source, built = body(spec), {}  # type: tuple[Json, Json]
    for path in sorted(fields.paths_of(source, SCHEMA)):
        fields.put(built, path, copy.deepcopy(fields.get(source, path)))
    for path in fields.paths_of(source, SCHEMA):
        assert fields.get(built, path) == fields.get(source, path)


@given(specs, specs)
def test_one_manager_gets_what_it_asks_for(first: Json, second: Json) -> None:
    """Whatever was applied before, the second apply leaves just its own fields."""
    live = applied(applied(None, first, "m"), second, "m")
    wanted = applied(None, second, "m")
    for one in (live, wanted):
        for user in one.get("spec", {}).get("users", []):
            assert user["name"]
    assert set(fields.paths_of(live, SCHEMA)) - _empty(live) == set(fields.paths_of(wanted, SCHEMA)) - _empty(wanted)


@given(specs, specs, st.booleans())
def test_a_writer_gains_what_differs_and_others_lose_it_and_all_lose_what_is_gone(
    first: Json, second: Json, shared: bool
) -> None:
    old, new = body(first), body(second)
    owned, present = all_paths(old), all_paths(new)
    differing = {path for path in present if differs(old, new, path)}
    written = touched(sharing(new, old) if shared else new, old, SCHEMA)
    assert written.changed == bool(differing)
    for before in (owned, {path for path in owned if len(path) != 3}, set()):
        tree = fields.write(before) or None
        for writer, after in ((True, (before & present) | differing), (False, (before & present) - differing)):
            found = owned_after(tree, written, writer=writer)
            assert json.dumps(found) == json.dumps(fields.write(after) or None)


def all_paths(value: Json) -> set[fields.Path]:
    """All that can be owned, what only holds others too."""
    return {path[:length] for path in fields.paths_of(value, SCHEMA) for length in range(1, len(path) + 1)}


def differs(old: Json, new: Json, path: fields.Path) -> bool:
    before, after = fields.get(old, path), fields.get(new, path)
    only_holds = path[-1].startswith("k:") or (type(after) is type(before) and fields.merges(after, path, SCHEMA))
    return before is fields.ABSENT or (not only_holds and bool(before != after))


def _empty(value: Json) -> set[fields.Path]:
    return {path for path in fields.paths_of(value, SCHEMA) if fields.get(value, path) in ({}, [])}


@given(specs, specs)
def test_force_never_fails_and_without_it_no_value_of_another_is_lost(first: Json, second: Json) -> None:
    live = applied(None, first, "one")
    forced = applied(live, second, "two", force=True)
    for path in fields.paths_of(body(second), SCHEMA):
        assert fields.get(forced, path) is not fields.ABSENT
    try:
        both = applied(live, second, "two")
    except ApiError as error:
        assume(error.code != 409)
        raise
    for path in fields.paths_of(body(first), SCHEMA):
        found = fields.get(both, path)
        assert found is not fields.ABSENT
        if not path[-1].startswith("k:") and fields.get(body(first), path) not in ({}, []):
            assert found == fields.get(body(first), path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("f:spec", "f:replicas"), ".spec.replicas"),
        (("f:spec", "f:users", 'k:{"name":"a"}', "f:role"), '.spec.users[name="a"].role'),
        (("f:spec", "f:tags", 'v:"x"'), '.spec.tags[="x"]'),
    ],
)
def test_how_conflicts_name_a_path(path: fields.Path, text: str) -> None:
    assert fields.shown(path) == text
