"""What a command waits for, said on standard error: standard output holds results alone."""

import time
from types import TracebackType
from typing import Self

from rich.markup import escape
from rich.status import Status

from statefuldb.cli.console import errors


class Progress:
    """One live line on a terminal; elsewhere a line for each change, with the seconds since the beginning.

    What is given at the start is shown on a terminal only: a command that ends within a moment is not to be wordy.
    """

    def __init__(self, what: str) -> None:
        self._began = time.monotonic()
        self._said = what
        self._live: Status | None = errors.status(escape(what)) if errors.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say_live(self, text: str) -> None:
        """Show another text on a terminal only."""
        if self._live is not None:
            self._live.update(escape(text))

    def say(self, text: str) -> None:
        """Show another text; the same one again, or an empty one, changes nothing."""
        if not text or text == self._said:
            return
        self._said = text
        if self._live is not None:
            self._live.update(escape(text))
        else:
            errors.print(f"{time.monotonic() - self._began:7.1f} s  {text}")
