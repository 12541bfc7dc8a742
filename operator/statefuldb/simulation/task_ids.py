"""The ids that tasks were launched under: none is used twice, but one of before a restore that Mesos has forgotten."""

from collections.abc import Callable


class TaskIds:
    """Ids that were used. `remembered` says whether a master knows of a task of an id, be it over."""

    def __init__(self, remembered: Callable[[str], bool]) -> None:
        self._remembered = remembered
        self._used: set[str] = set()
        self._before_restore: set[str] = set()

    def restored(self) -> None:
        """Note that the API is restored from a backup: of what was launched since, only Mesos tells."""
        self._before_restore = set(self._used)

    def take(self, task_id: str) -> bool:
        """Note that an id is used; say whether it may be."""
        forgotten = task_id in self._before_restore and not self._remembered(task_id)
        free = forgotten or task_id not in self._used
        self._used.add(task_id)
        return free
