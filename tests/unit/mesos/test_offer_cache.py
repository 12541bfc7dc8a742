"""Offers that one thread takes while another gives them back, or Mesos does."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers
from statefuldb.planning.planner import plan
from statefuldb.reconcile.ports import EffectFailed
from unit.mesos.adapter import Wired
from unit.planning.world import OPERATOR, desired, observed, offer, spec

BOTH = ("offer-1", "offer-2")


def offered() -> tuple[Wired, AcceptOffers]:
    """Return an adapter with two offers of one agent, and what accepts both."""
    wired = Wired()
    wired.subscribe()
    for offer_id in BOTH:
        wired.offer(offer_id)
    accepted = plan(desired(spec()), observed(), (offer(),), OPERATOR).actions[-1]
    assert isinstance(accepted, AcceptOffers)
    return wired, replace(accepted, offer_ids=BOTH)


def test_of_two_offers_one_of_which_is_withdrawn_the_other_can_be_had_still() -> None:
    wired, accepted = offered()
    wired.adapter.hold(BOTH)
    wired.say({"type": "RESCIND", "rescind": {"offer_id": {"value": "offer-1"}}})
    with pytest.raises(EffectFailed, match="is gone"):
        wired.adapter.accept(accepted)
    wired.adapter.release(BOTH)
    assert [o.offer_ids for o in wired.adapter.offers(observed(), 10).offers] == [("offer-2",)]
    wired.adapter.decline(BOTH, 5.0)
    assert wired.driver.named("declineOffer") == [([{"value": "offer-2"}], {"refuse_seconds": 5.0})]
    assert wired.driver.named("acceptOffers") == []


def test_what_one_worker_takes_another_does_not_decline_though_it_was_free_when_that_was_decided() -> None:
    wired, accepted = offered()
    free = [i for o in wired.adapter.offers_up_to(2, wired.time.now(), 0.0) for i in o.offer_ids]
    wired.adapter.hold(BOTH)
    wired.adapter.decline(free, 3600.0)
    assert wired.driver.named("declineOffer") == []
    wired.adapter.accept(accepted)
    assert len(wired.driver.named("acceptOffers")) == 1


def test_an_offer_that_came_before_the_clock_was_set_back_is_an_old_one() -> None:
    wired, _ = offered()
    wired.time.set_clock(-3_600.0)
    wired.offer("offer-3")
    wired.time.pass_by(4.0)

    def old() -> list[str]:
        return [i for o in wired.adapter.offers_up_to(3, wired.time.now(), 5.0) for i in o.offer_ids]

    assert old() == list(BOTH)
    wired.time.pass_by(1.0)
    assert old() == [*BOTH, "offer-3"]
