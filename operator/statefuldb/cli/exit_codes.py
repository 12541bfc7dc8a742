"""Exit codes that scripts can use."""

from enum import IntEnum
from http import HTTPStatus


class ExitCode(IntEnum):
    """What the command's end means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    TIMED_OUT = 5
    CANNOT_CONNECT = 6


def code_of(status: int) -> ExitCode:
    """Return the exit code for an API server's HTTP status that is no success; 0 stands for no answer."""
    if status == HTTPStatus.NOT_FOUND:
        return ExitCode.NOT_FOUND
    if status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ExitCode.CANNOT_CONNECT
    return ExitCode.REFUSED
