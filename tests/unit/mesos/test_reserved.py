"""What agents hold for us is listed seldom however many databases begin, and anew where it may have changed."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from statefuldb.adapters.mesos.reserved import (
    AGENT_SECONDS,
    FRESH_SECONDS,
    GIVING_BACK_SECONDS,
    LONGEST_SECONDS,
    SHARE,
    Reserved,
)
from statefuldb.adapters.mesos.wire import resource_from_wire, resource_to_wire
from statefuldb.model.identity import DatabaseKey, DataIdentity, ReservationLabels
from statefuldb.model.resources import Reservation, Resource
from unit.mesos.adapter import Standing
from unit.planning.world import CLUSTER, KEY, ROLE, UID, observed

T = TypeVar("T")
IDENTITY = DataIdentity(cluster=CLUSTER, uid=UID, ordinal=0)
LABELS = ReservationLabels(identity=IDENTITY, namespace=KEY.namespace, name=KEY.name, reservation="first")
HELD = Resource(
    name="disk",
    amount_milli=1_000,
    reservations=(Reservation(dynamic=True, role=ROLE, principal="p", labels=LABELS.as_pairs()),),
)
OURS = observed(database=None)
OTHERS = replace(OURS, key=DatabaseKey(namespace="shop", name="stock"))


class Listed:
    """A master that takes `seconds` to list its agents, of which the first holds something. It counts the questions."""

    def __init__(self, seconds: float = 0.0, agents: int = 1) -> None:
        self.time, self.seconds, self.agents, self.asked = Standing(), seconds, agents, 0
        self.reserved = Reserved(list_agents=self._list, cluster=CLUSTER, clock=self.time, lock=threading.Lock())

    def _list(self, read: Callable[[dict[str, Any]], T]) -> list[T]:
        self.asked += 1
        self.time.seconds += self.seconds
        held = [resource_to_wire(HELD)]
        return [read(agent(number, held if number == 1 else [])) for number in range(1, self.agents + 1)]


def agent(number: int, held: list[dict[str, Any]]) -> dict[str, Any]:
    info = {"id": {"value": f"id-of-agent-{number}"}, "hostname": f"agent-{number}"}
    return {"agent_info": info, "pid": f"slave(1)@10.0.0.{number}:5051", "total_resources": held}


def test_each_database_is_told_of_its_own_and_the_list_is_asked_for_once() -> None:
    listed = Listed()
    assert resource_from_wire(resource_to_wire(HELD)) == HELD
    for _ in range(100):
        assert [r for o in listed.reserved.of(OURS) or () for r in o.resources] == [HELD]
        assert listed.reserved.of(OTHERS) == ()
    assert listed.asked == 1
    listed.time.pass_by(FRESH_SECONDS)
    listed.reserved.of(OURS)
    assert listed.asked == 2


def test_a_slow_master_is_asked_in_a_tenth_of_the_time() -> None:
    listed = Listed(seconds=3.0)
    for _ in range(600):
        listed.reserved.of(OURS)
        listed.time.pass_by(0.5)
    assert listed.asked <= 600 * 0.5 / (3.0 * SHARE) + 2


def test_the_longer_the_list_the_rarer_it_is_asked_for_however_fast_the_answer_comes() -> None:
    listed = Listed(agents=1_000)
    for _ in range(60):
        listed.reserved.of(OURS)
        listed.time.pass_by(0.5)
    assert 1 < listed.asked <= 60 * 0.5 / (1_000 * AGENT_SECONDS * SHARE) + 1


def test_while_something_of_a_databases_is_given_back_its_list_is_always_new() -> None:
    listed = Listed()
    listed.reserved.of(OURS)
    listed.reserved.gives_back([HELD])
    listed.reserved.of(OTHERS)
    assert listed.asked == 1
    listed.reserved.of(OURS)
    listed.reserved.of(OURS)
    assert listed.asked == 3
    listed.time.pass_by(GIVING_BACK_SECONDS)
    listed.reserved.of(OURS)
    listed.reserved.of(OURS)
    assert listed.asked == 4


def test_a_clock_that_is_set_back_has_it_asked_for_no_longer_than_was_meant() -> None:
    listed = Listed()
    listed.reserved.gives_back([HELD])
    listed.time.set_clock(-3_600.0)
    for asked in (1, 2):
        listed.reserved.of(OURS)
        assert listed.asked == asked, "what is given back may have been asked for a moment ago"
    listed.time.pass_by(GIVING_BACK_SECONDS)
    listed.reserved.of(OURS)
    listed.reserved.of(OURS)
    assert listed.asked == 3


def test_a_clock_that_is_set_while_agents_are_listed_does_not_make_the_list_good_for_long() -> None:
    listed = Listed(seconds=3_600.0)
    listed.reserved.of(OURS)
    listed.seconds = 0.0
    listed.time.pass_by(LONGEST_SECONDS * SHARE)
    listed.reserved.of(OURS)
    assert listed.asked == 2
