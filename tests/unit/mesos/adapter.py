"""A Mesos adapter on a driver that only remembers, with a clock and timers that stand still until told."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from statefuldb.adapters.mesos.adapter import MesosAdapter
from statefuldb.adapters.mesos.driver import ConnectionState, Event
from statefuldb.adapters.mesos.intake import OnOffers
from statefuldb.model.identity import DatabaseKey
from unit.planning.world import CLUSTER, ROLE

Json = dict[str, Any]
T = TypeVar("T")
CAPABLE = ("RESOURCE_PROVIDER", "AGENT_OPERATION_FEEDBACK")


class Remembering:
    """Stands for the driver: keeps the calls, in order, and hands events in."""

    framework_id = "framework-1"
    stream_id = "stream-1"
    connected = True

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments, **named: self.calls.append((name, *arguments, *named.values()))

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]


class Standing:
    """A clock, and timers that go off when time is moved on."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._number = 0

    def now(self) -> float:
        return self.seconds

    def after(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        self._number += 1
        number = self._number
        heapq.heappush(self._due, (self.seconds + seconds, number, call))
        return lambda: self._cancelled.add(number)

    def set_clock(self, seconds: float) -> None:
        """Set the clock by so many seconds. Timers go by another one, which nobody sets."""
        self.seconds += seconds
        self._due = [(due + seconds, number, call) for due, number, call in self._due]

    def pass_by(self, seconds: float) -> None:
        until = self.seconds + seconds
        while self._due and self._due[0][0] <= until:
            self.seconds, number, call = heapq.heappop(self._due)
            if number not in self._cancelled:
                call()
        self.seconds = until


class Wired:
    """An adapter with everything around it in reach."""

    def __init__(self, capabilities: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.driver = Remembering()
        self.time = Standing()
        self.enqueued: list[DatabaseKey] = []
        self.owners: dict[str, DatabaseKey] = {}
        self.tasks: list[Json] = []
        self.over: list[Json] = []
        self.frameworks: list[Json] = []
        self.pending: list[Json] = []
        self.holdings: dict[str, list[Json]] = {}
        self.registered: dict[str, int] = {}
        self.inactive: set[str] = set()
        self.set_aside: set[str] = set()
        self.saving: Callable[[], None] = lambda: None
        self.on_offers: OnOffers = lambda *_: None
        self.agents: Mapping[str, tuple[str, ...]] = capabilities or {"id-of-agent-1": CAPABLE}
        self.say: Callable[[Event], None]
        self.state: Callable[[ConnectionState], None]

        def make_driver(say: Callable[[Event], None], state: Callable[[ConnectionState], None]) -> Any:
            self.say, self.state = say, state
            return self.driver

        self.adapter = MesosAdapter(
            make_driver=make_driver,
            list_tasks=lambda read: [read(task) for task in self.tasks],
            list_tasks_ever=lambda read: ([read(task) for task in self.tasks], [read(task) for task in self.over]),
            list_frameworks=lambda: self.frameworks,
            list_operations=lambda: self.pending,
            list_agents=self._listed,
            cluster=CLUSTER,
            role=ROLE,
            principal="statefuldb",
            keeper_command=("keeper",),
            save_framework_id=lambda _: self.saving(),
            on_offers=lambda *told: self.on_offers(*told),
            on_connected=lambda: None,
            owner_of=self.owners.get,
            enqueue=self.enqueued.append,
            clock=self.time,
            timers=self.time,
        )

    def _listed(self, read: Callable[[Json], T]) -> Sequence[T]:
        return [
            read(
                {
                    "agent_info": {"id": {"value": agent}, "hostname": agent.removeprefix("id-of-")},
                    "active": agent not in self.inactive,
                    "reregistered_time": {"nanoseconds": self.registered.get(agent, 0)},
                    "deactivated": agent in self.set_aside,
                    "capabilities": [{"type": c} for c in able],
                    "total_resources": self.holdings.get(agent, []),
                }
            )
            for agent, able in self.agents.items()
        ]

    def subscribe(self) -> None:
        self.say({"type": "SUBSCRIBED", "subscribed": {"framework_id": {"value": "framework-1"}}})

    def offer(self, offer_id: str, agent: str = "agent-1") -> None:
        offer = {
            "id": {"value": offer_id},
            "agent_id": {"value": f"id-of-{agent}"},
            "hostname": agent,
            "allocation_info": {"role": ROLE},
        }
        self.say({"type": "OFFERS", "offers": {"offers": [offer]}})

    def update(self, task_id: str, state: str, **more: str) -> None:
        status = {"task_id": {"value": task_id}, "state": state, "agent_id": {"value": "id-of-agent-1"}, **more}
        self.say({"type": "UPDATE", "update": {"status": status}})

    def operation(self, operation_id: str, state: str, **more: Any) -> None:
        status = {"operation_id": {"value": operation_id}, "state": state, **more}
        self.say({"type": "UPDATE_OPERATION_STATUS", "update_operation_status": {"status": status}})
