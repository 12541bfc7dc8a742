"""What is done again and again goes on after a failure, and ends when it is told to."""

from typing import Any, cast

import pytest

from statefuldb.adapters.kubernetes.periodic import Periodic
from statefuldb.reconcile.ports import EffectFailed
from unit.mesos.adapter import Standing


@pytest.mark.parametrize("fails", [False, True])
def test_it_is_done_each_time_whatever_becomes_of_it_until_it_is_stopped(fails: bool) -> None:
    time, done = Standing(), list[float]()

    def do() -> None:
        done.append(time.now())
        if fails:
            raise EffectFailed("the API server is away")

    each = Periodic(cast("Any", time), 300.0, do)
    each.start()
    time.pass_by(700.0)
    assert done == [1_300.0, 1_600.0]
    each.stop()
    time.pass_by(700.0)
    assert len(done) == 2


def test_what_is_stopped_while_it_is_done_is_not_done_again() -> None:
    time, done = Standing(), list[float]()

    def do() -> None:
        done.append(time.now())
        each.stop()

    each = Periodic(cast("Any", time), 300.0, do)
    each.start()
    time.pass_by(1_000.0)
    assert done == [1_300.0]


def test_it_can_be_brought_forward_once_for_any_number_of_reasons() -> None:
    time, done = Standing(), list[float]()

    def do() -> None:
        done.append(time.now())
        if len(done) == 1:
            each.within(5.0)

    each = Periodic(cast("Any", time), 300.0, do)
    each.start()
    time.pass_by(10.0)
    each.within(5.0)
    time.pass_by(4.0)
    each.within(5.0)
    time.pass_by(400.0)
    assert done == [1_015.0, 1_020.0, 1_320.0]
    each.stop()
    each.within(5.0)
    time.pass_by(400.0)
    assert len(done) == 3
