"""The keeper's present status, shared between its threads; a reader can wait for the next change."""

import threading
import time
from dataclasses import replace
from typing import Any

from statefuldb.model.keeper import KeeperPhase, KeeperStatus

# Whoever looks after the server comes round every two seconds, and says so where that takes ten.
STANDS_SECONDS = 15.0


class State:
    """One status with a revision that grows with each change."""

    def __init__(self, task_id: str) -> None:
        self._changed = threading.Condition()
        self._status = KeeperStatus(task_id=task_id, revision=1, phase=KeeperPhase.CHECKING)
        self._confirmed_at = time.monotonic()
        self._told = 0

    @property
    def status(self) -> KeeperStatus:
        """The present status."""
        return self._status

    def update(self, **changes: Any) -> None:
        """Change fields of the status; readers are told only where something differs."""
        with self._changed:
            changed = replace(self._status, **changes)
            if changed != self._status:
                self._status = replace(changed, revision=self._status.revision + 1)
                self._changed.notify_all()

    def note_told(self, revision: int) -> None:
        """Note that somebody was told the status of this revision."""
        self._told = max(self._told, revision)

    @property
    def is_told(self) -> bool:
        """Whether somebody was told the present status."""
        return self._told >= self._status.revision

    def confirm(self) -> None:
        """Note that whoever looks after the server has come round."""
        self._confirmed_at = time.monotonic()

    def stands(self) -> bool:
        """Say whether the status may be repeated: not that a server answers at which nobody looks any more."""
        return not self._status.engine.answers_sql or time.monotonic() - self._confirmed_at < STANDS_SECONDS

    def wait_after(self, revision: int, timeout_seconds: float) -> KeeperStatus:
        """Return the status once its revision differs from `revision`, or after `timeout_seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._status.revision != revision, timeout=timeout_seconds)
            return self._status
