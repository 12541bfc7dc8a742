"""Steps that are accepted and change nothing: taken again ever more rarely, and at once when anything has changed.

Without this a database whose step has no outcome (a master that says 202 and forgets, an API server that says 200 and
keeps what it had) would be looked at, and the step be taken, as fast as a worker can: law `eventually_stable`.
"""

from dataclasses import dataclass, replace

from statefuldb.model.actions import AcceptOffers, Action
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import Observed
from statefuldb.planning.approval.proposals import describe
from statefuldb.reconcile.machine import Clock
from statefuldb.reconcile.queue import KeyQueue
from statefuldb.reconcile.report import Reporter
from statefuldb.reconcile.retry import pause_seconds

# What an effect brings about may be heard of a moment later.
TIMES_IN_VAIN = 2


@dataclass(frozen=True, slots=True)
class _Taken:
    observed: Observed
    actions: tuple[Action, ...]
    times: int
    at_seconds: float


class Standstill:
    """What was done last for each database, and on which sight of it."""

    def __init__(self, *, clock: Clock, queue: KeyQueue, reporter: Reporter) -> None:
        self._clock = clock
        self._queue = queue
        self._reporter = reporter
        self._taken: dict[DatabaseKey, _Taken] = {}

    def postpones(self, observed: Observed, actions: tuple[Action, ...]) -> bool:
        """Say whether `actions` were taken already, lately and on the same sight; it is looked at again then."""
        last = self._taken.get(observed.key)
        if last is None:
            return False
        if last.observed != _bare(observed):
            del self._taken[observed.key]
            return False
        waited, pause = self._clock.now() - last.at_seconds, pause_seconds(last.times)
        # Taken in the future: the clock was set back since.
        if last.actions != _bare_of_offers(actions) or not 0 <= waited < pause:
            return False
        self._queue.put_after(observed.key, pause - waited)
        return True

    def taken(self, observed: Observed, actions: tuple[Action, ...]) -> None:
        """Note that `actions` were taken, and have it said once they were in vain for longer than a moment."""
        if not actions:
            return
        seen, done = _bare(observed), _bare_of_offers(actions)
        last = self._taken.get(observed.key)
        times = last.times + 1 if last is not None and (last.observed, last.actions) == (seen, done) else 1
        self._taken[observed.key] = _Taken(seen, done, times, self._clock.now())
        if times > TIMES_IN_VAIN:
            self._reporter.failed(observed.key, f"{describe(actions[0])}: was accepted, and nothing has changed")


def _bare(observed: Observed) -> Observed:
    """Return a snapshot without what says only when it was taken, or that somebody wrote what was there before."""
    database = observed.database
    return replace(
        observed,
        at_seconds=0.0,
        database=replace(database, resource_version="") if database is not None else None,
        volumes=tuple(replace(volume, resource_version="") for volume in observed.volumes),
        tasks={name: replace(status, seen_at_seconds=0.0) for name, status in observed.tasks.items()},
        keepers={name: replace(view, seen_at_seconds=0.0) for name, view in observed.keepers.items()},
    )


def _bare_of_offers(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Return actions without the names of the offers they use: each round of offers has new ones."""
    return tuple(replace(a, offer_ids=()) if isinstance(a, AcceptOffers) else a for a in actions)
