"""The cache under a complete list that is older than what is known by then."""

from collections.abc import Hashable, Iterable
from typing import Any

from statefuldb.adapters.kubernetes.cache import LATELY, Cache

Json = dict[str, Any]


def stored(name: str, version: int) -> Json:
    return {"metadata": {"namespace": "shop", "name": name, "resourceVersion": str(version)}}


def names(cache: Cache) -> list[str]:
    return [each["metadata"]["name"] for each in cache.all()]


def replaced(cache: Cache, listed: Iterable[Json], version: str | None) -> set[Hashable]:
    changed: set[Hashable] = set()
    cache.replace_all(listed, version, changed)
    return changed


def test_what_was_made_after_a_list_has_not_vanished_by_it() -> None:
    cache = Cache()
    cache.put(stored("kept", 3))
    cache.put(stored("removed", 4))
    # The list left the API at version 6; while it was on its way an entry was written, and seen at once.
    cache.put(stored("written", 7))
    assert replaced(cache, [stored("kept", 3)], "6") == {("shop", "removed")}
    assert names(cache) == ["kept", "written"]


def test_nothing_remains_of_a_kind_that_is_not_served() -> None:
    cache = Cache()
    cache.put(stored("kept", 3))
    assert replaced(cache, [], None) == {("shop", "kept")}
    assert names(cache) == []


def test_what_is_kept_as_text_is_found_and_read_as_it_was() -> None:
    cache = Cache(lambda each: [("of", each["metadata"]["name"][:1])], compact=True)
    whole = {**stored("kept", 3), "spec": {"cpus": "500m", "list": [1, None, "\u00e9"]}}
    owned = {**whole, "metadata": {**whole["metadata"], "managedFields": [{"manager": "kubectl"}]}}
    assert cache.put(owned)
    assert cache.get(("shop", "kept")) == owned
    for number in range(LATELY):
        assert cache.put(stored(f"newer-{number}", 4 + number))
    assert not cache.put(stored("kept", 3))
    # Who owns which field is not kept in the text.
    assert cache.get(("shop", "kept")) == whole
    assert cache.of(("of", "k")) == [whole]
    assert cache.groups() == {("of", "k"), ("of", "n")}
    assert cache.remove(stored("kept", 4 + LATELY))
    assert cache.groups() == {("of", "n")}
    assert cache.of(("of", "k")) == []


def test_what_is_counted_is_in_step_with_what_is_held_and_reads_nothing() -> None:
    reads: list[str] = []

    def colours(each: Json) -> list[str]:
        reads.append(each["metadata"]["name"])
        return list(each["colours"])

    cache = Cache(tally_of=colours, compact=True)
    for name, version, held in (("a", 1, ["red"]), ("b", 2, ["red", "blue"]), ("c", 3, []), ("a", 4, ["blue"])):
        cache.put({**stored(name, version), "colours": held})
    assert not cache.put({**stored("a", 4), "colours": ["old news"]})
    reads.clear()
    assert cache.tally() == {"red": 1, "blue": 2}
    assert not reads
    cache.remove(stored("b", 5))
    assert cache.tally() == {"blue": 1}
    cache.drop(("shop", "c"), 3)
    replaced(cache, [{**stored("d", 6), "colours": ["red"]}], "6")
    assert cache.tally() == {"red": 1}
    replaced(cache, [], None)
    assert cache.tally() == {}


def test_what_is_gone_is_remembered_for_as_long_as_there_is_room() -> None:
    """An answer that was on its way does not bring it back. Of databases that came and went for a year few are kept."""
    cache = Cache(gone_limit=2)
    for number, name in enumerate("abc"):
        cache.put(stored(name, 10 * number + 1))
        cache.remove(stored(name, 10 * number + 5))
    cache.remove(stored("b", 30))
    cache.put(stored("d", 31))
    cache.remove(stored("d", 32))
    assert [cache.put(stored(name, 3)) for name in "abcd"] == [True, False, True, False]
