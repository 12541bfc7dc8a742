"""Entries of the ledger that a person, a tool or a fault has damaged: what can still be known of them.

Such an entry stands for data all the same. Whoever cannot read it must neither act on a guess nor act as if it were not
there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statefuldb.model.identity import LABEL_DATABASE, ORDINAL_MAX, DatabaseKey, DataIdentity, volume_record_name
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import Damaged, from_object

PROBLEM_MAX_LENGTH = 512
_NAME = re.compile(r"(?P<database>.+)-(?P<ordinal>\d{1,5})-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedEntry:
    """An entry that is none as it is stored. `problem` names each field that is wrong, with what it must be.

    `key` is the database that it says it is of, as far as it says that, and `born` the one that its name began with; a
    key without a name is of no database. `identity` and `ordinal` are None where they cannot be read.
    """

    name: str
    key: DatabaseKey
    born: DatabaseKey
    problem: str
    identity: DataIdentity | None = None
    ordinal: int | None = None

    def is_of(self, identity: DataIdentity) -> bool:
        """Say whether this may be the entry of some data: an entry's name tells, too."""
        return self.identity == identity or self.name.endswith(volume_record_name("", identity.ordinal, identity.uid))


def read_entry(stored: Mapping[str, Any]) -> VolumeRecord | DamagedEntry:
    """Return the record in a stored `DatabaseVolume`, or what is left of it."""
    try:
        return from_object(stored)
    except Damaged as damage:
        return _salvaged(stored, str(damage))


def _salvaged(stored: Mapping[str, Any], problem: str) -> DamagedEntry:
    metadata, spec = stored["metadata"], _section(stored, "spec")
    identity = _identity(_section(spec, "identity"))
    name = _NAME.fullmatch(metadata["name"])
    born = name["database"] if name is not None else ""
    said = _section(spec, "database").get("name") or _section(metadata, "labels").get(LABEL_DATABASE)
    number = _section(spec, "identity").get("ordinal")
    if not _is_ordinal(number):
        number = int(name["ordinal"]) if name is not None else None
    return DamagedEntry(
        name=metadata["name"],
        key=DatabaseKey(namespace=metadata["namespace"], name=said if isinstance(said, str) else born),
        born=DatabaseKey(namespace=metadata["namespace"], name=born),
        problem=problem[:PROBLEM_MAX_LENGTH],
        identity=identity,
        ordinal=number,
    )


def _identity(held: Mapping[str, Any]) -> DataIdentity | None:
    cluster, uid, ordinal = held.get("cluster"), held.get("uid"), held.get("ordinal")
    if not (isinstance(cluster, str) and isinstance(uid, str) and isinstance(ordinal, int) and _is_ordinal(ordinal)):
        return None
    return DataIdentity(cluster=cluster, uid=uid, ordinal=ordinal)


def _is_ordinal(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= ORDINAL_MAX


def _section(held: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = held.get(name)
    return found if isinstance(found, Mapping) else {}
