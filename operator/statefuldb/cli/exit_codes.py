"""Exit codes that scripts can use."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the command's end means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    TIMED_OUT = 5
    CANNOT_CONNECT = 6
