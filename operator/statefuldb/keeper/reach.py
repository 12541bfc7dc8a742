"""Letting the server's own user reach its data, wherever that lies.

Agents' work directories and home directories are often closed to other users. So a keeper that runs as root enters a
mount namespace of its own and binds the member's directory to a place that every user may enter (unshare(2), mount(2)).
Nobody else sees that mount, and nothing is ever removed through it.
"""

import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
_PLACES = (Path("/var/lib/mysql"), Path("/mnt"))


def reachable(directory: Path) -> Path:
    """Return a path at which an unprivileged server finds `directory`; the same one where it needs no help.

    Called on the main thread before any server is started: what is started afterwards shares the namespace.
    """
    if os.geteuid() != 0 or _open_to_all(directory):
        return directory
    place = next((p for p in _PLACES if p.is_dir()), None)
    libc = ctypes.CDLL(None, use_errno=True)
    if place is None or libc.unshare(CLONE_NEWNS) != 0:
        return directory
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        return directory
    if libc.mount(os.fsencode(directory), os.fsencode(place), None, MS_BIND, None) != 0:
        return directory
    return place


def _open_to_all(directory: Path) -> bool:
    """Whether every folder on the way may be entered by anybody."""
    return all(folder.stat().st_mode & 0o001 for folder in (directory, *directory.parents))
