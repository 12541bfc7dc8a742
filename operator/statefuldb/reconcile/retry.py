"""Looking again after a failed pass: ever more rarely, and said where users look once it happens twice in a row."""

from statefuldb.model.identity import DatabaseKey
from statefuldb.reconcile.back_off import doubled_seconds
from statefuldb.reconcile.ports import Measures
from statefuldb.reconcile.queue import KeyQueue
from statefuldb.reconcile.report import Reporter

AT_ONCE_SECONDS = 0.05
LIMIT_SECONDS = 60.0


def pause_seconds(times: int) -> float:
    """Return how long to wait after something was in vain so many times in a row."""
    return doubled_seconds(times, LIMIT_SECONDS)


class Retries:
    """How often the passes of each key have failed in a row."""

    def __init__(self, *, queue: KeyQueue, reporter: Reporter, measures: Measures) -> None:
        self._queue = queue
        self._reporter = reporter
        self._measures = measures
        self._failures: dict[DatabaseKey, int] = {}

    def passed(self, key: DatabaseKey) -> None:
        """Note that a pass went through."""
        self._failures.pop(key, None)
        self._measures.pass_ended("done")

    def failed(self, key: DatabaseKey, message: str, *, stale: bool = False) -> None:
        """Have `key` looked at again; at once where only our picture of it was `stale`."""
        self._measures.pass_ended("stale" if stale else "failed")
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        self._queue.put_after(key, AT_ONCE_SECONDS if stale and failures == 1 else pause_seconds(failures))
        if failures > 1:
            # The first one may pass by itself.
            self._reporter.failed(key, message)
