"""Deciding by an excerpt of the offers gives what deciding by all of them gives, and looks at few."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.canonical import canonical
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import Observed
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.members.offer_book import OfferBook
from statefuldb.reconcile.decide import BEST_FIRST, decide, decide_among
from statefuldb.reconcile.mesos_port import Excerpt
from unit.planning.world import OPERATOR, database, observed, offer, remaining, spec


def wanting(strategy: Strategy, **changes: object) -> Observed:
    return observed(database=database(spec=canonical(spec(strategy))), **changes)


def look(book: OfferBook, seen: Observed, best: int) -> Excerpt:
    return Excerpt(offers=book.excerpt(seen, best), whole=best >= len(book), newest=0)


def launched(strategy: Strategy) -> tuple[VolumeRecord, AgentOffer]:
    """Return the ledger entry of a launch, and what its agent offers once it is over."""
    decided = decide(wanting(strategy), (offer("agent-of-old"),), OPERATOR)
    (saved,) = (a for a in decided.actions if isinstance(a, SaveVolume))
    (accepted,) = (a for a in decided.actions if isinstance(a, AcceptOffers))
    return saved.volume, remaining(offer("agent-of-old"), accepted, launched=False)


offered = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([0.1, 0.5, 1, 4]), st.sampled_from([64, 1024])),
    max_size=60,
    unique_by=lambda drawn: drawn[0],
)


@pytest.mark.parametrize("strategy", list(Strategy))
@given(offered)
def test_the_same_is_done_by_an_excerpt_as_by_all(strategy: Strategy, drawn: list[tuple[int, float, int]]) -> None:
    offers = tuple(offer(f"agent-{n}", cpus=cpus, mem_mib=mem) for n, cpus, mem in drawn)
    seen = wanting(strategy)
    decided, _ = decide_among(seen, partial(look, OfferBook(offers), seen), OPERATOR)
    whole = decide(seen, tuple(OfferBook(offers)), OPERATOR)
    assert decided.actions == whole.actions
    assert decided.demand == whole.demand


@pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])
def test_what_is_its_own_is_found_however_small(strategy: Strategy) -> None:
    record, again = launched(strategy)
    others = [offer(f"agent-{n}", cpus=64) for n in range(500)]
    seen = wanting(strategy, volumes=(replace(record, initialised=True),))
    book = OfferBook([*others, again])
    assert again in book.excerpt(seen, 0)
    assert again in book.own(seen)
    elsewhere = replace(seen, key=DatabaseKey(namespace="shop", name="stock"), volumes=(), database=None)
    assert book.own(elsewhere) == ()


def test_a_member_that_fits_on_the_best_looks_at_no_more() -> None:
    book = OfferBook(offer(f"agent-{n}") for n in range(1_000))
    seen = wanting(Strategy.PERSISTENT_VOLUME)
    decided, excerpt = decide_among(seen, partial(look, book, seen), OPERATOR)
    assert decided.actions
    assert len(excerpt.offers) == BEST_FIRST


def test_what_is_rescinded_is_gone_and_offers_of_one_agent_count_as_one() -> None:
    first, second = offer(), replace(offer(cpus=2), offer_ids=("another",))
    book = OfferBook([first, second])
    (joined,) = book
    assert joined.offer_ids == ("offer-of-agent-1", "another")
    assert joined.amount_milli("cpus") == 6_000
    book.remove("offer-of-agent-1")
    assert tuple(book) == (second,)
    book.remove("another")
    book.remove("another")
    assert len(book) == 0
    assert book.excerpt(wanting(Strategy.DFS), 10) == ()
