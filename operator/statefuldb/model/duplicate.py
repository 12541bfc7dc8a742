"""Entries of the ledger that are not the only ones of their data: one of them is a copy.

A restore into another namespace, or `kubectl get`, an edit and `kubectl create`, makes a second entry of the same data.
Data has one entry that acts; whoever acts on a second stops, or destroys, what the first has in use.
"""

from dataclasses import dataclass

from statefuldb.model.identity import DatabaseKey, DataIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEntry:
    """Another entry of the same data. `name` is empty where the ledger lacks it, but the data's database is there.

    `in_use` says that a database which is there has the data in use through it.
    """

    key: DatabaseKey
    name: str
    in_use: bool = False

    def __str__(self) -> str:
        return f"{self.key.namespace}/{self.name}" if self.name else f"that of database {self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateEntry:
    """An entry beside which there are `others` of the same data; `left_alone`, unless its own database uses it."""

    name: str
    key: DatabaseKey
    identity: DataIdentity
    others: tuple[OtherEntry, ...]
    left_alone: bool = True
