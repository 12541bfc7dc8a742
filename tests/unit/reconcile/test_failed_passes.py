"""A database whose passes fail: it is tried ever more rarely, and keeps no offer from others between the attempts."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from statefuldb.model.actions import AcceptOffers, Action, SaveVolume
from statefuldb.reconcile.notices import Notices
from statefuldb.reconcile.offers import HOLD_LIMIT_SECONDS
from statefuldb.reconcile.ports import EffectFailed
from statefuldb.reconcile.retry import LIMIT_SECONDS
from unit.reconcile.test_workers import Working, key

HOUR_SECONDS = 3600.0
AGENTS = 50
FORBIDDEN = EffectFailed("403 Forbidden")
GONE = EffectFailed("an offer of agent-1 is gone", conflict=True)


class Failing:
    """One worker, and a master that offers all its agents whenever it is asked. What fails, fails for key 0."""

    def __init__(self) -> None:
        self.working = Working(self._effect)
        self.time, self.driver = self.working.wired.time, self.working.wired.driver
        nobody: Any = SimpleNamespace(keys=lambda: ())
        adapter, demand = self.working.wired.adapter, self.working.demand
        notices = Notices(queue=self.working.queue, kubernetes=nobody, mesos=adapter, demand=demand)
        self.working.wired.on_offers = notices.offered
        self.accepted: list[str] = []
        self.attempts: list[float] = []
        self.held_seconds = 0.0
        self.fails_in("")
        self._offered = 0
        for name in ("observe", "record"):
            self._failing(name)

    def _effect(self, action: Action) -> None:
        if isinstance(action, SaveVolume) and action.volume.key == key(0):
            self._fail("execute")
        if isinstance(action, AcceptOffers):
            self.working.wired.adapter.accept(action)
            self.accepted.append(action.what)

    def _failing(self, name: str) -> None:
        made: Callable[..., Any] = getattr(self.working.around, name)

        def fails(first: Any, *rest: Any) -> Any:
            if key(0) in (first, getattr(first, "key", None)):
                self._fail(name)
            return made(first, *rest)

        setattr(self.working.around, name, fails)

    def _fail(self, where: str) -> None:
        if where == self._where:
            self.attempts.append(self.time.now())
            raise self._failure

    def fails_in(self, where: str, failure: EffectFailed = FORBIDDEN) -> None:
        """Have this part of each pass over key 0 fail from now on, "" for none."""
        self._where, self._failure = where, failure

    def look_once(self) -> bool:
        """Make the pass that is due, if one is, and say so."""
        found = self.working.queue.take(block=False)
        if found is not None:
            self.working.loop.attempt(found)
        return found is not None

    def pass_by(self, seconds: float) -> None:
        """Work for so long."""
        end, passes = self.time.now() + seconds, 0
        while self.time.now() < end:
            while self.look_once():
                passes += 1
                assert passes < 20 * seconds, "it spins"
            if len(self.driver.named("reviveOffers")) > self._offered:
                self._offered += 1
                self.working.offer(*range(AGENTS * self._offered, AGENTS * (self._offered + 1)))
                continue
            due = self.working.queue.next_due()
            step = max(min(due if due is not None else end, end) - self.time.now(), 0.01)
            self.held_seconds += step if self.working.wired.adapter.offers_outstanding() else 0.0
            self.time.pass_by(step)


@pytest.mark.parametrize("where", ["observe", "record", "execute"])
def test_no_offer_waits_for_a_database_whose_passes_fail(where: str) -> None:
    failing = Failing()
    failing.working.queue.put(key(0))
    failing.look_once()  # It waits from here on, and is told of what is offered.
    failing.fails_in(where)
    failing.pass_by(HOUR_SECONDS)
    assert failing.attempts[-1] - failing.attempts[0] > HOUR_SECONDS - 2 * LIMIT_SECONDS, "it is tried on"
    assert len(failing.attempts) < HOUR_SECONDS / LIMIT_SECONDS + 15, "and ever more rarely"
    assert len(failing.working.around.failures) == len(failing.attempts) - 1, "users read of all but the first"
    assert failing.held_seconds <= HOLD_LIMIT_SECONDS
    asked = [call[0] for call in failing.driver.calls if call[0] in ("reviveOffers", "declineOffer", "suppressOffers")]
    assert asked[-1] == "suppressOffers", "others are served until the next attempt"
    assert asked.count("reviveOffers") <= len(failing.attempts), "it asks once for each"


def test_it_is_launched_at_the_next_attempt_once_what_failed_is_put_right() -> None:
    failing = Failing()
    failing.fails_in("execute")
    failing.working.queue.put(key(0))
    failing.pass_by(HOUR_SECONDS)
    assert not failing.accepted
    failing.fails_in("")
    failing.pass_by(LIMIT_SECONDS + 1.0)
    assert len(failing.accepted) == 1
    failing.working.around.launched.clear()
    failing.fails_in("execute")
    failing.attempts.clear()
    failing.working.queue.put(key(0))
    failing.pass_by(2.0)
    assert len(failing.attempts) > 1, "how often it failed before is forgotten"


def test_another_database_is_launched_beside_one_whose_passes_fail() -> None:
    failing = Failing()
    failing.fails_in("execute")
    failing.working.queue.put(key(0))
    failing.pass_by(HOUR_SECONDS)
    failing.working.queue.put(key(1))
    failing.pass_by(1.0)
    assert len(failing.accepted) == 1
    assert "orders-1" in failing.accepted[0]


def test_offers_that_are_gone_now_and_then_are_nothing_to_tell_users_of() -> None:
    """A database may wait for days, and lose an offer on some of them."""
    failing = Failing()
    failing.working.queue.put(key(0))
    failing.look_once()
    for day in range(1, 6):
        failing.fails_in("execute", GONE)
        failing.working.offer(-day)
        failing.look_once()
        failing.fails_in("")
        assert len(failing.attempts) == day
        while failing.look_once() or failing.working.queue.next_due() is not None:
            failing.time.pass_by(0.05)
            assert failing.time.now() - failing.attempts[-1] < 0.2, "it is looked at again at once"
        failing.time.pass_by(24 * HOUR_SECONDS)
    assert failing.working.around.failures == []


def test_what_stays_in_the_way_of_each_offer_is_tried_ever_more_rarely_though_it_was_called_stale() -> None:
    failing = Failing()
    failing.fails_in("execute", GONE)
    failing.working.queue.put(key(0))
    failing.pass_by(HOUR_SECONDS)
    assert len(failing.attempts) < HOUR_SECONDS / LIMIT_SECONDS + 15
    assert failing.working.around.failures
