"""What our objects belong to: by which the caches find and count them."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.volume import VolumeRecord

Json = dict[str, Any]


def database_groups(database: Json) -> list[tuple[str, DatabaseKey | str]]:
    """Return the groups of a database: its key, its uid, and its namespace."""
    key = DatabaseKey.of(database)
    return [("of", key), ("uid", database["metadata"].get("uid", "")), within(key.namespace)]


def volume_groups(entry: VolumeRecord | DamagedEntry) -> list[tuple[str, DatabaseKey | str]]:
    """Return the groups of a ledger entry: its database, its data, the database it began for, and its namespace.

    Its data it is found by as Mesos knows it and as its owner does: by the uid that it began with and by the owner's.

    One that cannot be read is in a group of its own kind, of each database that it may be about.
    """
    if isinstance(entry, DamagedEntry):
        data = [("data", entry.identity.uid)] if entry.identity is not None else []
        about = [("damaged", key) for key in {entry.key, entry.born} if key.name]
        return [*data, *about, within(entry.key.namespace)]
    born = replace(entry.key, name=entry.first_name)
    uids = dict.fromkeys((entry.identity.uid, entry.owner_uid))
    return [("of", entry.key), *(("data", uid) for uid in uids), ("born", born), within(entry.key.namespace)]


def within(namespace: str) -> tuple[str, str]:
    """Return the group of all that is in a namespace."""
    return "in", namespace


def keys_among(groups: Iterable[Hashable]) -> Iterator[DatabaseKey]:
    """Yield the databases that groups are about."""
    return (
        member for group in groups if isinstance(group, tuple) for member in group if isinstance(member, DatabaseKey)
    )


def entries_among(groups: Iterable[Hashable]) -> set[DatabaseKey]:
    """Return the databases whose entries, and nothing else, groups are of."""
    return {group[1] for group in groups if isinstance(group, tuple) and group[0] == "of"}


def conditions_of(database: Json) -> list[tuple[str, str]]:
    """Return each condition of a stored database with its status."""
    held = (database.get("status") or {}).get("conditions") or []
    return [_pair(condition["type"], condition["status"]) for condition in held]


@cache
def _pair(kind: str, status: str) -> tuple[str, str]:
    """Return one and the same pair for the same words: thousands of databases have the same few."""
    return kind, status
