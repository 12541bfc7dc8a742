"""Letting the server's own user reach its data, wherever that lies.

Agents' work directories and home directories are often closed to other users. So a keeper that runs as root enters a
mount namespace of its own and binds the member's directory to a place that every user may enter (unshare(2), mount(2)).
Nobody else sees that mount, and nothing is ever removed through it.
"""

import ctypes
import os
import pwd
import subprocess
from pathlib import Path

from statefuldb.keeper.owners import identity
from statefuldb.keeper.refusal import Refused

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
_PLACES = (Path("/var/lib/mysql"), Path("/mnt"))


def reachable(directory: Path, user: pwd.struct_passwd | None, *, besides: tuple[Path, ...] = ()) -> Path:
    """Return a path at which a server that runs as `user` finds `directory`; the same one where it needs no help.

    The directory, and what is told in `besides`, stay where they are for whoever calls, who goes on to use them there.
    Called on the main thread before any server is started: what is started afterwards shares the namespace. Raises
    Refused where help is needed and the kernel gives none, as in a container without the right to mount.
    """
    if user is None or _may_enter(user, directory):
        return directory
    try:
        return _bound(directory, (directory, *besides))
    except OSError as error:
        closed = next((f for f in (*reversed(directory.parents), directory) if not _may_enter(user, f)), directory)
        raise Refused(
            f"the server runs as {user.pw_name}, who may not enter {closed}, and no mount of its own can be made here "
            f"({error.strerror}): open that folder, or run the agent as an ordinary user or where mounting is permitted"
        ) from error


def _bound(directory: Path, kept: tuple[Path, ...]) -> Path:
    """Show `directory` at a place that everybody may enter, to this process and its children only. Raises OSError."""
    # What lies below the place is hidden by the mount.
    free = (p for p in _PLACES if p.is_dir() and not any(path.resolve().is_relative_to(p.resolve()) for path in kept))
    place = next(free, None)
    if place is None:
        raise OSError(0, f"none of {', '.join(map(str, _PLACES))} is there, with nothing of this member's below it")
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(CLONE_NEWNS))
    _keep_mounts_to_ourselves(libc, place)
    _checked(libc.mount(os.fsencode(directory), os.fsencode(place), None, MS_BIND, None))
    return place


def _keep_mounts_to_ourselves(libc: ctypes.CDLL, folder: Path) -> None:
    """Let no mount of this namespace spread to others.

    That is said of the mount at the root. Within a chroot the root is an ordinary directory of a mount that has no path
    there: it is said from outside, at the end of all `..`, which this thread alone visits (chroot(2), Notes).
    """
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0:
        return
    working, root = os.open(".", os.O_PATH), os.open("/", os.O_PATH)
    try:
        os.chroot(folder)
        try:
            while not os.path.samefile(".", ".."):
                os.chdir("..")
            _checked(libc.mount(b"none", b".", None, MS_REC | MS_PRIVATE, None))
        finally:
            os.fchdir(root)
            os.chroot(".")
            os.fchdir(working)
    finally:
        os.close(working)
        os.close(root)


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _may_enter(user: pwd.struct_passwd, directory: Path) -> bool:
    """Whether a user may enter a folder and every one on the way, asked of the kernel as that user."""
    command = ["setpriv", *identity(user), "test", "-x", str(directory)]
    return subprocess.run(command, check=False, cwd="/").returncode == 0
