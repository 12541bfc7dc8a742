"""Merge patches, as the library that a real server uses has them (RFC 7396 says less of lists)."""

from typing import Any

import pytest

from statefuldb.local.api_server.patches import merge_patch


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
