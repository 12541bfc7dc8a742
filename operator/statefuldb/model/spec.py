"""What a user asked for: the accepted, typed form of `StatefulDatabase.spec` (docs/design.md, section 5).

Values here are already validated (`model.parse`); amounts are integers in the unit that their name ends with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EngineType(StrEnum):
    """Database engines that a manifest may name."""

    MYSQL = "MySQL"
    MARIADB = "MariaDB"
    POSTGRESQL = "PostgreSQL"


class Strategy(StrEnum):
    """Where a member's data lives (docs/design.md section 2)."""

    HOST_PATH = "HostPath"
    DFS = "DFS"
    PERSISTENT_VOLUME = "PersistentVolume"


class DiskType(StrEnum):
    """Mesos disk sources a persistent volume may be carved from (Mesos docs, multiple-disk)."""

    ROOT = "Root"
    PATH = "Path"
    MOUNT = "Mount"


class NodeLossAction(StrEnum):
    """What to do when a member's agent is lost."""

    WAIT = "Wait"
    REBUILD = "Rebuild"
    REATTACH = "Reattach"


class AntiAffinity(StrEnum):
    """Whether members of one database may share an agent."""

    REQUIRED = "Required"
    PREFERRED = "Preferred"
    NONE = "None"


class Retention(StrEnum):
    """What happens to data at the end of its member."""

    RETAIN = "Retain"
    DELETE = "Delete"


class RiskClass(StrEnum):
    """How much an action can hurt; `spec.reconcile.autoApprove` lists classes that need no approval."""

    NON_DISRUPTIVE = "NonDisruptive"
    RESTART = "Restart"
    FAILOVER = "Failover"
    DATA_MOVE = "DataMove"
    DESTRUCTIVE = "Destructive"


class ReconcileMode(StrEnum):
    """How far the operator may go by itself."""

    APPLY = "Apply"
    PLAN_ONLY = "PlanOnly"
    PAUSED = "Paused"


class DesiredState(StrEnum):
    """`spec.state`."""

    RUNNING = "Running"
    STOPPED = "Stopped"
    READ_ONLY = "ReadOnly"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """Which database server, which version, and the user's own server options."""

    type: EngineType
    version: str
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcesSpec:
    """Compute of one member: thousandths of a cpu, and bytes of memory."""

    cpus_milli: int
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPathSpec:
    """A directory tree on one agent; a member's data is in `<path>/<namespace>/<name>/<ordinal>`."""

    path: str
    create: bool = False


# The attribute by which an agent says that it has the mount, unless a manifest names another.
DFS_ATTRIBUTE = "statefuldb_dfs"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAttribute:
    """A Mesos agent attribute, by exact value; a number as Mesos shows it (`1`, `2.5`)."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DfsSpec:
    """A file system that is mounted at `mount_point` on every agent that has `agent_attribute`."""

    type: str
    mount_point: str
    sub_path: str
    source: str | None
    agent_attribute: AgentAttribute

    @property
    def root(self) -> str:
        """The directory below which all data of a manifest lies."""
        return f"{self.mount_point.rstrip('/')}/{self.sub_path}".rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistentVolumeSpec:
    """A Mesos persistent volume on reserved disk."""

    disk_type: DiskType = DiskType.ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSpec:
    """Exactly one of `host_path`, `dfs`, `persistent_volume` is set: the one that `strategy` names."""

    strategy: Strategy
    size_bytes: int
    host_path: HostPathSpec | None = None
    dfs: DfsSpec | None = None
    persistent_volume: PersistentVolumeSpec | None = None
    on_node_loss: NodeLossAction = NodeLossAction.WAIT
    on_node_loss_after_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementSpec:
    """On which agents members may run. `mesos_role` None means the operator's own role."""

    mesos_role: str | None = None
    attributes: tuple[AgentAttribute, ...] = ()
    anti_affinity: AntiAffinity = AntiAffinity.PREFERRED


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSpec:
    """What happens to data when the database is deleted or scaled in."""

    when_deleted: Retention = Retention.RETAIN
    when_scaled: Retention = Retention.RETAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileSpec:
    """How far the operator may go by itself."""

    mode: ReconcileMode = ReconcileMode.APPLY
    auto_approve: frozenset[RiskClass] = frozenset({RiskClass.NON_DISRUPTIVE, RiskClass.RESTART, RiskClass.FAILOVER})
    approved_plan: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSpec:
    """One database as desired."""

    engine: EngineSpec
    resources: ResourcesSpec
    storage: StorageSpec
    replicas: int = 1
    placement: PlacementSpec = field(default_factory=PlacementSpec)
    retention: RetentionSpec = field(default_factory=RetentionSpec)
    deletion_protection: bool = True
    reconcile: ReconcileSpec = field(default_factory=ReconcileSpec)
    state: DesiredState = DesiredState.RUNNING
    bootstrap_empty: bool = False
