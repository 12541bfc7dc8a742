"""Everything that a master knows and wants sent, changed only by the state machine."""

from dataclasses import dataclass, field
from typing import Any

from statefuldb.local.mesos.master.authorization import Acls
from statefuldb.local.mesos.master.by_agent import ByAgent
from statefuldb.local.mesos.master.effects import Effect, ToAgent, ToFramework
from statefuldb.local.mesos.master.records import Agent, Executor, Framework, InverseOffer, Look, Offer, Operation, Task
from statefuldb.local.mesos.resources.forms import downgraded, everywhere
from statefuldb.local.mesos.resources.multiset import Bag

Json = dict[str, Any]


@dataclass(slots=True)
class Cluster:
    """Everything a master holds, and what it wants sent."""

    master_id: str
    agents: dict[str, Agent] = field(default_factory=dict)
    frameworks: dict[str, Framework] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    offers: ByAgent[str, Offer] = field(default_factory=ByAgent)
    tasks: ByAgent[tuple[str, str], Task] = field(default_factory=ByAgent)
    executors: ByAgent[tuple[str, str, str], Executor] = field(default_factory=ByAgent)
    operations: ByAgent[str, Operation] = field(default_factory=ByAgent)
    schedule: list[Json] = field(default_factory=list)
    down: list[Json] = field(default_factory=list)
    inverse_offers: dict[str, InverseOffer] = field(default_factory=dict)
    inverse_filters: dict[tuple[str, str], float] = field(default_factory=dict)
    replies: dict[tuple[str, str], Json] = field(default_factory=dict)
    quota: dict[str, Json] = field(default_factory=dict)
    outbox: list[Effect] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    acls: Acls = field(default_factory=Acls)
    domain: Json | None = None
    now: float = 0.0
    serial: int = 0
    framework_serial: int = 0
    looks: dict[str, Look] = field(default_factory=dict, repr=False)
    asked: list[tuple[Any, ...]] = field(default_factory=list, repr=False)

    def tell(self, framework_id: str, event: Json) -> None:
        """Send an event to a framework, if it is connected: events to others are lost, as in Mesos."""
        framework = self.frameworks.get(framework_id)
        if framework is not None and framework.stream is not None:
            if not framework.can("RESERVATION_REFINEMENT"):
                event = everywhere(event, downgraded)
            self.outbox.append(ToFramework(framework_id, event))

    def tell_task(self, framework_id: str, task_id: str, state: str, agent_id: str | None, **more: Any) -> None:
        """Send an UPDATE that the master itself has made: without a uuid, so that nobody acknowledges it."""
        status: Json = {
            "task_id": {"value": task_id},
            "state": state,
            "source": "SOURCE_MASTER",
            "timestamp": self.now,
            **more,
        }
        if agent_id is not None:
            status["agent_id"] = {"value": agent_id}
        self.tell(framework_id, {"type": "UPDATE", "update": {"status": status}})

    def order(self, agent_id: str, message: Json) -> None:
        """Send a message to an agent, if it is connected."""
        agent = self.agents.get(agent_id)
        if agent is not None and agent.connected:
            self.outbox.append(ToAgent(agent_id, message))

    def next_serial(self) -> int:
        """Return the next number for ids."""
        self.serial += 1
        return self.serial - 1

    def next_framework(self) -> int:
        """Return the next number for ids of frameworks."""
        self.framework_serial += 1
        return self.framework_serial - 1

    def tasks_on(self, agent_id: str) -> list[Task]:
        """Return the living tasks of an agent."""
        return [task for task in self.tasks.on(agent_id) if task.alive]

    def users_on(self, agent_id: str) -> list[Task | Executor]:
        """Return all that holds resources of an agent."""
        return [*self.tasks_on(agent_id), *self.executors.on(agent_id)]

    def offers_of(self, agent_id: str) -> list[Offer]:
        """Return the outstanding offers of an agent."""
        return self.offers.on(agent_id)

    def changes(self, agent_id: str) -> int:
        """Return how often what holds resources of an agent has changed."""
        books = (self.tasks, self.executors, self.offers, self.operations)
        return sum(book.changes(agent_id) for book in books)

    def free(self, agent: Agent) -> Bag:
        """Return what nobody uses, is offered or keeps busy on an agent."""
        left = agent.total
        for user in self.users_on(agent.id):
            left = left - user.resources.exclusive()
        for offer in self.offers_of(agent.id):
            left = left - offer.resources.exclusive()
        for operation in self.operations.on(agent.id):
            left = left - operation.held
        for framework in self.frameworks.values():
            for on, bag in framework.withheld:
                left = left - bag if on == agent.id else left
        return left
