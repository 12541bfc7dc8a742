"""Room on the disk that the data lies on: what is free is published, and a full disk is a wait, not a crash."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from statefuldb.keeper.state import State
from statefuldb.model.keeper import DISK_FULL_BELOW_BYTES, KeeperPhase

# A quota (of CephFS, GlusterFS, NFS) is the size of a disk to whoever writes there.
_FULL = (errno.ENOSPC, errno.EDQUOT)
POLL_SECONDS = 5.0
RETRY_SECONDS = 60.0

T = TypeVar("T")


class Disk:
    """The disk of one member. `place` returns an existing directory on it, before there is one for the data too."""

    def __init__(self, *, state: State, stopping: threading.Event, place: Callable[[], Path]) -> None:
        self._state = state
        self._stopping = stopping
        self._place = place

    def once_there_is_space(self, step: Callable[[], T]) -> T | None:
        """Return what `step` returns, tried again while the disk is full; None when told to stop meanwhile.

        Raises OSError where another disk is, such as that of the folder for temporary files: it says which file.
        """
        while not self._stopping.is_set():
            try:
                return step()
            except OSError as error:
                if error.errno not in _FULL or self._is_of_another(error):
                    raise
                self._wait_for_space(over_quota=error.errno == errno.EDQUOT)
        return None

    def _is_of_another(self, error: OSError) -> bool:
        # By a descriptor, or as within a folder, only what belongs to the data is named.
        if not isinstance(error.filename, str) or not os.path.isabs(error.filename):
            return False
        written = Path(error.filename)
        there = next(folder for folder in (written, *written.parents) if folder.exists())
        return there.stat().st_dev != self._place().stat().st_dev

    def publish_free(self, path: Path) -> None:
        """Publish free space in steps, of one percent at most, so that ordinary writes change no status."""
        usage = shutil.disk_usage(path)
        step = max(1, min(usage.total // 100, DISK_FULL_BELOW_BYTES))
        self._state.update(disk_total_bytes=usage.total, disk_free_bytes=usage.free // step * step)

    def _wait_for_space(self, *, over_quota: bool) -> None:
        """Wait until more is free than now, a minute at most: every attempt changes what the operator writes down."""
        place = self._place()
        free = shutil.disk_usage(place).free
        # Not every file system counts as free what a quota leaves.
        lacks = "the quota is used up" if over_quota else f"{free // 2**20} MiB are free"
        reason = f"{lacks} where {place} lies"
        self._state.update(phase=KeeperPhase.DISK_FULL, reason=reason)
        until = time.monotonic() + RETRY_SECONDS
        while not self._stopping.wait(POLL_SECONDS) and time.monotonic() < until:
            if shutil.disk_usage(place).free > free:
                return


def is_full(path: Path) -> bool:
    """Say whether so little is free where `path` lies that a server cannot be expected to start."""
    return shutil.disk_usage(path).free < DISK_FULL_BELOW_BYTES
