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

from statefuldb.keeper.refusal import Refused


class Claim:
    """A lock on one file. `fd` is to be inherited by the server."""

    def __init__(self, path: Path, *, may_create: bool) -> None:
        """Open the lock's file. Raises Refused where it is gone and may not be made anew.

        A new file would be free while a server that still runs holds the lock on the one that was removed.
        """
        try:
            self.fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | (os.O_CREAT if may_create else 0), 0o600)
        except FileNotFoundError as error:
            raise Refused(
                f"{path} is gone, and with it the sight of who holds this data: make sure that no server runs on it, "
                "then create an empty file there"
            ) from error
        self._path = path
        os.set_inheritable(self.fd, True)

    def holds(self) -> bool:
        """Say whether the file that a successor would find is still the one that is locked."""
        try:
            found, held = os.lstat(self._path), os.fstat(self.fd)
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)

    def check_held(self) -> None:
        """Raise Refused where a successor would find another file, or none."""
        if not self.holds():
            raise Refused(f"{self._path} was removed or replaced: nothing would keep a second server away")

    def identity(self) -> str:
        """Return what tells this lock from every other on the machine that anybody still has open."""
        held = os.fstat(self.fd)
        return f"{held.st_dev}:{held.st_ino} {self._path}"

    def try_take(self) -> bool:
        """Take the lock if it is free."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait(self, then: Callable[[OSError | None], None]) -> None:
        """Wait for the lock, however long, on a thread of its own; call `then` when it is taken, or with an error.

        Servers of a shared file system may give a client up that waits, and tell it so.
        """

        def take() -> None:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX)
            except OSError as error:
                error.filename = str(self._path)
                then(error)
            else:
                then(None)

        Thread(target=take, name="claim", daemon=True).start()

    def release(self) -> None:
        """Close the file; the lock goes when nobody else holds the description."""
        os.close(self.fd)
