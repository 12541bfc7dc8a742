"""Looking again after a failed pass: ever more rarely, and said where users look once it happens twice in a row."""

from dataclasses import dataclass, replace

from statefuldb.model.identity import DatabaseKey
from statefuldb.reconcile.back_off import doubled_seconds
from statefuldb.reconcile.machine import Clock
from statefuldb.reconcile.ports import Measures
from statefuldb.reconcile.queue import KeyQueue
from statefuldb.reconcile.report import Reporter

AT_ONCE_SECONDS = 0.05
LIMIT_SECONDS = 60.0


def pause_seconds(times: int) -> float:
    """Return how long to wait after something was in vain so many times in a row."""
    return doubled_seconds(times, LIMIT_SECONDS)


@dataclass(frozen=True, slots=True)
class _Failed:
    """How many times in a row, and until when the next one counts as one more."""

    times: int
    counts_until: float = float("inf")


class Retries:
    """How often the passes of each key have failed in a row."""

    def __init__(self, *, clock: Clock, queue: KeyQueue, reporter: Reporter, measures: Measures) -> None:
        self._clock = clock
        self._queue = queue
        self._reporter = reporter
        self._measures = measures
        self._failures: dict[DatabaseKey, _Failed] = {}

    def passed(self, key: DatabaseKey, *, only_waits: bool) -> None:
        """Note that a pass went through.

        One that `only_waits` for an offer does not try again what failed: that is done as soon as an offer comes.
        """
        last = self._failures.get(key)
        if last is not None and not only_waits:
            del self._failures[key]
        elif last is not None:
            until = min(last.counts_until, self._clock.now() + LIMIT_SECONDS)
            self._failures[key] = replace(last, counts_until=until)
        self._measures.pass_ended("done")

    def failed(self, key: DatabaseKey, message: str, *, stale: bool = False) -> None:
        """Have `key` looked at again; at once where only our picture of it was `stale`."""
        self._measures.pass_ended("stale" if stale else "failed")
        last = self._failures.get(key)
        times = last.times + 1 if last is not None and self._clock.now() < last.counts_until else 1
        self._failures[key] = _Failed(times)
        self._queue.put_after(key, AT_ONCE_SECONDS if stale and times == 1 else pause_seconds(times))
        if times > 1:
            # The first one may pass by itself.
            self._reporter.failed(key, message)
