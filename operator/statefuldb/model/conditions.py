"""What the operator says: conditions, the reasons of waiting and of Events. All lists are closed.

docs/troubleshooting.md has one entry for each reason; a test keeps the two in step.
"""

from dataclasses import dataclass
from enum import StrEnum


class ConditionType(StrEnum):
    """Types of `status.conditions`, readable by kstatus and `kubectl wait`."""

    ACCEPTED = "Accepted"
    PLACED = "Placed"
    STORAGE_READY = "StorageReady"
    AVAILABLE = "Available"
    READY = "Ready"
    PROGRESSING = "Progressing"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    DEGRADED = "Degraded"
    DATA_AT_RISK = "DataAtRisk"
    MESOS_CONNECTED = "MesosConnected"


class Reason(StrEnum):
    """Why a condition has its status, or why a member waits."""

    # Accepted
    VALID = "Valid"
    INVALID_SPEC = "InvalidSpec"
    NOT_SUPPORTED_YET = "NotSupportedYet"
    FORBIDDEN_BY_PROFILE = "ForbiddenByProfile"
    # Ready, Available, Progressing
    ALL_MEMBERS_READY = "AllMembersReady"
    STOPPED_AS_ASKED = "StoppedAsAsked"
    RECONCILING = "Reconciling"
    SETTLED = "Settled"
    AS_EXPECTED = "AsExpected"
    PAUSED = "Paused"
    # waiting
    MESOS_DISCONNECTED = "MesosDisconnected"
    CONNECTED = "Connected"
    MESOS_ERROR = "MesosError"
    AWAITING_RECONCILIATION = "AwaitingReconciliation"
    NO_SUITABLE_OFFER = "NoSuitableOffer"
    AWAITING_DISK = "AwaitingDisk"
    AWAITING_RESOURCES = "AwaitingResources"
    AWAITING_VOLUME_OFFER = "AwaitingVolumeOffer"
    LAUNCHING = "Launching"
    STOPPING = "Stopping"
    STARTING_ENGINE = "StartingEngine"
    WAITING_FOR_CLAIM = "WaitingForClaim"
    KEEPER_UNREACHABLE = "KeeperUnreachable"
    KEEPER_REFUSED = "KeeperRefused"
    SETTING_CREDENTIALS = "SettingCredentials"
    BACK_OFF = "BackOff"
    MAINTENANCE = "Maintenance"
    AGENT_LOST = "AgentLost"
    FENCING_REQUIRED = "FencingRequired"
    DISK_FULL = "DiskFull"
    APPROVAL_REQUIRED = "ApprovalRequired"
    APPROVAL_STALE = "ApprovalStale"
    AMBIGUOUS_RETAINED_VOLUMES = "AmbiguousRetainedVolumes"
    DELETION_PROTECTED = "DeletionProtected"
    DEFINITIONS_DELETED = "DefinitionsDeleted"
    NAMESPACE_TERMINATING = "NamespaceTerminating"
    PLAN_VIOLATES_LAW = "PlanViolatesLaw"
    RELEASING = "Releasing"
    EFFECT_FAILED = "EffectFailed"
    # storage
    BOUND = "Bound"
    NOT_BOUND = "NotBound"
    DATA_SAFE = "DataSafe"
    VOLUME_MISSING = "VolumeMissing"
    VOLUME_LOST = "VolumeLost"
    RESERVATION_TAKEN = "ReservationTaken"
    LEDGER_ENTRY_DAMAGED = "LedgerEntryDamaged"
    LEDGER_ENTRY_DUPLICATE = "LedgerEntryDuplicate"


class EventReason(StrEnum):
    """Reasons of Kubernetes Events, sent on change only."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    PLANNED = "Planned"
    VOLUME_RETAINED = "VolumeRetained"
    VOLUME_READOPTED = "VolumeReadopted"
    VOLUME_RELEASED = "VolumeReleased"
    MEMBER_LAUNCHED = "MemberLaunched"
    MEMBER_STOPPING = "MemberStopping"
    MEMBER_ENDED = "MemberEnded"
    AGENT_FENCED = "AgentFenced"
    CREDENTIALS_SET = "CredentialsSet"
    WAITING = "Waiting"
    READY = "Ready"
    DELETION_BYPASSED_PROTECTION = "DeletionBypassedProtection"
    PLAN_REFUSED = "PlanRefused"
    EFFECT_FAILED = "EffectFailed"
    MESOS_ERROR = "MesosError"
    OPERATOR_WAITING = "OperatorWaiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition as decided now. Its transition time is kept by the reporter."""

    type: ConditionType
    status: bool | None
    reason: Reason
    message: str

    @property
    def status_text(self) -> str:
        """`True`, `False` or `Unknown`, as Kubernetes writes it."""
        return "Unknown" if self.status is None else str(self.status)
