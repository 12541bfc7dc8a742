"""The real machine: its clock, its randomness, its threads."""

import queue
import random
import secrets
import signal
import threading
import time
import uuid
from logging import getLogger

from statefuldb.reconcile.machine import Call, Lane, Lock

log = getLogger(__name__)
SECRET_BYTES = 24


class RealMachine:
    """The machine port."""

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time()

    def after(self, seconds: float, call: Call) -> Call:
        """Have `call` made in `seconds` on a thread of its own, unless what is returned is called before."""
        timer = threading.Timer(seconds, call)
        timer.daemon = True
        timer.start()
        return timer.cancel

    def fresh_uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.uuid4())

    def fresh_secret(self) -> str:
        """Return a random password that is safe in a URL."""
        return secrets.token_urlsafe(SECRET_BYTES)

    def lock(self) -> Lock:
        """Return a lock."""
        return threading.Lock()

    def chance(self) -> float:
        """Return a random number from 0 to below 1."""
        return random.random()

    def lane(self, name: str) -> Lane:
        """Return what makes calls on one thread, in order."""
        calls: queue.SimpleQueue[Call] = queue.SimpleQueue()

        def work() -> None:
            while True:
                call = calls.get()
                try:
                    call()
                except Exception:  # what one call does wrong must not keep the next from being made
                    log.exception("%s: a call failed", name)

        threading.Thread(target=work, name=name, daemon=True).start()
        return calls.put


def end_on_signals(stopping: threading.Event) -> None:
    """Have `stopping` set on SIGTERM and SIGINT. Called on the main thread.

    Python runs a handler there, in the middle of whatever it does: an event that is just begun to be waited for is
    locked, and would be so for ever. To hand on is safe anywhere (`queue.SimpleQueue.put`).
    """
    hand_on = RealMachine().lane("signals")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: hand_on(stopping.set))
