"""The keeper's present status, shared between its threads; a reader can wait for the next change."""

import threading
from dataclasses import replace
from typing import Any

from statefuldb.model.keeper import KeeperPhase, KeeperStatus


class State:
    """One status with a revision that grows with each change."""

    def __init__(self, task_id: str) -> None:
        self._changed = threading.Condition()
        self._status = KeeperStatus(task_id=task_id, revision=1, phase=KeeperPhase.CHECKING)

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

    def wait_after(self, revision: int, timeout_seconds: float) -> KeeperStatus:
        """Return the status once its revision differs from `revision`, or after `timeout_seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._status.revision != revision, timeout=timeout_seconds)
            return self._status
