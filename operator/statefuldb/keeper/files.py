"""Small durable files: written whole, synced, and visible under their name only when complete."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

LOG_LIMIT_BYTES = 16 * 1024 * 1024


def write_durably(path: Path, content: str, mode: int = 0o600) -> None:
    """Replace `path` by `content`, synced with its directory: after a crash it is there whole, or the old one is."""
    try:
        _replace(path, content, mode)
    except OSError as error:
        # What cannot be written to a file that is open does not say which: a full disk may be any.
        error.filename = error.filename or str(path)
        raise


def _replace(path: Path, content: str, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.new")
    # Left by a crash, or a link that somebody put there: it would lead to another file.
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w") as file:
        # Whatever the umask, that is who may read it.
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exists(path: Path) -> bool:
    """Say whether something is there, a link to nowhere too. Raises OSError where that is not to be seen.

    `os.path.lexists` says no then, and so does `Path.exists` from Python 3.14 on.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def unread(error: OSError) -> NoReturn:
    """Raise what a walk through folders would pass over in silence, as if there were nothing in one of them."""
    raise error


def sync_tree(root: Path) -> None:
    """Make everything below a directory durable, and itself. Follows no link, and waits for no pipe."""
    for _, _, names, folder in os.fwalk(root, onerror=unread):
        for name in names:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        os.fsync(folder)


def rotate(log: Path, limit_bytes: int = LOG_LIMIT_BYTES) -> None:
    """Keep a log that its writer holds open, in append mode, from growing for ever: the older part goes to `.1`.

    The file is emptied in place; what is written in that very moment may be lost, and so is the older part where there
    is no room for it. A log that somebody removed, or that cannot be emptied, is no reason to end what writes it.
    """
    with suppress(OSError):
        if log.stat().st_size > limit_bytes:
            older = log.with_name(f"{log.name}.1")
            try:
                shutil.copyfile(log, older)
            except OSError:
                older.unlink(missing_ok=True)
            os.truncate(log, 0)


def read_number(path: Path) -> int:
    """Return the number in a file, 0 where there is no file. Raises ValueError where it holds none."""
    try:
        return int(path.read_text())
    except FileNotFoundError:
        return 0
    except ValueError as error:
        raise ValueError(f"{path} holds no number") from error


def read_json(path: Path) -> Any:
    """Return the JSON in a file, or None where there is no file. Raises ValueError where it is not JSON."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
