"""A status takes the parts that stay over from the object before, at every depth: by no answer can that be seen."""

import json
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefuldb.local.api_server import service
from statefuldb.local.api_server.copying import copied, sharing
from statefuldb.local.api_server.errors import ApiError
from unit.local.api_server.world import World, write

Json = dict[str, Any]
KIND, ADDRESS = "statefuldatabases", ("statefuldatabases.statefuldb.dev", "home", "x")
BODY: Json = {"apiVersion": "statefuldb.dev/v1alpha1", "kind": "StatefulDatabase"}
SPEC: Json = {
    "engine": {"type": "MariaDB", "version": "10.11"},
    "resources": {"cpus": "1", "memory": "1Gi"},
    "storage": {"size": "1Gi", "strategy": "HostPath", "hostPath": {"path": "/data"}},
}
ODD: tuple[Any, ...] = (None, 0, 1, 1.0, True, "1", "", {}, [], {"junk": 1}, [1, True, 1.0])
values = st.recursive(
    st.sampled_from((None, 0, 1, 1.0, True, False, "", "a")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


@pytest.fixture(scope="module")
def worlds() -> tuple[World, World]:
    """Two servers that are told the same."""
    pair = World.of_ours(), World.of_ours()
    for world in pair:
        world.create(KIND, {**BODY, "metadata": {"name": "x"}, "spec": SPEC})
    return pair


@given(st.integers(0, 2**32))
def test_an_answer_is_the_same_whether_parts_are_taken_over_or_copied(worlds: tuple[World, World], seed: int) -> None:
    dice = Random(seed)
    taking_over, copying = worlds
    schema = taking_over.kind(KIND).schema or {}
    for step in range(6):
        held = taking_over.store.objects[ADDRESS].get("status")
        fresh = fitting(schema["properties"]["status"], dice)
        status = mixed(held, fresh, dice) if step else fresh
        text = json.dumps(status)
        manager, now = dice.choice("ab"), f"2026-01-01T00:00:0{step}Z"
        before = json.dumps(held)
        answer = put(taking_over, status, manager, now)
        with patch.object(service, "sharing", lambda new, _: copied(new)):
            assert answer == put(copying, status, manager, now)
        assert (json.dumps(held), json.dumps(status)) == (before, text), "what is stored, or sent, is never changed"


def put(world: World, status: Any, manager: str, now: str) -> str:
    version = world.store.objects[ADDRESS]["metadata"]["resourceVersion"]
    body = {**BODY, "metadata": {"name": "x", "resourceVersion": version}, "status": status}
    about = write(subresource="status", manager=manager, now=now)
    try:
        answer: Any = world.service.replace(world.kind(KIND), "home", "x", body, about)
    except ApiError as error:
        answer = error.status()
    return json.dumps(answer)


def fitting(schema: Json, dice: Random) -> Any:
    """A value that fits a schema, in most cases."""
    if dice.random() < 0.005:
        return copied(dice.choice(ODD))
    if "enum" in schema:
        return dice.choice(schema["enum"])
    if schema.get("type") == "object":
        wanted, extra = schema.get("required", ()), schema.get("additionalProperties")
        found = {
            n: fitting(s, dice) for n, s in schema.get("properties", {}).items() if n in wanted or dice.random() < 0.5
        }
        return found | {
            n: fitting(extra, dice) for n in dice.sample("ab", dice.randrange(3)) if isinstance(extra, dict)
        }
    if schema.get("type") == "array":
        return [fitting(schema["items"], dice) for _ in range(dice.randrange(4))]
    if schema.get("format") == "date-time":
        return f"2026-01-01T00:00:0{dice.randrange(3)}Z"
    return {"integer": dice.randrange(4), "number": dice.random(), "boolean": dice.random() < 0.5}.get(
        schema.get("type", ""), dice.choice(("a", "b", "aaa"))
    )


def mixed(old: Any, other: Any, dice: Random) -> Any:
    """Most of `old`, with something of `other` in its place here and there."""
    if dice.random() < 0.02:
        return copied(dice.choice((other, old, *ODD)))
    if isinstance(old, dict) and isinstance(other, dict):
        return {n: mixed(old.get(n), other.get(n, old.get(n)), dice) for n in {**old, **other} if dice.random() < 0.97}
    if isinstance(old, list) and isinstance(other, list):
        items = [mixed(*both, dice) for both in zip(old, other, strict=False)] + copied(old[len(other) :])
        return items if dice.random() < 0.9 else items[1:] + items[:1]
    return copied(old if old is not None and dice.random() < 0.8 else other)


@given(values, values)
def test_what_says_the_same_is_shared_and_all_else_is_copied(new: Any, old: Any) -> None:
    made = sharing(new, old)
    assert json.dumps(made) == json.dumps(new)
    if isinstance(old, dict | list):
        assert (made is old) == (json.dumps(new) == json.dumps(old))
    if isinstance(new, dict | list):
        assert made is not new or new is old


@pytest.mark.parametrize(("new", "old"), [(1, True), (1, 1.0), ({"a": 1, "b": 1}, {"b": 1, "a": 1})])
def test_what_python_calls_equal_may_say_something_else(new: Any, old: Any) -> None:
    made = sharing({"within": [[new], 1]}, {"within": [[old], 1]})
    assert json.dumps(made) == json.dumps({"within": [[new], 1]})
