"""The start of an operator whose surroundings are not there yet: it waits for them, and says so once."""

import threading
from collections.abc import Callable
from typing import TypeVar

from statefuldb.reconcile.back_off import back_off_seconds
from statefuldb.reconcile.ports import NotAnswered

T = TypeVar("T")


class Stopped(Exception):
    """The operator is to end before it could begin."""


class Starting:
    """What an operator waits for at its start.

    `say` is told each new text of what does not answer, and "" once all that was waited for does; `remind` is told it
    after each attempt, for those who ask later.
    """

    def __init__(
        self,
        *,
        stopping: threading.Event,
        chance: Callable[[], float],
        say: Callable[[str], None],
        remind: Callable[[str], None],
    ) -> None:
        self._stopping = stopping
        self._chance = chance
        self._say = say
        self._remind = remind
        self._said: set[str] = set()
        self._waits_for = ""

    def unready(self) -> str:
        """Say why the operator does not do its work yet."""
        return f"waiting: {self._waits_for}" if self._waits_for else "starting"

    def reached(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns, made again, ever more rarely, while what it needs does not answer.

        Raises Stopped, and whatever else `attempt` raises: what is refused is not granted by asking again.
        """
        failures = 0
        while True:
            if self._stopping.is_set():
                raise Stopped
            try:
                found = attempt()
            except NotAnswered as failure:
                failures += 1
                self._waits(str(failure))
                self._stopping.wait(back_off_seconds(failures, self._chance()))
                continue
            if self._waits_for:
                self._waits_for = ""
                self._say("")
            return found

    def _waits(self, text: str) -> None:
        self._waits_for = text
        if text not in self._said:
            self._said.add(text)
            self._say(text)
        self._remind(text)
