"""The queue under a clock that people set."""

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
