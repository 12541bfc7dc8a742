"""What was seen: a frozen snapshot of one database in Kubernetes, Mesos and its keepers, taken at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.duplicate import DuplicateEntry
from statefuldb.model.identity import DatabaseKey, DataIdentity, OperationId, TaskId
from statefuldb.model.keeper import KeeperPhase, KeeperStatus
from statefuldb.model.profile import StorageProfile
from statefuldb.model.resources import AgentOffer, Unavailability
from statefuldb.model.volume import VolumeRecord


class TaskState(StrEnum):
    """Mesos task states (`mesos.proto`, PARTITION_AWARE)."""

    STAGING = "TASK_STAGING"
    STARTING = "TASK_STARTING"
    RUNNING = "TASK_RUNNING"
    KILLING = "TASK_KILLING"
    FINISHED = "TASK_FINISHED"
    FAILED = "TASK_FAILED"
    KILLED = "TASK_KILLED"
    ERROR = "TASK_ERROR"
    DROPPED = "TASK_DROPPED"
    GONE = "TASK_GONE"
    LOST = "TASK_LOST"
    UNREACHABLE = "TASK_UNREACHABLE"
    UNKNOWN = "TASK_UNKNOWN"
    GONE_BY_OPERATOR = "TASK_GONE_BY_OPERATOR"

    @property
    def alive(self) -> bool:
        """Whether the agent says that the task exists."""
        return self in _ALIVE

    @property
    def over(self) -> bool:
        """Whether the task provably writes no more (docs/mesos.md, What a task's state permits).

        Unreachable, lost, unknown and gone-by-operator are no proof: law `one_writer`.
        """
        return self in _OVER

    @property
    def agent_away(self) -> bool:
        """Whether the master says that the task's agent is not there, or that it knows none such."""
        return self in _AGENT_AWAY


_ALIVE = frozenset({TaskState.STAGING, TaskState.STARTING, TaskState.RUNNING, TaskState.KILLING})
_AGENT_AWAY = frozenset({TaskState.UNREACHABLE, TaskState.UNKNOWN})
_OVER = frozenset(
    {
        TaskState.FINISHED,
        TaskState.FAILED,
        TaskState.KILLED,
        TaskState.ERROR,
        TaskState.DROPPED,
        TaskState.GONE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """The latest that Mesos said of one task. `uuid` is set where it must still be acknowledged.

    `owed_since_seconds` is set where it was said to an earlier subscription, and since when an answer is owed.
    `settling` says that an earlier framework of ours launched it, that its agent is registered, and that nothing proves
    yet that the agent has ended it. `unreachable_at_seconds` is when its master lost the agent, by that one's clock.
    """

    id: TaskId
    state: TaskState
    agent_id: str | None
    reason: str = ""
    message: str = ""
    uuid: str | None = None
    seen_at_seconds: float = 0.0
    owed_since_seconds: float | None = None
    settling: bool = False
    unreachable_at_seconds: float | None = None

    @property
    def lost_at_seconds(self) -> float:
        """Which loss of its agent a status in an undecided state tells of: no two have the same number.

        Any master gives the same one, whoever asks; where it says none, it is when this operator was told. It is
        compared with itself only, and never with a clock.
        """
        return self.seen_at_seconds if self.unreachable_at_seconds is None else self.unreachable_at_seconds


class OperationState(StrEnum):
    """States of an operation (`mesos.proto`)."""

    PENDING = "OPERATION_PENDING"
    FINISHED = "OPERATION_FINISHED"
    FAILED = "OPERATION_FAILED"
    ERROR = "OPERATION_ERROR"
    DROPPED = "OPERATION_DROPPED"
    UNREACHABLE = "OPERATION_UNREACHABLE"
    RECOVERING = "OPERATION_RECOVERING"
    UNKNOWN = "OPERATION_UNKNOWN"
    GONE_BY_OPERATOR = "OPERATION_GONE_BY_OPERATOR"

    @property
    def failed(self) -> bool:
        """Whether the operation had no effect and never will."""
        return self in (OperationState.FAILED, OperationState.ERROR, OperationState.DROPPED)

    @property
    def open(self) -> bool:
        """Whether Mesos will have more to say of it."""
        return self in (OperationState.PENDING, OperationState.UNREACHABLE, OperationState.RECOVERING)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStatus:
    """The latest that Mesos said of one operation. `uuid` is set where it must still be acknowledged."""

    id: OperationId
    state: OperationState
    agent_id: str | None
    message: str = ""
    uuid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperView:
    """The latest answer of a keeper, or why there is none; `seen_at_seconds` is 0 before its first to this operator."""

    task_id: TaskId
    status: KeeperStatus | None
    error: str = ""
    seen_at_seconds: float = 0.0

    @classmethod
    def silent(cls, task_id: TaskId, error: str, before: "KeeperView | None") -> "KeeperView":
        """Return the view of a keeper that does not answer, after the view `before`.

        One that refused ends by itself a few seconds later: its silence takes nothing back.
        """
        seen = before.seen_at_seconds if before is not None else 0.0
        said = before.status if before is not None else None
        last = said if said is not None and said.phase is KeeperPhase.REFUSED else None
        return cls(task_id=task_id, status=last, error=error, seen_at_seconds=seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTask:
    """A task of somebody else that uses what is reserved for a member of ours, and its agent's host name."""

    task_id: str
    framework_id: str
    framework_name: str
    hostname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What the master says of a member's resources while they are not offered.

    `volume_on` are the hosts of registered agents that hold its volume, `hosts` those of all registered agents,
    `agent_ids` the ids of these, and `set_aside` the hosts of agents that a person has drained or deactivated.
    `offered_to` names the other frameworks that hold an offer with its resources in it, by name and id.
    """

    identity: DataIdentity
    hosts: frozenset[str]
    volume_on: frozenset[str]
    agent_ids: frozenset[str] = frozenset()
    used_by: tuple[ForeignTask, ...] = ()
    set_aside: frozenset[str] = frozenset()
    offered_to: tuple[str, ...] = ()


NOT_SUBSCRIBED_YET = "not subscribed yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class MesosView:
    """The framework's connection, and who we are there. `fatal`: it ended by an ERROR and is not tried again."""

    connected: bool
    framework_id: str | None
    role: str
    principal: str | None
    error: str = ""
    fatal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseObject:
    """A `StatefulDatabase` as stored. `restarted_at` is the annotation that asks for a restart, or empty.

    `created_at_seconds` is when it was created, in Unix seconds.
    """

    key: DatabaseKey
    uid: str
    generation: int
    resource_version: str
    deleting: bool
    finalizers: tuple[str, ...]
    spec: Mapping[str, object]
    status: Mapping[str, object]
    restarted_at: str = ""
    created_at_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretView:
    """What matters of the connection Secret: its revision and its public keys; never the password.

    `coherent`: there is a password, and `uri` says what the other keys do.
    """

    revision: str
    username: str
    database: str
    host: str
    port: str
    coherent: bool = True


Offers = tuple[AgentOffer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One database, as seen at `at_seconds` (Unix time).

    `found` are the ledger entries that tasks of this database name carry in their labels. `reserved` is what all agents
    hold for us, looked up while the database has no data in the ledger yet and while data is given back, or what became
    of a first attempt went unheard; None where it could not be. `operations` are the statuses of each member's last
    ACCEPT, on agents that tell: offers, not these, say what there is.
    `maintenance` says of agents, by id, when they are announced to be away. `sightings` are looked up for members whose
    own resources have been waited for. `adopted_away` is data that began under this name and was adopted for a database
    of another; `damaged` are entries that cannot be read, of this name or of data that began under it; `duplicates` are
    those of this name that are not the only ones of their data: `volumes` lacks those that are to be left alone.
    `profiles` are those that bound the database's namespace.
    """

    key: DatabaseKey
    at_seconds: float
    database: DatabaseObject | None
    volumes: tuple[VolumeRecord, ...]
    tasks: Mapping[TaskId, TaskStatus]
    keepers: Mapping[TaskId, KeeperView]
    mesos: MesosView
    secret: SecretView | None
    found: tuple[VolumeRecord, ...] = ()
    reserved: Offers | None = ()
    operations: tuple[OperationStatus, ...] = ()
    maintenance: Mapping[str, Unavailability] = field(default_factory=dict)
    sightings: tuple[Sighting, ...] = ()
    adopted_away: tuple[DataIdentity, ...] = ()
    damaged: tuple[DamagedEntry, ...] = ()
    duplicates: tuple[DuplicateEntry, ...] = ()
    profiles: tuple[StorageProfile, ...] = ()
    crd_terminating: bool = False
    namespace_terminating: bool = False
    namespace_exists: bool = True
