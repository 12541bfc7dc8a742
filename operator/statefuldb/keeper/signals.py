"""How a keeper is told to end."""

import queue
import signal
import threading
from collections.abc import Callable


def on_end(call: Callable[[], None]) -> None:
    """Have `call` made on SIGTERM and on SIGINT, on a thread of its own. Called on the main thread.

    Python runs a handler on the main thread, in the middle of whatever that does: an event that it just begins to wait
    for is locked then, and would be so for ever. To hand on is safe anywhere (`queue.SimpleQueue.put`).
    """
    told: queue.SimpleQueue[int] = queue.SimpleQueue()

    def pass_on() -> None:
        while True:
            told.get()
            call()

    threading.Thread(target=pass_on, name="signals", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.put(number))
