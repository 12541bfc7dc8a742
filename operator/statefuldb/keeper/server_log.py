"""What a server's output and status say of its end."""

import errno
import re
import signal
from pathlib import Path

_READ_MAX_BYTES = 2**20
_MARK = "[ERROR] "
# As InnoDB, mysys and Aria put it (errno 28, 122).
_NO_SPACE = re.compile(r"[Ee]rror 28\b|Errcode: 28\b|No space left on device")
_OVER_QUOTA = re.compile(r"error number 122\b|Errcode: 122\b|Disk quota exceeded")


def lack_of_space(said: str) -> int:
    """Return the number of the error by which a server was not given space, by its own words; 0 where it was none."""
    if _OVER_QUOTA.search(said):
        return errno.EDQUOT
    return errno.ENOSPC if _NO_SPACE.search(said) else 0


def how(code: int) -> str:
    """Return in words with what a process ended."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"


def first_error(output: str) -> str:
    """Return the first line that names an error, else the first of all: the rest follows from it."""
    lines = output.strip().splitlines()
    return next((line for line in lines if "ERROR" in line), lines[0] if lines else "")


def error_since(log: Path, offset: int) -> str:
    """Return the first error that the server logged after `offset`, without its time; empty where it logged none."""
    with log.open("rb") as opened:
        opened.seek(offset)
        written = opened.read(_READ_MAX_BYTES).decode(errors="replace")
    return next((line.split(_MARK, 1)[1] for line in written.splitlines() if _MARK in line), "")
