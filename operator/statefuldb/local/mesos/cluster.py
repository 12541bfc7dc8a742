"""What a master knows: agents, frameworks, offers, tasks. Plain records, changed only by the state machine."""

from dataclasses import dataclass, field
from typing import Any

from statefuldb.local.mesos.resources import Bag

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
    disconnected_at: float | None = None


@dataclass(slots=True)
class Framework:
    """One framework. `stream` is its present subscription, None while it is disconnected."""

    id: str
    info: Json
    stream: str | None = None
    suppressed: set[str] = field(default_factory=set)
    filters: list["Filter"] = field(default_factory=list)
    disconnected_at: float | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """Its roles."""
        return tuple(self.info.get("roles") or [self.info.get("role", "*")])

    @property
    def failover_timeout(self) -> float:
        """How long it may be away, in seconds."""
        return float(self.info.get("failover_timeout", 0.0))


@dataclass(slots=True)
class Filter:
    """Refused resources of one agent, for a while."""

    agent_id: str
    role: str
    refused: Bag
    until: float


@dataclass(slots=True)
class Offer:
    """One outstanding offer."""

    id: str
    framework_id: str
    agent_id: str
    role: str
    resources: Bag


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


@dataclass(frozen=True, slots=True)
class ToFramework:
    """An event for a framework's stream."""

    framework_id: str
    event: Json


@dataclass(frozen=True, slots=True)
class ToAgent:
    """A message for an agent's stream."""

    agent_id: str
    message: Json


@dataclass(frozen=True, slots=True)
class CloseStream:
    """The end of one subscription's stream."""

    framework_id: str
    stream: str


@dataclass(frozen=True, slots=True)
class CloseAgent:
    """The end of an agent's stream: it must register again."""

    agent_id: str


Effect = ToFramework | ToAgent | CloseStream | CloseAgent


@dataclass(slots=True)
class Cluster:
    """Everything a master holds, and what it wants sent."""

    master_id: str
    agents: dict[str, Agent] = field(default_factory=dict)
    frameworks: dict[str, Framework] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    offers: dict[str, Offer] = field(default_factory=dict)
    tasks: dict[tuple[str, str], Task] = field(default_factory=dict)
    outbox: list[Effect] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    serial: int = 0

    def tell(self, framework_id: str, event: Json) -> None:
        """Send an event to a framework, if it is connected: events to others are lost, as in Mesos."""
        framework = self.frameworks.get(framework_id)
        if framework is not None and framework.stream is not None:
            self.outbox.append(ToFramework(framework_id, event))

    def order(self, agent_id: str, message: Json) -> None:
        """Send a message to an agent, if it is connected."""
        agent = self.agents.get(agent_id)
        if agent is not None and agent.connected:
            self.outbox.append(ToAgent(agent_id, message))

    def next_serial(self) -> int:
        """Return the next number for ids."""
        self.serial += 1
        return self.serial - 1

    def used(self, agent_id: str) -> Bag:
        """Return what the tasks of an agent hold."""
        held = Bag()
        for task in self.tasks.values():
            if task.agent_id == agent_id and task.state not in TERMINAL:
                held = held + task.resources
        return held

    def offered(self, agent_id: str) -> Bag:
        """Return what is in outstanding offers of an agent."""
        held = Bag()
        for offer in self.offers.values():
            if offer.agent_id == agent_id:
                held = held + offer.resources
        return held


def task_status(task_id: str, state: str, **more: Any) -> Json:
    """Return an UPDATE event made by the master itself: without a uuid, so that nobody acknowledges it."""
    agent_id = more.pop("agent_id", None)
    status: Json = {
        "task_id": {"value": task_id},
        "state": state,
        "source": "SOURCE_MASTER",
        **more,
    }
    if agent_id is not None:
        status["agent_id"] = {"value": agent_id}
    return {"type": "UPDATE", "update": {"status": status}}
