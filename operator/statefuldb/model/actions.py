"""Everything the operator can do, as one closed union. An action carries every id: execution chooses nothing."""

from dataclasses import dataclass

from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.keeper import KeeperConfig
from statefuldb.model.resources import Resource
from statefuldb.model.spec import RiskClass
from statefuldb.model.volume import AgentRef, VolumeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """RESERVE: `resources` already carry the new reservation."""

    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreserve:
    """UNRESERVE exactly these resources."""

    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """CREATE one persistent volume."""

    volume: Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy:
    """DESTROY one persistent volume, and the data on it."""

    volume: Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchTask:
    """LAUNCH one keeper on `resources`.

    `ledger` is the entry in JSON; it travels as a label of the task, so that a running task can always be told whose
    it is, with the whole ledger gone.
    """

    task_id: TaskId
    name: str
    agent_id: str
    resources: tuple[Resource, ...]
    keeper: KeeperConfig
    grace_seconds: int
    ledger: str


Operation = Reserve | Unreserve | Create | Destroy | LaunchTask


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFinalizer:
    """Make deletion wait for us."""

    key: DatabaseKey


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFinalizer:
    """Let a deleted database go: its data is in the ledger."""

    key: DatabaseKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveVolume:
    """Write one ledger entry, before the effect that it announces."""

    volume: VolumeRecord
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetVolume:
    """Remove a ledger entry whose data and reservation are gone."""

    volume: VolumeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptOffers:
    """One ACCEPT on one agent."""

    agent: AgentRef
    offer_ids: tuple[str, ...]
    operations: tuple[Operation, ...]
    what: str
    ordinal: int
    risk: RiskClass = RiskClass.NON_DISRUPTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class KillTask:
    """Stop a member cleanly."""

    task_id: TaskId
    agent_id: str | None
    grace_seconds: int
    why: str
    risk: RiskClass


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureSecret:
    """Create the connection Secret if absent (generating the password), and keep its public part current."""

    name: str
    key: DatabaseKey
    username: str
    database: str
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSecret:
    """Remove the connection Secret of a database whose data was deleted on request."""

    name: str
    key: DatabaseKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCredentials:
    """Give a keeper the application account, over mutual TLS."""

    task_id: TaskId
    secret_name: str
    key: DatabaseKey
    revision: str


Action = (
    AddFinalizer
    | RemoveFinalizer
    | SaveVolume
    | ForgetVolume
    | AcceptOffers
    | KillTask
    | EnsureSecret
    | DeleteSecret
    | SendCredentials
)
