"""How a keeper is told to end."""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable

PARENT_POLL_SECONDS = 1.0


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


def on_orphaned(call: Callable[[], None]) -> None:
    """Have `call` made, on a thread of its own, once the process that started this one has ended.

    Without cgroups an agent whose executor is killed ends no task of it, and calls it failed all the same: nobody
    looks after what runs on, and its successor finds the claim and the ports taken for ever. The kernel's own signal
    (PR_SET_PDEATHSIG) tells of the end of the thread that forked, which may be another, and agents may have kernels
    from before pidfd_open(2).
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_POLL_SECONDS)
        call()

    threading.Thread(target=watch, name="parent", daemon=True).start()
