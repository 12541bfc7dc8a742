"""Agents, frameworks, offers, tasks and operations as a master knows them: plain records."""

from dataclasses import dataclass, field
from typing import Any

from statefuldb.local.mesos.resources.multiset import Bag

Json = dict[str, Any]

TERMINAL = frozenset(
    {
        "TASK_FINISHED",
        "TASK_FAILED",
        "TASK_KILLED",
        "TASK_ERROR",
        "TASK_DROPPED",
        "TASK_GONE",
        "TASK_GONE_BY_OPERATOR",
        "TASK_LOST",
    }
)
NOT_PARTITION_AWARE = {
    name: "TASK_LOST"
    for name in ("TASK_DROPPED", "TASK_UNREACHABLE", "TASK_GONE", "TASK_GONE_BY_OPERATOR", "TASK_UNKNOWN")
}


@dataclass(slots=True)
class Agent:
    """One agent. `total` includes reservations and volumes; `connected` says whether its stream is open."""

    id: str
    info: Json
    total: Bag
    connected: bool = True
    unreachable: bool = False
    gone: bool = False
    last_seen: float = 0.0
    registered_at: float = 0.0
    reregistered_at: float | None = None
    disconnected_at: float | None = None
    unreachable_at: float | None = None
    deactivated: bool = False
    drain_info: Json | None = None
    drain_started_at: float | None = None
    recovered: bool = False

    @property
    def address(self) -> str:
        """Its address, as messages have it."""
        return f"slave(1)@{self.info['ip']}:{self.info['port']}"

    @property
    def url(self) -> Json:
        """Where its API is, as offers have it."""
        address = {"hostname": self.info["hostname"], "ip": self.info["ip"], "port": self.info["port"]}
        return {"scheme": "http", "address": address, "path": "/slave(1)"}

    def __str__(self) -> str:
        return f"{self.id} at {self.address} ({self.info['hostname']})"


@dataclass(slots=True)
class Framework:
    """One framework. `stream` is its present subscription, None while it is disconnected; filters by agent and role."""

    id: str
    info: Json
    stream: str | None = None
    suppressed: set[str] = field(default_factory=set)
    filters: dict[tuple[str, str], list["Filter"]] = field(default_factory=dict)
    revived: int = 0
    disconnected_at: float | None = None
    unreachable: dict[str, "Task"] = field(default_factory=dict)
    withheld: list[tuple[str, Bag]] = field(default_factory=list)
    # What it can do, and of which info that was told: an info is replaced, never changed.
    _capabilities: frozenset[str] = frozenset()
    _info: Json | None = field(default=None, repr=False)

    @property
    def roles(self) -> tuple[str, ...]:
        """Its roles."""
        return tuple(self.info.get("roles") or [self.info.get("role", "*")])

    def can(self, capability: str) -> bool:
        """Say whether it has a capability."""
        if self._info is not self.info:
            self._info = self.info
            self._capabilities = frozenset(one.get("type") for one in self.info.get("capabilities", []))
        return capability in self._capabilities

    def state(self, state: str) -> str:
        """Return a task state as this framework may see it: without PARTITION_AWARE, what is not known is lost."""
        return state if self.can("PARTITION_AWARE") else NOT_PARTITION_AWARE.get(state, state)

    @property
    def failover_timeout(self) -> float:
        """How long it may be away, in seconds."""
        return float(self.info.get("failover_timeout", 0.0))


@dataclass(slots=True)
class Filter:
    """Resources that are refused for a while."""

    refused: Bag
    until: float


@dataclass(frozen=True, slots=True)
class Look:
    """The last look at an agent for what to offer: what it had, and how often that had changed.

    What was `left` was so by what was `asked`, and `until` the first refusal of it ends. `offerable` is what may be
    offered of it, by role and whether shared volumes may be part of that.
    """

    total: Bag
    changes: int
    left: Bag
    asked: list[tuple[Any, ...]]
    until: float
    offerable: dict[tuple[str, bool], Bag]


@dataclass(slots=True)
class Offer:
    """One outstanding offer."""

    id: str
    framework_id: str
    agent_id: str
    role: str
    resources: Bag


@dataclass(frozen=True, slots=True)
class InverseOffer:
    """One outstanding question whether a framework can do without what it holds of an agent."""

    id: str
    framework_id: str
    agent_id: str


@dataclass(slots=True)
class Task:
    """One task. `status` is the latest one, as sent to the framework."""

    id: str
    framework_id: str
    agent_id: str
    info: Json
    resources: Bag
    role: str
    status: Json

    @property
    def state(self) -> str:
        """Its latest state."""
        return str(self.status["state"])

    @property
    def container(self) -> Json:
        """What its latest status says of its container."""
        return {k: v for k, v in self.status.items() if k in ("container_status", "healthy", "check_status")}

    @property
    def alive(self) -> bool:
        """Say whether it holds its resources."""
        return self.state not in TERMINAL


@dataclass(frozen=True, slots=True)
class Executor:
    """One executor of task groups, which holds resources beside those of its tasks."""

    id: str
    framework_id: str
    agent_id: str
    info: Json
    resources: Bag
    role: str


@dataclass(slots=True)
class Operation:
    """One operation that an agent has been told of. `status` is the latest one; it is known until acknowledged.

    `held` is what it keeps from everybody until it has finished, and `given` what comes of that (GROW and SHRINK).
    """

    uuid: str
    framework_id: str
    agent_id: str
    info: Json
    status: Json
    statuses: list[Json] = field(default_factory=list)
    held: Bag = field(default_factory=Bag)
    given: Bag = field(default_factory=Bag)

    @property
    def id(self) -> str | None:
        """The id that its framework gave it."""
        found = self.info.get("id")
        return None if found is None else str(found["value"])
