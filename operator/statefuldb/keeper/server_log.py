"""What a server's output says of its end."""

from pathlib import Path

_READ_MAX_BYTES = 2**20
_MARK = "[ERROR] "


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
