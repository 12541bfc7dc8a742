"""A dictionary with groups stays in step with itself through any sequence of changes."""

from hypothesis import given
from hypothesis import strategies as st

from statefuldb.model.grouped import Grouped

CHANGES = st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 9)), max_size=60)


@given(CHANGES)
def test_groups_hold_what_belongs_to_them(changes: list[tuple[int, int | None]]) -> None:
    grouped: Grouped[int, int] = Grouped(lambda key, value: (("even", value % 2 == 0), ("key", key)))
    plain: dict[int, int] = {}
    for key, value in changes:
        if value is None:
            assert grouped.pop(key, None) == plain.pop(key, None)
        else:
            grouped[key] = plain[key] = value
        assert dict(grouped) == plain
        for even in (True, False):
            assert grouped.of(("even", even)) == {k: v for k, v in plain.items() if (v % 2 == 0) is even}
        assert grouped.of(("key", key)) == ({key: plain[key]} if key in plain else {})
    grouped.clear()
    assert not grouped.of(("even", True))
