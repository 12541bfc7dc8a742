"""The ledger: one record for each reservation with its volume, or directory (kind `DatabaseVolume`).

A record is written before the effect it announces, so that any crash leaves the record ahead of the world, never
behind it. Identity is fixed at birth; the owner may change by re-adoption.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from statefuldb.model.identity import DatabaseKey, DataIdentity, TaskId, volume_record_name
from statefuldb.model.spec import DfsSpec, DiskType, EngineType, Strategy

# What Mesos or a keeper says is kept up to here: the API refuses an object that is too large, and then nothing is kept.
MESSAGE_MAX_LENGTH = 4096
# Of an entry that was lost and is found again nobody knows the incarnations: they go on from the time, in Unix seconds.
FOUND_AGAIN_FROM = 1_000_000_000


def kept(message: str) -> str:
    """Return as much of a message as the ledger keeps."""
    return message[:MESSAGE_MAX_LENGTH]


class Intent(StrEnum):
    """What is to become of a member's data."""

    USE = "Use"
    RETAIN = "Retain"
    DELETE = "Delete"


class VolumePhase(StrEnum):
    """How far the operator is with it (`spec.phase` of a `DatabaseVolume`)."""

    PENDING = "Pending"
    IN_USE = "InUse"
    RETAINED = "Retained"
    RELEASING = "Releasing"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRef:
    """An agent: its id now, and its host name, which outlives the id; the id again where nobody knows the name."""

    id: str
    hostname: str
    address: str = ""

    @property
    def named(self) -> bool:
        """Whether its host is known."""
        return self.hostname != self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One LAUNCH attempt as it was recorded before the ACCEPT left.

    `template` digests what it was launched with, `restarted_at` is the request for a restart that it answered, `erase`
    says that it empties the directory instead of serving, `leaves_surplus` that more was reserved than it uses, and
    `short` that it got what the launch before it had, for want of room for what is wanted.
    `refusal` is why its keeper would not open the data: Mesos passes on only an exit status.
    `framework_id` is the framework that launched it: to any other, Mesos does not answer for it.
    """

    incarnation: int
    agent: AgentRef
    template: str
    cpus_milli: int
    memory_bytes: int
    port: int
    keeper_port: int
    erase: bool = False
    leaves_surplus: bool = False
    short: bool = False
    restarted_at: str = ""
    refusal: str = ""
    framework_id: str = ""
    at_seconds: float = 0.0

    def by_another(self, framework_id: str | None) -> bool:
        """Whether another framework than `framework_id` launched it; False where that was not recorded."""
        return self.framework_id not in ("", framework_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Proof that a launch is over: the terminal state that the agent reported, recorded before it is acknowledged."""

    incarnation: int
    state: str
    reason: str = ""
    message: str = ""
    at_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fencing:
    """Recorded proof that an incarnation can write no more: a person's word, or the fence command's success.

    docs/design.md section 8, "Fencing on DFS", (b) and (c). `lost_at_seconds` is the loss of the agent that it is about
    (`TaskStatus.lost_at_seconds`): fenced agents are let in again, and what they run is fenced anew when they are lost
    anew. None until the operator notes it: a person's word came after the loss that was shown to them.
    """

    incarnation: int
    by: str
    lost_at_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """Launches that may have been made, and that the ledger knows nothing of: numbered above `after`, up to `until`.

    The API was restored from a backup, or the entry was lost and found again. On a shared file system one of them may
    hold the data, wherever the next one runs. `by_hand`: one of them has opened it, and says nothing of itself or
    cannot be told from launches of ours; a person says when it is over, as the keeper asks.
    """

    after: int
    until: int
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How often Mesos was asked to grow a volume to `size_bytes`, under the request for a restart in force then.

    It is there from the first launch that did not reach that size, however often Mesos was asked until then.
    """

    size_bytes: int
    restarted_at: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeDisk:
    """The disk that a volume lies on, which is not offered while it is used: only more of the same makes it larger.

    `root` is the directory of a Path or Mount disk, `static_role` the role that the agent's configuration has set this
    part of the disk aside for, empty where it is for any.
    """

    type: DiskType
    root: str | None = None
    static_role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivingBack:
    """How often in a row it was asked to give back what is held for a member, when last, and what Mesos said to it."""

    attempts: int
    at_seconds: float = 0.0
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRecord:
    """One ledger entry. `resource_version` is that of the stored object, empty before it is first stored.

    `elsewhere` are hosts where earlier attempts, before there was data, may have left reservations; `superseded` those
    where such an attempt left a volume. `made_with` are the options that the data was made with, None where that is not
    known. `released_by_framework` asked for what is held to be given back, at `released_at_seconds`: what agents say to
    that is told to no other. `disk` is None where no launch has noted it yet.
    """

    name: str
    key: DatabaseKey
    owner_uid: str
    identity: DataIdentity
    engine: EngineType
    engine_version: str
    strategy: Strategy
    size_bytes: int
    mesos_role: str
    intent: Intent = Intent.USE
    agent: AgentRef | None = None
    persistence_id: str | None = None
    directory: str | None = None
    root: str | None = None
    dfs: DfsSpec | None = None
    reservations: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    incarnation: int = 0
    launch: Launch | None = None
    ending: Ending | None = None
    fencing: Fencing | None = None
    disk: VolumeDisk | None = None
    growth: Growth | None = None
    unheard: Unheard | None = None
    made_with: Mapping[str, str] | None = field(default=None, hash=False)
    giving_back: GivingBack | None = None
    initialised: bool = False
    token: int = 0
    failures: int = 0
    resource_version: str = ""
    phase: VolumePhase = VolumePhase.PENDING
    released_at_seconds: float = 0.0
    released_by_framework: str = ""

    @property
    def task_id(self) -> TaskId | None:
        """The id of the last launch attempt, or None before the first."""
        if self.launch is None:
            return None
        return TaskId(
            uid=self.identity.uid,
            ordinal=self.identity.ordinal,
            incarnation=self.launch.incarnation,
        )

    @property
    def fenced(self) -> Fencing | None:
        """The proof of fencing that is about the last launch attempt, if there is one."""
        fencing, launched = self.fencing, self.launch
        about_it = fencing is not None and launched is not None and fencing.incarnation == launched.incarnation
        return fencing if about_it else None

    @property
    def member(self) -> str:
        """The name of the member whose data it is, as people read it."""
        return f"{self.key.name}-{self.identity.ordinal}"

    @property
    def bound(self) -> bool:
        """Whether there is data, and only one agent has it."""
        return self.initialised and self.strategy is not Strategy.DFS

    @property
    def first_name(self) -> str:
        """The name of the database that the data began with: its schema and account bear it for good."""
        suffix = volume_record_name("", self.identity.ordinal, self.identity.uid)
        return self.name.removesuffix(suffix) if self.name.endswith(suffix) else self.key.name

    @property
    def restarts(self) -> int:
        """How often it was launched again; 0 where nobody knows, after the entry was lost and found again by labels."""
        return 0 if self.incarnation >= FOUND_AGAIN_FROM else max(0, self.incarnation - 1)

    @property
    def ended(self) -> bool:
        """Whether the last launch attempt is proved to be over."""
        return self.launch is None or (self.ending is not None and self.ending.incarnation == self.launch.incarnation)
