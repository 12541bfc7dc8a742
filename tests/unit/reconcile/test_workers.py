"""Several workers: a key is worked on once at a time, no offer is used twice, and nobody waits for another's effect."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from statefuldb.model.actions import AcceptOffers, Action
from statefuldb.model.canonical import canonical
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import Observed, Offers
from statefuldb.model.plan import Plan
from statefuldb.reconcile.deciding import Decisions
from statefuldb.reconcile.loop import Loop
from statefuldb.reconcile.offers import OfferDemand
from statefuldb.reconcile.ports import EffectFailed
from statefuldb.reconcile.queue import KeyQueue
from unit.mesos.adapter import Wired
from unit.planning.world import OPERATOR, database, observed, spec

WORKERS = 8
PATIENCE_SECONDS = 30.0
RESOURCES = [
    {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.7}},
    {"name": "mem", "type": "SCALAR", "scalar": {"value": 700}},
    {"name": "disk", "type": "SCALAR", "scalar": {"value": 2048}},
    {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 31000, "end": 31009}]}},
]


def key(number: int) -> DatabaseKey:
    return DatabaseKey(namespace="shop", name=f"orders-{number}")


@dataclass
class Around:
    """Stands for whatever a loop has beside Mesos: observes new databases, and makes `effect` of each action."""

    effect: Callable[[Action], None]
    passes: list[DatabaseKey] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    accepting: set[DatabaseKey] = field(default_factory=set)
    launched: set[DatabaseKey] = field(default_factory=set)
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def observe(self, wanted: DatabaseKey) -> Observed:
        if wanted in self.launched:
            return observed(key=wanted, database=None)
        uid = f"11111111-2222-3333-4444-{int(wanted.name.removeprefix('orders-')):012d}"
        return observed(key=wanted, database=replace(database(spec=canonical(spec())), key=wanted, uid=uid))

    def record(self, seen: Observed, offers: Offers, decided: Plan) -> Plan:
        self.passes.append(seen.key)
        accepts = any(isinstance(action, AcceptOffers) for action in decided.actions)
        (self.accepting.add if accepts else self.accepting.discard)(seen.key)
        return decided

    def execute(self, actions: tuple[Action, ...], _: object) -> None:
        for action in actions:
            self.effect(action)

    def acknowledge(self, seen: Observed) -> None:
        if seen.key in self.accepting:
            self.launched.add(seen.key)

    def announce(self, seen: Observed, decided: Plan) -> None:
        pass

    def failed(self, wanted: DatabaseKey, message: str) -> None:
        self.failures.append(message)

    def pass_began(self) -> None:
        pass

    def pass_ended(self, outcome: str) -> None:
        self.ended.release()


class Working:
    """A loop with several workers on a Mesos adapter that only remembers."""

    def __init__(self, effect: Callable[[Action], None]) -> None:
        self.wired = Wired()
        self.wired.subscribe()
        self.queue = KeyQueue(self.wired.time)
        self.around = around = Around(effect)
        self.demand = demand = OfferDemand(self.wired.adapter, self.wired.time, queued=self.queue.depth)
        parts: Any = {"observer": around, "executor": around, "reporter": around, "measures": around}
        decisions = Decisions(mesos=self.wired.adapter, demand=demand, operator=OPERATOR)
        self.loop = Loop(queue=self.queue, decisions=decisions, demand=demand, clock=self.wired.time, **parts)
        self._threads = [threading.Thread(target=self.loop.run, daemon=True) for _ in range(WORKERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self.queue.close()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()

    def offer(self, *numbers: int) -> None:
        offers = [
            {
                "id": {"value": f"offer-{number}"},
                "agent_id": {"value": f"id-of-agent-{number}"},
                "hostname": f"agent-{number}",
                "allocation_info": {"role": OPERATOR.mesos_role},
                "resources": RESOURCES,
            }
            for number in numbers
        ]
        self.wired.say({"type": "OFFERS", "offers": {"offers": offers}})


def test_no_offer_is_used_twice_however_many_work() -> None:
    databases, offers = 120, 80
    launched: dict[str, str] = {}
    enough = threading.Event()
    lock = threading.Lock()

    def effect(action: Action) -> None:
        if isinstance(action, AcceptOffers):
            working.wired.adapter.accept(action)
            with lock:
                launched[action.offer_ids[0]] = action.what
                if len(launched) == offers:
                    enough.set()

    working = Working(effect)
    working.offer(*range(offers))
    for number in range(databases):
        working.queue.put(key(number))
    working.start()
    assert enough.wait(PATIENCE_SECONDS), f"{len(launched)} of {offers}"
    working.end()
    accepted = [ids[0]["value"] for ids, *_ in working.wired.driver.named("acceptOffers")]
    assert sorted(accepted) == sorted(f"offer-{number}" for number in range(offers))
    assert working.around.failures == []


def test_what_one_database_waits_for_delays_no_other() -> None:
    stuck, others, free = threading.Event(), threading.Semaphore(0), threading.Event()

    def effect(action: Action) -> None:
        if isinstance(action, AcceptOffers):
            if "orders-0-0" in action.what:
                stuck.set()
                assert free.wait(PATIENCE_SECONDS)
            others.release()

    working = Working(effect)
    working.offer(*range(4))
    working.queue.put(key(0))
    working.start()
    assert stuck.wait(PATIENCE_SECONDS)
    working.queue.put(key(1))
    assert others.acquire(timeout=PATIENCE_SECONDS)
    for _ in ("it launches", "it finds nothing left to do, and has declined what nobody waits for"):
        assert working.around.ended.acquire(timeout=PATIENCE_SECONDS)
    working.offer(4, 5)
    working.queue.put(key(0))
    working.queue.put(key(2))
    assert others.acquire(timeout=PATIENCE_SECONDS)
    assert working.around.passes.count(key(0)) == 1, "a key was worked on twice at once"
    free.set()
    working.end()


@pytest.mark.parametrize("rescinded", [False, True])
def test_an_offer_whose_ledger_entry_could_not_be_written_is_free_again_unless_it_is_gone(rescinded: bool) -> None:
    seen: list[int] = []

    def effect(action: Action) -> None:
        seen.append(len(working.wired.adapter.offers(new, 10).offers))
        if rescinded:
            working.wired.say({"type": "RESCIND", "rescind": {"offer_id": {"value": "offer-1"}}})
        raise EffectFailed("the API server is away")

    working = Working(effect)
    new = working.around.observe(key(7))
    working.offer(1)
    working.queue.put(key(0))
    assert working.queue.take(block=False) == key(0)
    working.loop.attempt(key(0))
    assert seen == [0], "what one takes is shown to others"
    assert len(working.wired.adapter.offers(new, 10).offers) == (0 if rescinded else 1)


def test_a_key_that_is_put_while_it_is_worked_on_is_taken_again_afterwards() -> None:
    queue = Working(lambda _: None).queue
    queue.put(key(1))
    assert queue.take(block=False) == key(1)
    queue.put(key(1))
    queue.put(key(1))
    assert queue.take(block=False) is None
    queue.done(key(1))
    assert queue.take(block=False) == key(1)
    queue.done(key(1))
    assert queue.take(block=False) is None
