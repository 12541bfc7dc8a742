"""Everything the operator can do, as one closed union. An action carries every id: execution chooses nothing."""

from dataclasses import dataclass

from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.operations import Operation
from statefuldb.model.spec import DfsSpec, RiskClass
from statefuldb.model.volume import AgentRef, VolumeRecord


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
    """Create the connection Secret if absent (generating the password), and keep its public part current.

    `revision` is that of the Secret which was found wanting, empty where there was none: no other one is touched.
    """

    name: str
    key: DatabaseKey
    username: str
    database: str
    host: str
    port: int
    revision: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceAgent:
    """Cut a lost agent off from a shared file system, by the command that the operator was given for it."""

    key: DatabaseKey
    task_id: TaskId
    agent: AgentRef
    dfs: DfsSpec
    risk: RiskClass = RiskClass.FAILOVER


Action = (
    AddFinalizer
    | RemoveFinalizer
    | SaveVolume
    | ForgetVolume
    | AcceptOffers
    | KillTask
    | FenceAgent
    | EnsureSecret
    | DeleteSecret
    | SendCredentials
)
