"""What the laws look at of a change: only what it says anew."""

from statefuldb.simulation.laws import said_anew


def test_what_is_said_anew_is_told_from_what_stayed() -> None:
    before = {"spec": {"image": "a", "hosts": ["x", "y"], "size": 1}, "gone": {"deep": "old"}}
    assert list(said_anew(before, before)) == []
    after = {"spec": {"image": "b", "hosts": ["x", "z", "w"], "size": 2}, "status": {"said": [{"message": "m"}]}}
    assert list(said_anew(after, before)) == ["b", "z", "w", "status", "said", "message", "m"]
    assert list(said_anew({"spec": {"hosts": ["x"]}}, before)) == []
    assert list(said_anew({"spec": "text"}, before)) == ["text"]
    assert list(said_anew({"a": ["b"]}, None)) == ["a", "b"]
