"""The scout takes a sliver of what nobody has reserved, and nothing else."""

from typing import Any

import pytest

from statefuldb.adapters.mesos.scout import sliver

CPUS = {"name": "cpus", "type": "SCALAR", "scalar": {"value": 4.0}, "allocation_info": {"role": "statefuldb"}}
MEM = {**CPUS, "name": "mem", "scalar": {"value": 512.0}}
RESERVED = {"reservations": [{"type": "DYNAMIC", "role": "statefuldb"}]}


def test_a_sliver_is_taken_as_it_was_offered() -> None:
    taken = sliver([{**CPUS, **RESERVED}, MEM, CPUS])
    assert [(r["name"], r["scalar"]["value"]) for r in taken] == [("cpus", 0.1), ("mem", 64.0)]
    assert all(r["allocation_info"] == CPUS["allocation_info"] and "reservations" not in r for r in taken)


@pytest.mark.parametrize(
    "offered",
    [
        [],
        [CPUS],
        [{**CPUS, **RESERVED}, MEM],
        [CPUS, {**MEM, **RESERVED}],
        [CPUS, {**MEM, "scalar": {"value": 32.0}}],
        [{**CPUS, "revocable": {"x": 1}}, MEM],
    ],
)
def test_nothing_is_taken_where_there_is_too_little_or_it_is_somebodys(offered: list[dict[str, Any]]) -> None:
    assert sliver(offered) == []
