"""What is asked of Mesos in offers, and for how long what nobody takes is declined."""

from dataclasses import dataclass, field, replace

import pytest

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import MesosView
from statefuldb.model.plan import Demand, Plan, Waiting
from statefuldb.model.resources import AgentOffer
from statefuldb.planning.planner import plan
from statefuldb.reconcile.offers import OfferDemand
from statefuldb.reconcile.ports import EffectFailed
from unit.planning.world import OPERATOR, desired, observed, offer, spec

ORDERS = DatabaseKey(namespace="shop", name="orders")
STOCK = DatabaseKey(namespace="shop", name="stock")
ANY = Demand(anywhere=True, needs=frozenset({"cpus 500m"}))
OFFERS = (offer("agent-1"), offer("agent-2"))


@dataclass
class Asked:
    """Stands for Mesos and for the clock: remembers what was asked."""

    calls: list[tuple[object, ...]] = field(default_factory=list)
    seconds: float = 1_000.0
    queued: int = 0
    outstanding: tuple[AgentOffer, ...] = OFFERS
    fails: bool = False

    def now(self) -> float:
        return self.seconds

    def view(self) -> MesosView:
        return MesosView(connected=True, framework_id="f", role="r", principal=None)

    def newest_offer(self) -> int:
        return len(self.outstanding)

    def offers_up_to(self, newest: int, now: float, least_seconds: float) -> tuple[AgentOffer, ...]:
        return tuple(o for o in self.outstanding[:newest] if now - o.received_at_seconds >= least_seconds)

    def revive(self) -> None:
        if self.fails:
            raise EffectFailed("unanswered")
        self.calls.append(("revive",))

    def suppress(self) -> None:
        self.calls.append(("suppress",))

    def decline(self, offer_ids: tuple[str, ...], refuse_seconds: float) -> None:
        self.calls.append(("decline", offer_ids, refuse_seconds))

    def taken(self) -> list[tuple[object, ...]]:
        calls, self.calls = self.calls, []
        return calls


def wired() -> tuple[OfferDemand, Asked]:
    asked = Asked()
    return OfferDemand(asked, asked, queued=lambda: asked.queued), asked  # type: ignore[arg-type]


def test_while_nothing_is_to_be_placed_offers_are_suppressed_once() -> None:
    demand, asked = wired()
    demand.settle(2)
    assert asked.taken() == [("decline", ("offer-of-agent-1", "offer-of-agent-2"), 3600.0), ("suppress",)]
    asked.outstanding = ()
    demand.settle(0)
    assert asked.taken() == []


def test_what_nobody_can_use_is_declined_for_long_and_a_members_own_agent_shortly() -> None:
    demand, asked = wired()
    demand.looked(ORDERS, Demand(hosts=frozenset({"agent-2"}), needs=frozenset({"volume v"})))
    demand.settle(2)
    assert asked.taken() == [
        ("revive",),
        ("decline", ("offer-of-agent-2",), 5.0),
        ("decline", ("offer-of-agent-1",), 120.0),
    ]


def test_only_a_new_need_asks_again() -> None:
    demand, asked = wired()
    asked.outstanding = ()

    def look(key: DatabaseKey, wanted: Demand) -> list[tuple[object, ...]]:
        demand.looked(key, wanted)
        demand.settle(0)
        return asked.taken()

    assert look(ORDERS, ANY) == [("revive",)]
    assert look(ORDERS, ANY) == []
    assert look(STOCK, ANY) == [("revive",)]
    assert look(STOCK, replace(ANY, needs=frozenset({"cpus 200m"}))) == [("revive",)]
    demand.reconnected()
    assert look(ORDERS, ANY) == [("revive",)]
    demand.served(ORDERS, None)
    demand.served(STOCK, None)
    demand.settle(0)
    assert asked.taken() == [("suppress",)]


def test_nothing_is_declined_before_all_have_looked_unless_it_is_held_too_long() -> None:
    demand, asked = wired()
    asked.outstanding = ()
    demand.looked(ORDERS, ANY)
    demand.looked(STOCK, ANY)
    demand.settle(0)
    asked.taken()
    asked.outstanding = OFFERS
    assert demand.offered(frozenset(), frozenset()) == {ORDERS, STOCK}
    demand.looked(ORDERS, ANY)
    demand.settle(2)
    assert asked.taken() == []
    asked.seconds += 6.0
    demand.settle(2)
    assert asked.taken() == [("decline", ("offer-of-agent-1", "offer-of-agent-2"), 5.0)]
    demand.looked(STOCK, ANY)
    demand.settle(2)
    assert asked.taken() == [("decline", ("offer-of-agent-1", "offer-of-agent-2"), 120.0)]


def test_offers_are_kept_a_little_while_others_are_about_to_look() -> None:
    demand, asked = wired()
    asked.queued = 3
    demand.settle(2)
    assert asked.taken() == []
    asked.queued = 0
    demand.settle(2)
    assert asked.taken() == [("decline", ("offer-of-agent-1", "offer-of-agent-2"), 3600.0), ("suppress",)]


