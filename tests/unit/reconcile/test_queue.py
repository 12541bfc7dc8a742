"""The queue under a clock that people set, and with several who take from it."""

import threading

from statefuldb.model.identity import DatabaseKey
from statefuldb.reconcile.queue import KeyQueue
from unit.mesos.adapter import Standing

ORDERS = DatabaseKey(namespace="shop", name="orders")
LEDGER = DatabaseKey(namespace="shop", name="ledger")


def test_a_clock_that_is_set_back_delays_nothing() -> None:
    time = Standing()
    queue = KeyQueue(time)
    queue.put_after(LEDGER, 60.0)
    queue.put_after(ORDERS, 5.0)
    time.seconds -= 3600.0
    assert queue.next_due() == time.seconds + 5.0
    assert queue.take(block=False) is None
    time.seconds += 6.0
    assert queue.take(block=False) == ORDERS
    assert queue.take(block=False) is None
    time.seconds += 55.0
    assert queue.take(block=False) == LEDGER


def test_what_is_put_while_the_clock_goes_back_is_due_as_was_meant() -> None:
    time = Standing()
    queue = KeyQueue(time)
    time.seconds -= 3600.0
    queue.put_after(ORDERS, 5.0)
    time.seconds += 5.0
    assert queue.take(block=False) == ORDERS


def test_what_is_looked_at_for_another_reason_meanwhile_is_looked_at_no_more_often_for_it() -> None:
    """A database that waits is offered something every few seconds: each such look had another one follow for ever."""
    time = Standing()
    queue = KeyQueue(time)
    queue.put_after(ORDERS, 60.0)
    for _ in range(2):
        time.seconds += 30.0
        queue.put(ORDERS)
        assert queue.take(block=False) == ORDERS
        queue.put_after(ORDERS, 60.0)
        queue.done(ORDERS)
    assert queue.next_due() == time.seconds + 60.0
    time.seconds += 59.0
    assert queue.take(block=False) is None
    time.seconds += 1.0
    assert queue.take(block=False) == ORDERS
    queue.done(ORDERS)
    time.seconds += 600.0
    assert queue.take(block=False) is None


def test_of_several_moments_the_first_counts() -> None:
    time = Standing()
    queue = KeyQueue(time)
    for seconds in (60.0, 10.0, 30.0):
        queue.put_after(ORDERS, seconds)
    time.seconds += 10.0
    assert queue.take(block=False) == ORDERS
    queue.done(ORDERS)
    assert queue.next_due() is None


class Seen(Standing):
    """Tells when a worker looks at it: with the queue in hand, before it begins to wait for a key."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = threading.Semaphore(0)

    def now(self) -> float:
        seconds = super().now()
        if threading.current_thread() is not threading.main_thread():
            self.looked.release()
        return seconds


def test_one_who_waits_takes_what_is_due_while_the_other_is_at_work() -> None:
    time = Seen()
    queue = KeyQueue(time)
    taken: list[DatabaseKey | None] = []
    waiting = threading.Thread(target=lambda: taken.append(queue.take()), daemon=True)
    waiting.start()
    assert time.looked.acquire(timeout=10.0)
    for key in (LEDGER, ORDERS):
        queue.put_after(key, 1_000.0)
        assert time.looked.acquire(timeout=10.0)
    time.seconds += 1_000.0
    assert queue.take(block=False) == LEDGER
    waiting.join(10.0)
    assert taken == [ORDERS], "it would wait for as long as was left when it was told last"
