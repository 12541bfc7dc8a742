"""Where a member goes that keeps failing: data that any agent reaches is opened on one after the other."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers
from statefuldb.model.canonical import canonical
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import AgentRef, Ending
from statefuldb.planning.members.offer_book import OfferBook
from statefuldb.planning.planner import plan
from statefuldb.reconcile.decide import decide_among
from statefuldb.reconcile.mesos_port import Excerpt
from unit.planning.members.test_strays import serving
from unit.planning.world import OPERATOR, database, desired, observed, offer, spec

HOSTS = ("agent-1", "agent-2", "agent-3")


def failed_on(last: AgentRef, failures: int, strategy: Strategy = Strategy.DFS) -> Observed:
    """Return the sight of a member that has failed so often in a row, on `last` in the end."""
    record = serving(strategy)
    assert record.launch is not None
    ended = Ending(incarnation=1, state=TaskState.FAILED, at_seconds=100.0)
    launch = replace(record.launch, agent=last)
    return observed(volumes=(replace(record, agent=last, launch=launch, ending=ended, failures=failures),))


def tried(offers: Sequence[AgentOffer], first: AgentRef, attempts: int) -> list[str]:
    """Return the ids of the agents on which a member is launched that fails again and again, after `first`."""
    last, ids = first, list[str]()
    for failures in range(2, 2 + attempts):
        seen, book = failed_on(last, failures), OfferBook(offers)

        def look(best: int, seen: Observed = seen, book: OfferBook = book) -> Excerpt:
            return Excerpt(offers=book.excerpt(seen, best), whole=best >= len(book), newest=1)

        decided, _ = decide_among(replace(seen, database=database(spec=canonical(spec(Strategy.DFS)))), look, OPERATOR)
        (accepted,) = [action for action in decided.actions if isinstance(action, AcceptOffers)]
        last = accepted.agent
        ids.append(last.id)
    return ids


def agent_on(host: str) -> AgentRef:
    return AgentRef(id=f"id-of-{host}", hostname=host, address="10.0.0.1")


def launched_on(strategy: Strategy, last: str, failures: int) -> str:
    seen, offers = failed_on(agent_on(last), failures, strategy), tuple(map(offer, HOSTS))
    decided = plan(desired(spec(strategy)), seen, offers, OPERATOR)
    (accepted,) = [action for action in decided.actions if isinstance(action, AcceptOffers)]
    return accepted.agent.hostname


@pytest.mark.parametrize(
    ("last", "failures", "following"),
    [
        ("agent-1", 1, "agent-1"),
        ("agent-1", 2, "agent-2"),
        ("agent-2", 3, "agent-3"),
        ("agent-3", 4, "agent-1"),
        ("agent-9", 2, "agent-2"),
    ],
)
def test_shared_data_that_failed_twice_on_an_agent_goes_to_another(last: str, failures: int, following: str) -> None:
    """Simulator, seed 59417: the one agent that had lost its mount was tried again and again, with six others idle."""
    assert launched_on(Strategy.DFS, last, failures) == following


def test_all_agents_of_a_large_cluster_are_tried_those_with_little_free_too() -> None:
    hosts = [f"agent-{number:02}" for number in range(1, 81)]
    offers = [offer(host, cpus=2 if host == "agent-10" else 4 + number % 3) for number, host in enumerate(hosts)]
    assert {f"id-of-{host}" for host in hosts} == set(tried(offers, agent_on("agent-01"), len(hosts)))


def test_several_agents_of_one_host_are_told_apart() -> None:
    offers = [replace(offer("node"), agent_id=f"agent-{n}", offer_ids=(f"offer-{n}",)) for n in range(3)]
    first = AgentRef(id="agent-0", hostname="node", address="10.0.0.1")
    assert len(set(tried(offers, first, len(offers)))) == len(offers)