def test_only_those_look_whom_an_offer_may_serve() -> None:
    demand, _ = wired()
    demand.looked(ORDERS, Demand(hosts=frozenset({"agent-2"})))
    demand.looked(STOCK, ANY)
    assert demand.offered(frozenset(), frozenset({"agent-1"})) == {STOCK}
    assert demand.offered(frozenset(), frozenset({"agent-2"})) == {ORDERS, STOCK}
    demand.served(ORDERS, None)
    demand.served(STOCK, None)
    assert demand.offered(frozenset(), frozenset({"agent-2"})) == frozenset()
    assert demand.offered(frozenset({ORDERS}), frozenset()) == {ORDERS}


def test_the_need_of_a_member_is_the_same_from_pass_to_pass_and_another_after_an_edit() -> None:
    small = plan(desired(spec()), observed(), (offer(cpus=0.1),), OPERATOR)
    later = plan(desired(spec()), observed(at_seconds=2_000.0), (), OPERATOR)
    assert small.demand == later.demand
    assert small.demand is not None
    edited = spec(resources=replace(spec().resources, cpus_milli=400))
    assert plan(desired(edited), observed(), (), OPERATOR).demand != small.demand


def test_a_plan_that_waits_for_nothing_in_offers_has_no_demand() -> None:
    from statefuldb.model.conditions import Reason

    wait = Waiting(ordinal=0, reason=Reason.STOPPING, message="")
    assert Plan(waiting=(wait,)).demand is None


def test_offers_that_come_while_a_database_is_looked_at_do_not_cost_it_those_that_it_is_about_to_accept() -> None:
    demand, asked = wired()
    asked.outstanding = ()
    demand.looked(ORDERS, Demand(hosts=frozenset({"agent-1"}), needs=frozenset({"volume v"})))
    demand.settle(0)
    asked.taken()
    asked.outstanding = OFFERS
    with demand.looking(ORDERS):
        demand.offered(frozenset(), frozenset({"agent-2"}))
        demand.settle_beside()
        demand.settle(2)
        assert asked.taken() == []
    assert ("decline", ("offer-of-agent-2",), 120.0) in asked.taken()


def test_what_came_while_a_database_began_to_wait_is_looked_at_by_it_before_it_is_declined() -> None:
    """It waited for two minutes on a real Mesos: what fits had come after it looked and before it was known to wait."""
    demand, asked = wired()
    asked.outstanding = ()
    with demand.looking(ORDERS):
        asked.outstanding = OFFERS
        assert demand.offered(frozenset(), frozenset({"agent-1", "agent-2"})) == {ORDERS}
        demand.settle_beside()
        demand.looked(ORDERS, ANY)
        demand.settle_beside()
    assert asked.taken() == [("revive",)]
    with demand.looking(ORDERS):
        demand.looked(ORDERS, ANY)
        demand.settle(2)
    assert asked.taken() == [("decline", ("offer-of-agent-1", "offer-of-agent-2"), 120.0)]


def test_a_pass_that_fails_leaves_no_offer_held_for_ever() -> None:
    demand, asked = wired()

    asked.outstanding = ()
    demand.looked(ORDERS, ANY)
    demand.settle(0)
    asked.taken()
    asked.outstanding = OFFERS
    demand.offered(frozenset(), frozenset())

    def fail() -> None:
        with demand.looking(ORDERS):
            raise EffectFailed("unanswered")

    with pytest.raises(EffectFailed):
        fail()
    assert asked.taken() == [("decline", ("offer-of-agent-1", "offer-of-agent-2"), 3600.0), ("suppress",)]
    asked.outstanding = ()
    with demand.looking(ORDERS):
        demand.looked(ORDERS, ANY)
        demand.settle(2)
    assert asked.taken() == [("revive",)], "it needs them again for the next attempt"


def test_a_pass_that_fails_costs_no_other_what_that_one_is_about_to_accept() -> None:
    demand, asked = wired()
    demand.offered(frozenset(), frozenset())

    def fail() -> None:
        with demand.looking(STOCK):
            raise EffectFailed("unanswered")

    with demand.looking(ORDERS):
        with pytest.raises(EffectFailed):
            fail()
        assert asked.taken() == []
        demand.looked(ORDERS, Demand(hosts=frozenset({"agent-1"}), needs=frozenset({"volume v"})))
    assert asked.taken() == [
        ("revive",),
        ("decline", ("offer-of-agent-1",), 5.0),
        ("decline", ("offer-of-agent-2",), 120.0),
    ]


def test_what_nobody_was_told_of_yet_is_not_declined_at_the_end_of_a_pass_that_fails() -> None:
    demand, asked = wired()
    asked.outstanding = OFFERS[:1]
    demand.offered(frozenset(), frozenset())
    asked.outstanding = OFFERS

    def fail() -> None:
        with demand.looking(ORDERS):
            raise EffectFailed("unanswered")

    with pytest.raises(EffectFailed):
        fail()
    assert asked.taken() == [("decline", ("offer-of-agent-1",), 3600.0), ("suppress",)]
    demand.offered(frozenset(), frozenset())
    demand.settle_beside()
    assert asked.taken() == [("decline", ("offer-of-agent-1", "offer-of-agent-2"), 3600.0)]
