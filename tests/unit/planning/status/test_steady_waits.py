"""What waits for offers says the same while offers come and go."""

from dataclasses import replace

from statefuldb.model.observed import Observed
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import AgentAttribute, PlacementSpec, ResourcesSpec
from statefuldb.planning.planner import plan
from statefuldb.reconcile.report import status_of_plan
from unit.planning.world import MIB, OPERATOR, database, desired, observed, offer, spec

HUGE = spec(resources=ResourcesSpec(cpus_milli=64_000, memory_bytes=512 * MIB))


def decide(seen: Observed, *offers: AgentOffer) -> Plan:
    return plan(desired(HUGE), seen, offers, OPERATOR)


def published(decided: Plan, seen: Observed, **changes: object) -> Observed:
    return observed(database=replace(database(**changes), status=status_of_plan(seen, decided)))


def message(decided: Plan) -> str:
    (wait,) = decided.waiting
    return wait.message


def test_no_offer_is_no_news() -> None:
    seen = observed()
    first = decide(seen, offer(), offer("agent-2"))
    assert "lacks 60 of 64 cpus" in message(first)
    after = published(first, seen)
    for offers in ((), (offer(),), (offer("agent-2"),)):
        again = decide(after, *offers)
        assert status_of_plan(after, again) == status_of_plan(seen, first)
        assert again.wants_offers
        assert not again.announcements


def test_no_offer_is_no_news_where_more_is_to_be_said_than_is_published() -> None:
    wanted = AgentAttribute(name="rack", value="r" * 1024)
    asked = spec(placement=PlacementSpec(attributes=(wanted,)))
    seen, offers = observed(), (offer(), offer("agent-2"))
    first = plan(desired(asked), seen, offers, OPERATOR)
    after = published(first, seen)
    for offered in ((), offers):
        again = plan(desired(asked), after, offered, OPERATOR)
        assert status_of_plan(after, again) == status_of_plan(seen, first)


def test_another_refusal_is_news() -> None:
    seen = observed()
    after = published(decide(seen, offer(), offer("agent-2")), seen)
    assert "agent-3 lacks" in message(decide(after, offer(), offer("agent-2"), offer("agent-3")))
    elsewhere = replace(offer(), role="other")
    assert "offers to other" in message(decide(after, elsewhere))


def test_what_was_said_of_another_generation_is_not_repeated() -> None:
    seen = observed()
    after = published(decide(seen, offer()), seen, generation=2)
    assert "lacks" not in message(decide(after))
