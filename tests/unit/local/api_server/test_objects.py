"""Stored objects are found by what they say of themselves, as it changes."""

from typing import Any

from statefuldb.local.api_server.objects.stored import StoredObjects

Json = dict[str, Any]
A, B, C = ("pods", "n", "a"), ("pods", "n", "b"), ("jobs", "n", "c")


def said(*owners: str, **metadata: Any) -> Json:
    return {"metadata": {"ownerReferences": [{"uid": uid} for uid in owners], **metadata}}


def test_an_object_is_in_the_groups_that_its_last_version_names() -> None:
    objects = StoredObjects({A: said("x"), B: said("x", "y"), C: said(deletionTimestamp="now")})
    assert list(objects.of_kind("pods")) == [A, B]
    assert list(objects.of_owner("x")) == [A, B]
    assert list(objects.dying) == [C]

    objects[A] = said("y", deletionTimestamp="now")
    objects[C] = said()
    assert list(objects.of_kind("pods")) == [A, B], "an object that changes keeps its place"
    assert list(objects.of_owner("x")) == [B]
    assert list(objects.of_owner("y")) == [B, A]
    assert list(objects.dying) == [A]
    assert objects.of_owner("y")[A] is objects[A]

    del objects[A]
    objects.pop(B)
    assert list(objects) == [C]
    assert not objects.of_kind("pods")
    assert not objects.of_owner("x")
    assert not objects.of_owner("y")
    assert not objects.dying
