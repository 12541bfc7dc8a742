"""What an agent shows of the files in its sandboxes, and in which words it refuses (files/files.cpp).

Links are followed within one sandbox only: a task may put a link to anything of the machine's into its own, and an
agent that runs as root would read it for whoever asks.
"""

import grp
import pwd
import stat
from pathlib import Path
from typing import Any

Json = dict[str, Any]
PAGE_BYTES = 64 * 1024
_LARGEST = 2**63 - 1
# <agent>/frameworks/<framework>/executors/<executor>/runs/<container>
_SANDBOX_DEPTH = 7


class NotShown(Exception):
    """A request that is refused; `status` is that of the answer, the text its body."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status


def within(slaves: Path, path: Path | None) -> Path:
    """Return a path with its links followed. `slaves` is the folder with all sandboxes of the agent.

    Raises NotShown where the path is of no sandbox, or does not stay within it.
    """
    if path is None or "\0" in str(path) or not path.is_relative_to(slaves) or not path.exists():
        raise NotShown(404)
    parts = path.relative_to(slaves).parts[:_SANDBOX_DEPTH]
    if len(parts) < _SANDBOX_DEPTH or ".." in parts:
        raise NotShown(404)
    followed = path.resolve()
    if not followed.is_relative_to(slaves.joinpath(*parts).resolve()):
        raise NotShown(400, f"'{path}' is inaccessible.\n")
    return followed


def page(path: Path, offset: str | None, length: str | None) -> Json:
    """Return a part of a file, 64 KiB at most; without an offset, or with -1, only its size. Raises NotShown."""
    first, wanted = _number("offset", offset), _number("length", length)
    if path.is_dir():
        raise NotShown(400, "Cannot read a directory.\n")
    if first < 0:
        return {"data": "", "offset": path.stat().st_size}
    with path.open("rb") as file:
        file.seek(first)
        text = file.read(PAGE_BYTES if wanted < 0 else min(wanted, PAGE_BYTES)).decode(errors="replace")
    return {"data": text, "offset": first}


def listing(path: Path, shown_as: str) -> list[Json]:
    """Return what is in a directory, which the answer calls `shown_as`. A file holds nothing."""
    entries = sorted(path.iterdir()) if path.is_dir() else []
    # A link that leads nowhere is left out.
    return [_entry(entry, f"{shown_as.rstrip('/')}/{entry.name}") for entry in entries if entry.exists()]


def _entry(entry: Path, name: str) -> Json:
    found = entry.stat()
    return {
        "path": name,
        "size": found.st_size,
        "mode": stat.filemode(found.st_mode),
        "nlink": found.st_nlink,
        "mtime": int(found.st_mtime),
        "uid": _name_of_user(found.st_uid),
        "gid": _name_of_group(found.st_gid),
    }


def _number(name: str, text: str | None) -> int:
    if text is None:
        return -1
    try:
        number = int(text)
    except ValueError:
        number = _LARGEST + 1
    if abs(number) > _LARGEST:
        raise NotShown(400, f"Failed to parse {name}: Failed to convert '{text}' to number.\n")
    if number < -1:
        raise NotShown(400, f"Negative {name} provided: {number}.\n")
    return number


def _name_of_user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _name_of_group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
