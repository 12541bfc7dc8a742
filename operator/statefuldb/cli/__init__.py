"""The command line: one file for each group of commands."""

from statefuldb.cli.root import main

__all__ = ["main"]
