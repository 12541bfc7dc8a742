"""Where a member goes that keeps failing: data that any agent reaches is opened on one after the other."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers
from statefuldb.model.observed import TaskState
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import AgentRef, Ending
from statefuldb.planning.planner import plan
from unit.planning.members.test_strays import serving
from unit.planning.world import OPERATOR, desired, observed, offer, spec

HOSTS = ("agent-1", "agent-2", "agent-3")


def launched_on(strategy: Strategy, last: str, failures: int) -> str:
    """Return the host on which a member is launched that has failed so often in a row, on `last` in the end."""
    record = serving(strategy)
    assert record.launch is not None
    agent = AgentRef(id=f"id-of-{last}", hostname=last, address="10.0.0.1")
    failed = replace(
        record,
        agent=agent,
        launch=replace(record.launch, agent=agent),
        ending=Ending(incarnation=1, state=TaskState.FAILED, at_seconds=100.0),
        failures=failures,
    )
    decided = plan(desired(spec(strategy)), observed(volumes=(failed,)), tuple(map(offer, HOSTS)), OPERATOR)
    (accepted,) = [action for action in decided.actions if isinstance(action, AcceptOffers)]
    return accepted.agent.hostname


@pytest.mark.parametrize(
    ("last", "failures", "following"),
    [
        ("agent-2", 1, "agent-2"),
        ("agent-2", 2, "agent-3"),
        ("agent-3", 3, "agent-1"),
        ("agent-1", 4, "agent-2"),
        ("agent-0", 2, "agent-1"),
        ("agent-9", 2, "agent-1"),
    ],
)
def test_shared_data_that_failed_twice_on_an_agent_goes_to_the_next_one(
    last: str, failures: int, following: str
) -> None:
    """Simulator, seed 59417: the one agent that had lost its mount was tried again and again, with six others idle."""
    assert launched_on(Strategy.DFS, last, failures) == following
