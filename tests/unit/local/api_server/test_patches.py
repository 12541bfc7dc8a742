"""Merge and JSON patches, as the library that a real server uses has them (the RFCs say less, or something else)."""

from typing import Any

import pytest

from statefuldb.local.api_server.changes.patches import json_patch, merge_patch, strategic_patch
from statefuldb.local.api_server.errors import ApiError


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({}, {"a": [{"b": None, "c": 1}]}, {"a": [{"c": 1}]}),
        ({}, {"a": [[{"b": {"c": None}}]]}, {"a": [[{"b": {}}]]}),
        ({"a": [1]}, {"a": [{"b": None}, None]}, {"a": [{}, None]}),
        ({"a": 1}, {"a": {"b": None, "c": [{"d": None}]}}, {"a": {"c": [{}]}}),
        ({"a": None}, {"a": {"b": None}}, {"a": {}}),
        # What replaces an object, other than an object, is taken as it is.
        ({"a": {"x": 1}}, {"a": [{"b": None}]}, {"a": [{"b": None}]}),
        ({"a": {"x": 1}}, {"a": {"x": None, "y": [{"z": None}]}}, {"a": {"y": [{}]}}),
    ],
)
def test_nulls_are_removed_at_any_depth(before: Any, patch: Any, after: Any) -> None:
    assert merge_patch(before, patch) == after


def test_what_is_replaced_need_not_be_there_but_in_a_list() -> None:
    target = {"a": {"b": [1]}}
    replaced = json_patch(
        target, [{"op": "replace", "path": "/a/c", "value": 2}, {"op": "test", "path": "/a/c", "value": 2}]
    )
    assert replaced == {"a": {"b": [1], "c": 2}}
    for path in ("/x/y", "/a/b/5", "/a/b/0/z"):
        with pytest.raises(ApiError):
            json_patch({"a": {"b": [1]}}, [{"op": "replace", "path": path, "value": 2}])
    with pytest.raises(ApiError):
        json_patch({"a": 1}, [{"op": "replace", "path": "/b"}])


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [("k", "x", "xk"), ("abc", "c", "abc"), ("abc", "xb", "xabc"), ("ab", "ba", "ba"), ("", "ab", "ab")],
)
def test_a_strategic_patch_puts_what_is_new_first(before: str, patch: str, after: str) -> None:
    assert strategic_patch({"finalizers": [*before]}, {"finalizers": [*patch]}) == {"finalizers": [*after]}
    owners = [[{"uid": name} for name in names] for names in (before, patch, after)]
    merged = strategic_patch({"ownerReferences": owners[0]}, {"ownerReferences": owners[1]})
    assert merged == {"ownerReferences": owners[2]}
