"""Why a keeper does not serve its data."""


class Refused(Exception):
    """Something is not as it must be: for the data to be opened at all, or for the server to start on it."""


class NotOurs(Refused):
    """The directory holds the data of another member."""


class Ended(Exception):
    """The database server ended by itself; the task ends with it, and Mesos is told."""
