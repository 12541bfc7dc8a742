"""What an embedded agent takes as `--attributes`, and refuses as a real one of 1.11.0 does."""

import pytest

from statefuldb.local.mesos.resources.flags import parse_attributes
from statefuldb.local.mesos.resources.multiset import InvalidResource


def test_attributes_are_texts_scalars_and_ranges_without_blanks() -> None:
    assert parse_attributes("rack:r 1; speed:2.5;slots:[1-4, 8-9];address:10.0.0.1:80") == [
        {"name": "rack", "type": "TEXT", "text": {"value": "r1"}},
        {"name": "speed", "type": "SCALAR", "scalar": {"value": 2.5}},
        {"name": "slots", "type": "RANGES", "ranges": {"range": [{"begin": 1, "end": 4}, {"begin": 8, "end": 9}]}},
        {"name": "address", "type": "TEXT", "text": {"value": "10.0.0.1:80"}},
    ]


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("empty:", "Invalid attribute key:value pair 'empty:'"),
        ("set:{x,y}", "Bad type for attribute set text {x,y} type 2"),
        ("cold:-3", "Invalid scalar value '-3':Negative values not supported"),
    ],
)
def test_what_no_agent_starts_with_is_refused_in_its_words(flag: str, words: str) -> None:
    with pytest.raises(InvalidResource, match="^" + words.replace("{", r"\{") + "$"):
        parse_attributes(flag)
