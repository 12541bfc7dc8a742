"""A file system that is away holds up whoever asks it, for ever: another thread says so meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from statefuldb.keeper.state import State

SILENT_AFTER_SECONDS = 10.0


@contextmanager
def told_of_silence(state: State, after_seconds: float = SILENT_AFTER_SECONDS) -> Iterator[None]:
    """Have the status say that the engine does not serve where what is done within takes so long.

    A server answers what it has in memory while nothing that it is told can be written down.
    """

    def tell() -> None:
        reason = f"where the data lies nothing has answered for {after_seconds:g} s: is its file system there?"
        state.update(engine=replace(state.status.engine, answers_sql=False), reason=reason)

    alarm = threading.Timer(after_seconds, tell)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
