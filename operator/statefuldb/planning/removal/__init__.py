"""The end of a database, and of data that is not wanted any more."""
