"""Every field of every manifest changed and changed back, and a share of the pairs; `make acto` makes them all."""

import pytest

from statefuldb.planning.members import resizing
from statefuldb.simulation.actors.people import STRATEGIES
from statefuldb.simulation.runs.acto import ENDINGS, Ending, carry_out, pairs, single
from statefuldb.simulation.runs.fields import fields

STRIDE = 41


@pytest.fixture(scope="module", params=STRATEGIES)
def endings(request: pytest.FixtureRequest) -> list[Ending]:
    return list(carry_out(request.param, single("StatefulDatabase")))


def problems(endings: list[Ending]) -> list[str]:
    return [f"{ending.change}: {ending.problem}" for ending in endings if ending.problem]


def test_each_field_ends_as_asked_or_with_a_reason_and_goes_back(endings: list[Ending]) -> None:
    assert problems(endings) == []
    assert {ending.change.paths[0] for ending in endings} == {field.path for field in fields("StatefulDatabase")}
    assert {ending.how for ending in endings} == set(ENDINGS)


def test_two_fields_at_a_time_do_as_well(request: pytest.FixtureRequest, endings: list[Ending]) -> None:
    strategy = request.node.callspec.params["endings"]
    assert problems(list(carry_out(strategy, pairs(endings)[::STRIDE]))) == []


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_a_profile_forbids_later_is_said_and_stops_nothing(strategy: str) -> None:
    endings = list(carry_out(strategy, single("StorageProfile")))
    assert problems(endings) == []
    assert {ending.how for ending in endings} >= set(ENDINGS[:3])


def test_an_operator_that_stops_what_it_cannot_start_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resizing, "lacking", lambda *_: None)
    monkeypatch.setattr(resizing, "as_before", lambda *_: None)
    changes = [change for change in single("StatefulDatabase") if change.paths == ("resources.cpus",)]
    assert "does not run" in " ".join(problems(list(carry_out("PersistentVolume", changes))))
