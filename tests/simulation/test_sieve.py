"""A share of the points at which a life can be disturbed; `make sieve` runs them all."""

import pytest

from statefuldb.reconcile.retry import Retries
from statefuldb.simulation.runs.sieve import KINDS, Point, Sifted, disturbed, problem_of, sift, undisturbed

STRIDE = 97


@pytest.fixture(scope="module")
def sifted() -> Sifted:
    return sift(STRIDE)


def test_each_disturbed_life_keeps_the_laws_and_comes_to_the_same(sifted: Sifted) -> None:
    assert not sifted.failed, sifted.failed


def test_every_kind_of_disturbance_is_among_them(sifted: Sifted) -> None:
    assert {point.kind for point, _, _ in sifted.lives} == set(KINDS)


def test_a_point_is_the_same_life_each_time() -> None:
    point = Point.parse("PersistentVolume/killed after an effect/20")
    assert disturbed(point).details == disturbed(point).details


def test_an_operator_that_does_not_try_again_is_seen_only_where_an_effect_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Retries, "failed", lambda *_, **__: None)
    reference = undisturbed("PersistentVolume")
    assert not reference.broken
    points = [Point(strategy="PersistentVolume", kind="effect lost", number=number) for number in range(1, 25)]
    assert any(problem_of(disturbed(point), reference) for point in points)
