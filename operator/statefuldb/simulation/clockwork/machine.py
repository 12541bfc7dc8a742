"""The machine that an operator stands on, simulated: one life of one operator. Nothing of it happens after its end."""

import base64
from collections.abc import Callable
from logging import getLogger

from statefuldb.reconcile.machine import Call, Lane, Lock
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.schedule import Link, Schedule
from statefuldb.simulation.clockwork.threads import Threads

log = getLogger(__name__)
# How all passwords in a simulated world begin.
PASSWORD = "pw-"


class Killed(BaseException):
    """The operator's process has ended here, in the middle of whatever it did."""


class Machine:
    """The machine port. `on_effect` is told before and after each request that leaves; it may raise Killed."""

    def __init__(
        self,
        schedule: Schedule,
        threads: Threads,
        dice: Dice,
        on_secret: Callable[[str], None],
        skew: Callable[[], float],
    ) -> None:
        self._schedule = schedule
        self._threads = threads
        self._skew = skew
        self._dice = dice
        self._on_secret = on_secret
        self.alive = True

    def now(self) -> float:
        """Return Unix seconds, as this machine's clock tells them."""
        return self._schedule.now + self._skew()

    def after(self, seconds: float, call: Call) -> Call:
        """Have `call` made in `seconds`, unless what is returned is called before, or the operator ends."""
        return self._schedule.after(seconds, lambda: self.run(call)).cancel

    def fresh_uuid(self) -> str:
        """Return a UUID."""
        return self._dice.uuid()

    def fresh_secret(self) -> str:
        """Return a password."""
        password = PASSWORD + base64.b32encode(self._dice.bits().to_bytes(8, "big")).decode().rstrip("=")
        self._on_secret(password)
        return password

    def chance(self) -> float:
        """Return a number from 0 to below 1."""
        return self._dice.share()

    def lane(self, name: str) -> Lane:
        """Return what makes calls in order, each a moment later."""
        link, turn = Link(self._schedule, self._dice.fork(), slow_seconds=0.003), self._threads.lock()

        def in_turn(call: Call) -> None:
            with turn:
                self._make(call)

        return lambda call: link.send(lambda: self._threads.begin(lambda: in_turn(call)))

    def lock(self) -> Lock:
        """Return a lock that may be held while requests are made."""
        return self._threads.lock()

    def run(self, call: Call) -> None:
        """Make a call of the operator's own, as its process would: what it does wrong stays there."""
        self._threads.begin(lambda: self._make(call))

    def _make(self, call: Call) -> None:
        if not self.alive:
            return
        try:
            call()
        except Killed:
            return
        except Exception:  # as the real machine does, and seen by the run's oracle through the log
            log.exception("a call failed")
