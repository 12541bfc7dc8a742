"""Why a keeper does not open its data."""


class Refused(Exception):
    """Something that must be true before data is opened is not. Nothing was written."""


class NotOurs(Refused):
    """The directory holds the data of another member."""


class Ended(Exception):
    """The database server ended by itself; the task ends with it, and Mesos is told."""
