"""Names that tie a member to its Mesos resources, tasks and directories (docs/design.md section 8, "Ids and labels").

Everything here round-trips: what is built from an identity can be parsed back into it, so that the ledger can be
rebuilt from Mesos alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LABEL_PREFIX = "statefuldb.dev/"
LABEL_CLUSTER = LABEL_PREFIX + "cluster"
LABEL_UID = LABEL_PREFIX + "uid"
LABEL_NAMESPACE = LABEL_PREFIX + "namespace"
LABEL_NAME = LABEL_PREFIX + "name"
LABEL_ORDINAL = LABEL_PREFIX + "ordinal"
LABEL_RESERVATION = LABEL_PREFIX + "reservation"
LABEL_LEDGER = LABEL_PREFIX + "ledger"
LABEL_DATABASE = LABEL_PREFIX + "database"
LABEL_MANAGED = LABEL_PREFIX + "managed"

ANNOTATION_RESTARTED_AT = LABEL_PREFIX + "restarted-at"
ANNOTATION_RELEASE = LABEL_PREFIX + "release"
ANNOTATION_SYNC = LABEL_PREFIX + "sync"
LABEL_SYNC = ANNOTATION_SYNC
FINALIZER = LABEL_PREFIX + "data-protection"
CONTAINER_PATH = "data"
FRAMEWORK_CONFIG_MAP = "statefuldb-framework"
OPERATOR_IDENTITY_SECRET = "statefuldb-operator-identity"
OPERATOR_LEASE = "statefuldb-operator"
WEBHOOK_SECRET = "statefuldb-webhook"

# What an entry of the ledger can hold: whatever says more was not written by us.
ORDINAL_MAX = 65_535
TEXT_MAX_LENGTH = 253

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ORDINAL = re.compile(r"[0-9]{1,5}")
_TASK_ID = re.compile(rf"sdb\.({_UUID})\.(\d+)\.(\d+)")
_OPERATION_ID = re.compile(rf"sdb\.({_UUID})\.(\d+)\.([^.]+)\.(\d+)-([A-Z_]+)")
_PERSISTENCE_ID = re.compile(rf"sdb\.({_UUID})\.({_UUID})\.([0-9]+)\.(0|[1-9][0-9]{{0,17}})")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DatabaseKey:
    """What the queue holds: which database to look at. It says nothing about what happened."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @staticmethod
    def of(database: Mapping[str, Any]) -> "DatabaseKey":
        """Return the key of a stored database."""
        metadata = database["metadata"]
        return DatabaseKey(namespace=metadata["namespace"], name=metadata["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class DataIdentity:
    """Whose data it is: written into the directory's marker and into Mesos labels at birth, never changed."""

    cluster: str
    uid: str
    ordinal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationLabels:
    """The labels of one RESERVE attempt. `reservation` is new for each attempt, so a doubled one never merges."""

    identity: DataIdentity
    namespace: str
    name: str
    reservation: str

    def as_pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the labels as key and value pairs, in the order in which they are sent."""
        return (
            (LABEL_CLUSTER, self.identity.cluster),
            (LABEL_UID, self.identity.uid),
            (LABEL_NAMESPACE, self.namespace),
            (LABEL_NAME, self.name),
            (LABEL_ORDINAL, str(self.identity.ordinal)),
            (LABEL_RESERVATION, self.reservation),
        )

    @staticmethod
    def parse(labels: Mapping[str, str]) -> "ReservationLabels | None":
        """Return what the labels say, or None where they are not a complete set of ours."""
        try:
            identity = _identity(labels[LABEL_CLUSTER], labels[LABEL_UID], labels[LABEL_ORDINAL])
            namespace, name, reservation = labels[LABEL_NAMESPACE], labels[LABEL_NAME], labels[LABEL_RESERVATION]
        except KeyError:
            return None
        if identity is None or len(reservation) > TEXT_MAX_LENGTH:
            return None
        return ReservationLabels(identity=identity, namespace=namespace, name=name, reservation=reservation)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskId:
    """One LAUNCH attempt of one member. Never used twice: a reused id can kill an agent (`adapters/mesos/guard.py`)."""

    uid: str
    ordinal: int
    incarnation: int

    def __str__(self) -> str:
        return f"sdb.{self.uid}.{self.ordinal}.{self.incarnation}"

    @staticmethod
    def parse(text: str) -> "TaskId | None":
        """Return the parts of a task id of ours, or None for any other."""
        match = _TASK_ID.fullmatch(text)
        if match is None:
            return None
        return TaskId(uid=match[1], ordinal=int(match[2]), incarnation=int(match[3]))


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationId:
    """One operation of one ACCEPT. An offer is accepted once at most, so the offer's id makes it unique."""

    uid: str
    ordinal: int
    offer: str
    position: int
    kind: str

    def __str__(self) -> str:
        return f"sdb.{self.uid}.{self.ordinal}.{self.offer}.{self.position}-{self.kind}"

    @staticmethod
    def parse(text: str) -> "OperationId | None":
        """Return the parts of an operation id of ours, or None for any other."""
        match = _OPERATION_ID.fullmatch(text)
        if match is None:
            return None
        return OperationId(uid=match[1], ordinal=int(match[2]), offer=match[3], position=int(match[4]), kind=match[5])


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistenceId:
    """The id of a persistent volume: unique for ever, since Mesos only checks it per agent and role."""

    identity: DataIdentity
    sequence: int

    def __str__(self) -> str:
        part = self.identity
        return f"sdb.{part.cluster}.{part.uid}.{part.ordinal}.{self.sequence}"

    @staticmethod
    def parse(text: str) -> "PersistenceId | None":
        """Return the parts of a persistence id of ours, or None for any other."""
        match = _PERSISTENCE_ID.fullmatch(text)
        identity = _identity(match[1], match[2], match[3]) if match is not None else None
        if match is None or identity is None:
            return None
        return PersistenceId(identity=identity, sequence=int(match[4]))


def _identity(cluster: str, uid: str, ordinal: str) -> DataIdentity | None:
    """Return whose data something is said to be, or None where no member has such an ordinal."""
    if not _ORDINAL.fullmatch(ordinal) or int(ordinal) > ORDINAL_MAX:
        return None
    return DataIdentity(cluster=cluster, uid=uid, ordinal=int(ordinal))


def connection_secret_name(database: str) -> str:
    """Return the name of the Secret that tells applications how to connect."""
    return f"{database}-connection"


def volume_record_name(database: str, ordinal: int, uid: str) -> str:
    """Return the name of a `DatabaseVolume`: readable, and distinct for each life of a database name."""
    return f"{database}-{ordinal}-{uid[:8]}"
