"""Why a keeper does not serve its data."""

import os
import pwd
from collections.abc import Mapping


class Refused(Exception):
    """Something is not as it must be: for the data to be opened at all, or for the server to start on it."""


class NotOurs(Refused):
    """The directory holds the data of another member."""


class OpenedBefore(Refused):
    """A launch that may not be over has opened the data: of this `number`.

    `opened_by` is its ledger entry, in JSON, empty if unknown.
    """

    def __init__(self, reason: str, *, opened_by: str, number: int) -> None:
        super().__init__(reason)
        self.opened_by, self.number = opened_by, number


class MadeOtherwise(Refused):
    """The data was made with other options than are asked for: with these, where the server has them at all."""

    def __init__(self, reason: str, *, made_with: Mapping[str, str]) -> None:
        super().__init__(reason)
        self.made_with = made_with


class CannotListen(Exception):
    """The keeper's own address is not to be had, so that it can tell nobody."""


class Ended(Exception):
    """The database server ended by itself; the task ends with it, and Mesos is told."""


def in_words(error: OSError) -> str:
    """Return an error of the operating system with the path it is about, and who met it."""
    number = os.geteuid()
    try:
        user = pwd.getpwuid(number).pw_name
    except KeyError:
        user = f"user {number}"
    return f"{error.filename or 'the data'}: {error.strerror or error} (the keeper runs as {user})"
