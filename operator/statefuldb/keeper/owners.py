"""Who owns what: the server's user its data and its socket, whoever the keeper runs as all else.

A keeper may run as root. What the user of all servers on an agent owns may become a link at any moment, and lead root
to other files than it means: so a descriptor is used there, or no link is followed.
"""

import os
import pwd
from contextlib import suppress
from pathlib import Path

from statefuldb.keeper.files import unread
from statefuldb.keeper.refusal import Refused

SERVICE_USER = "mysql"


def service_user() -> pwd.struct_passwd | None:
    """Return whom the server runs as, or None where the keeper is no root and the server runs as the keeper does."""
    if os.geteuid() != 0:
        return None
    user = _servers_user()
    if user is None:
        raise Refused(f"the server must not run as root and there is no user {SERVICE_USER} on this agent")
    return user


def own_name() -> str:
    """Return the name of the user that the keeper runs as. Raises Refused where it has only a number."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError as error:
        raise Refused(
            f"user {number}, as whom the keeper runs, has no name on this agent, and by its name the server lets it "
            "in; give it one there (useradd), or run it as a user who has one (--framework-user)"
        ) from error


def identity(user: pwd.struct_passwd) -> tuple[str, ...]:
    """Return the arguments by which `setpriv` makes of a command one of the user's."""
    return ("--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups")


def give(path: Path, user: pwd.struct_passwd | None) -> None:
    """Give a file or folder to the server's user, where that is another one than the keeper's."""
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def give_tree(root: Path, user: pwd.struct_passwd | None) -> None:
    """Give the data to the server's user where it is not yet: a directory is moved between users only once."""
    if user is None or root.lstat().st_uid == user.pw_uid:
        return
    for _, folders, files, folder in os.fwalk(root, onerror=unread):
        for name in (*folders, *files):
            os.chown(name, user.pw_uid, user.pw_gid, dir_fd=folder, follow_symlinks=False)
    give(root, user)


def keep(folder: Path, mode: int) -> None:
    """Have a folder be the keeper's own where it runs as root: an earlier keeper may have run as the server's user."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.geteuid() == 0 and os.fstat(descriptor).st_uid != 0:
            # A file server that takes root for another user lets nothing be root's.
            with suppress(PermissionError):
                os.fchown(descriptor, 0, -1)
        os.fchmod(descriptor, mode)
    except OSError as error:
        error.filename = str(folder)
        raise
    finally:
        os.close(descriptor)


def is_the_servers(folder: Path) -> bool:
    """Say whether a folder is there and belongs to the server's user, and the keeper runs as root."""
    user = _servers_user() if os.geteuid() == 0 else None
    return user is not None and folder.exists() and folder.stat().st_uid == user.pw_uid


def refuse_below_the_servers(path: Path) -> None:
    """Raise Refused where a folder, or one on the way to it, is the server's user's: nothing is begun there.

    What lies there already is served: it may have been begun before that was looked at.
    """
    theirs = next((folder for folder in (path, *path.parents) if is_the_servers(folder)), None)
    if theirs is not None:
        raise Refused(
            f"{theirs} belongs to {SERVICE_USER}, as whom the servers run: one that is taken over could put a link in "
            f"it that leads the keeper, which is root, to other files; give it to root (chown root {theirs}), and let "
            f"no file server take root for {SERVICE_USER}"
        )


def _servers_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return None
