"""In which order an apply leaves the items of a keyed list, as a real server does."""

from typing import Any

import pytest

from statefuldb.local.api_server.changes.apply import apply
from statefuldb.local.api_server.changes.list_order import ordered
from unit.local.api_server.world import NOW

Json = dict[str, Any]
USERS: Json = {
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {"properties": {"tags": {"x-kubernetes-list-type": "set"}}},
}
SCHEMA: Json = {"properties": {"spec": {"properties": {"users": USERS}}}}


def applied(live: Json | None, names: str, manager: str, **more: Any) -> Json:
    users = [{"name": name, **more} for name in names]
    body = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"users": users}}
    return apply(live, body, manager=manager, force=True, now=NOW, schema=SCHEMA)


def shown(value: Json) -> str:
    return "".join(user["name"] for user in value["spec"]["users"])


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        *(("abc", "cxb", "acxb"), ("abcd", "dxby", "acdxby"), ("abcde", "exc", "abdexc"), ("abcd", "bxd", "abcxd")),
        *(("ab", "xayb", "xayb"), ("abc", "ca", "bca"), ("abc", "", "abc"), ("", "cba", "cba"), ("abc", "x", "abcx")),
    ],
)
def test_items_that_are_applied_keep_their_order_among_those_that_were_there(before: str, new: str, after: str) -> None:
    assert "".join(ordered(before, new)) == after
    assert shown(applied(applied(None, before, "ada"), new, "bob")) == after


@pytest.mark.parametrize(("before", "new"), [("abc", "cb"), ("abc", "cab"), ("ab", "xa")])
def test_who_applied_all_of_a_list_gives_it_its_order(before: str, new: str) -> None:
    assert shown(applied(applied(None, before, "ada"), new, "ada")) == new


def test_lists_in_items_have_an_order_too() -> None:
    live = applied(None, "ab", "ada", tags=["x", "y", "z"])
    again = applied(live, "b", "bob", tags=["z", "w", "y"])
    assert [user["tags"] for user in again["spec"]["users"]] == [["x", "y", "z"], ["x", "z", "w", "y"]]


def test_an_apply_of_an_empty_list_leaves_one_that_nobody_owns() -> None:
    made = applied(None, "", "ada")
    assert made["spec"] == {"users": []}
    assert "managedFields" not in made["metadata"]
