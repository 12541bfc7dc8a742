"""Calls about offers that fail, or that others overtake: no need is forgotten over them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from statefuldb.model.plan import Demand
from statefuldb.reconcile.offers import OfferDemand
from statefuldb.reconcile.ports import EffectFailed
from unit.reconcile.test_offers import ANY, ORDERS, STOCK, Asked, wired


@dataclass
class Overtaking(Asked):
    """Gives another thread the chance to be heard by Mesos before what is on its way: a decline takes half a second."""

    def revive(self) -> None:
        super().revive()
        self.revived.set()

    def decline(self, offer_ids: tuple[str, ...], refuse_seconds: float) -> None:
        other = threading.Thread(target=self.begins)
        self.others.append(other)
        other.start()
        self.revived.wait(0.5)
        super().decline(offer_ids, refuse_seconds)
        self.outstanding = ()

    def begins(self) -> None:
        self.demand.looked(ORDERS, ANY)
        self.demand.settle(2)

    def __post_init__(self) -> None:
        self.others: list[threading.Thread] = []
        self.revived = threading.Event()
        self.demand = OfferDemand(self, self, queued=lambda: 0)  # type: ignore[arg-type]


def test_nobody_is_heard_by_mesos_between_a_decision_to_rest_and_what_it_says() -> None:
    asked = Overtaking()
    asked.demand.settle(2)
    for other in asked.others:
        other.join()
    assert asked.taken() == [
        ("decline", ("offer-of-agent-1", "offer-of-agent-2"), 3600.0),
        ("suppress",),
        ("revive",),
    ], "a database that came to wait meanwhile would wait for ever"


def test_offers_that_could_not_be_asked_for_are_asked_for_again() -> None:
    demand, asked = wired()
    asked.outstanding = ()
    demand.looked(ORDERS, ANY)
    demand.settle(0)
    demand.looked(ORDERS, replace(ANY, needs=frozenset({"cpus 600m"})))
    asked.fails = True
    with pytest.raises(EffectFailed):
        demand.settle(0)
    asked.fails = False
    asked.taken()
    demand.looked(ORDERS, replace(ANY, needs=frozenset({"cpus 600m"})))
    demand.settle(0)
    assert asked.taken() == [("revive",)]


@dataclass
class Unanswered(Asked):
    """Lets a request for offers fail only when it is told to."""

    def revive(self) -> None:
        if not self.fails:
            return super().revive()
        self.asked.set()
        assert self.fail.wait(10.0)
        raise EffectFailed("unanswered")

    def __post_init__(self) -> None:
        self.asked, self.fail = threading.Event(), threading.Event()


class Compared(Demand):
    """A demand that tells when it is compared with the one before."""

    compared: ClassVar[Callable[[], None]] = lambda: None

    def __ne__(self, other: object) -> bool:
        type(self).compared()
        return super().__ne__(other)


def test_that_offers_could_not_be_asked_for_is_not_forgotten_over_one_who_looks_meanwhile() -> None:
    asked = Unanswered(outstanding=())
    demand = OfferDemand(asked, asked, queued=lambda: 0)  # type: ignore[arg-type]
    same = Compared(anywhere=True)
    demand.looked(ORDERS, same)
    demand.settle(0)
    assert asked.taken() == [("revive",)]
    demand.looked(STOCK, ANY)
    asked.fails = True

    def settles() -> None:
        with pytest.raises(EffectFailed):
            demand.settle(0)

    def fails_now() -> None:
        asked.fail.set()
        other.join(0.5)

    other = threading.Thread(target=settles)
    other.start()
    assert asked.asked.wait(10.0)
    Compared.compared = fails_now
    demand.looked(ORDERS, same)
    other.join()
    asked.fails = False
    demand.settle(0)
    assert asked.taken() == [("revive",)]
