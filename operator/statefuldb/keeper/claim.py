"""The exclusive claim on a member's directory: a lock that lives as long as the last process that could write.

It is a `flock` lock on one open file description, which the server and all its children inherit (it is never
close-on-exec). The kernel frees it when the last of them is gone, however they die: a keeper that is killed alone does
not free it while its server lives (flock(2); docs/design.md section 8, "The claim").
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread


class Claim:
    """A lock on one file. `fd` is to be inherited by the server."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.set_inheritable(self.fd, True)

    def try_take(self) -> bool:
        """Take the lock if it is free."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait(self, then: Callable[[], None]) -> None:
        """Wait for the lock, however long, on a thread of its own; call `then` when it is taken."""

        def take() -> None:
            fcntl.flock(self.fd, fcntl.LOCK_EX)
            then()

        Thread(target=take, name="claim", daemon=True).start()

    def release(self) -> None:
        """Close the file; the lock goes when nobody else holds the description."""
        os.close(self.fd)
