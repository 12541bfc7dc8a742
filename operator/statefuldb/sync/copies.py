"""Room for a copy of a repository, for as long as a process lives; what killed processes left is cleared away.

A lock on each copy tells whether its process is still there: the kernel frees it with the process, however that ends.
"""

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_LOCK = "lock"
_PREFIX = "copy-"


@contextlib.contextmanager
def own_copy(room: Path) -> Iterator[Path]:
    """Yield an empty directory below `room` that no other process uses; it is removed at the end."""
    room.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (room / _LOCK).open("a") as door:
        # Nobody clears away what another is just about to lock.
        fcntl.flock(door, fcntl.LOCK_EX)
        _clear(room)
        place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=room))
        held = (place / _LOCK).open("a")
        fcntl.flock(held, fcntl.LOCK_EX)
    with held:
        try:
            yield place / "repository"
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _clear(room: Path) -> None:
    for place in room.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (place / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
