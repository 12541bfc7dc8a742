"""Calling back later: the one place where the Mesos side starts a timer."""

import threading
from collections.abc import Callable
from typing import Protocol

Cancel = Callable[[], None]


class Timers(Protocol):
    """Calls back after a while, on a thread of its own or on whatever stands for time."""

    def after(self, seconds: float, call: Callable[[], None]) -> Cancel:
        """Have `call` made in `seconds`, unless what is returned is called before."""
        ...


class ThreadTimers:
    """Timers of the real time, one thread for each that runs."""

    def after(self, seconds: float, call: Callable[[], None]) -> Cancel:
        """Have `call` made in `seconds`, unless what is returned is called before."""
        timer = threading.Timer(seconds, call)
        timer.daemon = True
        timer.start()
        return timer.cancel
