"""What does not answer holds up whoever asks it, a file system that is away for ever: another thread says so."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from statefuldb.keeper.state import State

SILENT_AFTER_SECONDS = 10.0
SERVER = "the server has answered no query for {} s"
FILES = "where the data lies nothing has answered for {} s: is its file system there?"


@contextmanager
def told_of_silence(state: State, reason: str, after_seconds: float = SILENT_AFTER_SECONDS) -> Iterator[None]:
    """Have the status say that the engine does not serve, and `reason`, where what is done within takes so long.

    A server answers what it has in memory while nothing that it is told can be written down. What begins or ends here
    confirms the status. Where clients of the server have all threads that the task may have, nobody says so.
    """

    def tell() -> None:
        engine = replace(state.status.engine, answers_sql=False)
        state.update(engine=engine, reason=reason.format(f"{after_seconds:g}"))

    alarm = threading.Timer(after_seconds, tell)
    alarm.daemon = True
    with suppress(RuntimeError):
        alarm.start()
    state.confirm()
    try:
        yield
    finally:
        alarm.cancel()
        if alarm.ident is not None:
            # One that was late to be cancelled would tell of silence what is said next.
            alarm.join()
        state.confirm()
