"""A kind that kopf may not have found is noticed, whatever its definition's events are merged into."""

import pytest

from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.kinds import Kinds, served_by
from statefuldb.model.schema.crd import GROUP

WANTED = ("statefuldatabases", "databasevolumes")
FIRST, SECOND = "first", "second"


def definition(uid: str, plural: str = WANTED[0], group: str = GROUP) -> dict[str, object]:
    return {"metadata": {"name": f"{plural}.{group}", "uid": uid}}


@pytest.mark.parametrize(
    "events",
    [
        [("DELETED", FIRST)],
        [("ADDED", SECOND)],
        [("MODIFIED", SECOND)],  # DELETED, ADDED and MODIFIED, of which kopf hands on the last
        [(None, SECOND)],  # seen after its watch had begun again
    ],
)
def test_a_definition_that_is_another_one_than_before_is_doubted(events: list[tuple[str | None, str]]) -> None:
    kinds = Kinds(WANTED, frozenset(WANTED))
    kinds.noticed(None, definition(FIRST))
    kinds.noticed("MODIFIED", definition(FIRST))
    assert not kinds.doubted.is_set()
    for event_type, uid in events:
        kinds.noticed(event_type, definition(uid))
    assert kinds.doubted.is_set()
    assert kinds.missing == {WANTED[0]}


def test_what_was_not_served_at_first_or_comes_later_is_doubted() -> None:
    assert Kinds(WANTED, frozenset(WANTED[:1])).missing == {WANTED[1]}
    kinds = Kinds(WANTED, frozenset(WANTED))
    kinds.noticed("MODIFIED", definition(FIRST))
    assert kinds.missing == {WANTED[0]}


def test_definitions_of_others_are_not_ours() -> None:
    kinds = Kinds(WANTED, frozenset(WANTED))
    assert not kinds.noticed("ADDED", definition(FIRST, group="example.com"))
    assert not kinds.noticed("ADDED", definition(FIRST, plural="others"))
    assert not kinds.doubted.is_set()
    assert kinds.noticed(None, definition(FIRST))


def test_what_is_served_is_asked_of_discovery() -> None:
    asked = []

    def exchange(method: str, path: str, body: object, content_type: str) -> tuple[int, object]:
        asked.append((method, path))
        return 200, {"resources": [{"name": "statefuldatabases"}, {"name": "statefuldatabases/status"}]}

    assert WANTED[0] in served_by(client_over(exchange))
    assert asked == [("GET", f"/apis/{GROUP}/v1alpha1")]


@pytest.mark.parametrize("status", [404, 500])
def test_nothing_is_served_where_discovery_does_not_say_it(status: int) -> None:
    assert served_by(client_over(lambda *_: (status, {}))) == frozenset()
