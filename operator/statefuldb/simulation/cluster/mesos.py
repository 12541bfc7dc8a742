"""The embedded Mesos master's state machine without sockets: streams are links, and nothing is kept in files."""

from collections.abc import Callable
from typing import Any

from statefuldb.local.mesos.master import draining
from statefuldb.local.mesos.master.agents import GoneByOperator
from statefuldb.local.mesos.master.allocation import rescind
from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.master import Master, Refused
from statefuldb.local.mesos.master.operator_api import OperatorApi
from statefuldb.local.mesos.master.records import TERMINAL
from statefuldb.local.mesos.master.registry import kept
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.schedule import Schedule
from statefuldb.simulation.clockwork.story import Story
from statefuldb.simulation.cluster.ends import AgentEnd, Subscriber
from statefuldb.simulation.cluster.streams import NOTICED_SECONDS, Streams

Json = dict[str, Any]
ALLOCATION_SECONDS = 0.1
IDLE_TICK_SECONDS = 2.0
# So often a master pings its agents; one is lost after five silences (agent_ping_timeout, max_agent_ping_timeouts).
PING_SECONDS = 15.0
UNREACHABLE_SECONDS = 5 * PING_SECONDS


class Mesos:
    """One leading master. `on_call` sees every call of a framework before it is carried out."""

    def __init__(
        self,
        schedule: Schedule,
        dice: Dice,
        story: Story,
        on_call: Callable[[Json], None],
        *,
        domain: Json | None = None,
    ) -> None:
        self._schedule = schedule
        self._dice = dice
        self._on_call = on_call
        self._domain = domain
        self._windows: list[Json] = []
        self._streams = Streams(schedule, dice, story)
        self._removed: list[str] = []
        self._tick_due = float("inf")
        self._ping_due = schedule.now
        self._lose = self._double = 0
        self.up = True
        self.allocation_seconds = ALLOCATION_SECONDS
        self._begin()
        self._tick_in(IDLE_TICK_SECONDS)

    def _begin(self) -> None:
        cluster = Cluster(master_id=self._dice.uuid(), domain=self._domain)
        cluster.removed, cluster.schedule = self._removed, self._windows
        self.master = Master(cluster, address="10.0.0.1", port=5050, unreachable_seconds=UNREACHABLE_SECONDS)
        self._operator = OperatorApi(self.master)

    def subscribe(self, call: Json, subscriber: Subscriber, *, ours: bool = True) -> str | None:
        """Open a subscription; return the id of its stream, or None where the master is away. Raises Refused."""
        if not self.up:
            return None
        if ours:
            self._on_call(call)
        stream = self._dice.uuid()
        framework_id = self.master.subscribe(call, stream, self._schedule.now)
        self.master.cluster.outbox = self._streams.succeed(framework_id, self.master.cluster.outbox)
        self._streams.frameworks[framework_id] = (stream, subscriber, self._streams.link())
        self.flush()
        return stream

    def leave(self, stream: str) -> None:
        """Take in that a framework's stream was closed by its operator, or that it is gone."""
        for framework_id, (held, _, link) in list(self._streams.frameworks.items()):
            if held == stream:
                link.cut()
                del self._streams.frameworks[framework_id]
                self.master.disconnect(framework_id, stream, self._schedule.now)
                self.flush()

    def call(self, body: Json, stream: str, *, ours: bool = True) -> tuple[int, str]:
        """Answer one scheduler call with status and text. Raises OSError where the master is away."""
        if not self.up:
            raise OSError("connection refused")
        # What a deposed operator sent before it knew may arrive late: the master refuses it, by its stream.
        if ours and any(stream == current for current, _, _ in self._streams.frameworks.values()):
            self._on_call(body)
        try:
            status = self.master.call(body, stream, self._schedule.now)
        except Refused as refused:
            return refused.status, str(refused)
        except (KeyError, TypeError, ValueError) as error:
            return 400, f"Failed to validate scheduler::Call: {error}"
        self.flush()
        return status, ""

    def ask(self, call: Json) -> Any:
        """Answer one call of the operator API; the answer must not be changed. Raises OSError where no master is."""
        _, body = self._operate(call)
        return body

    def administer(self, call: Json) -> bool:
        """Carry out a person's call of the operator API; say whether it could be. Raises OSError as `ask` does."""
        status, _ = self._operate(call)
        return status < 300

    def _operate(self, call: Json) -> tuple[int, Any]:
        if not self.up:
            raise OSError("connection refused")
        answer = self._operator.call(call, self._schedule.now)
        self.flush()
        return answer

    def register(self, message: Json, end: AgentEnd) -> None:
        """Admit an agent, and open its stream; one that a person has called gone is told so."""
        try:
            agent_id = self.master.agents.register(message, self._schedule.now)
        except GoneByOperator:
            self._streams.link().send(lambda: end.obey({"type": "GONE"}))
            return
        link = self._streams.link()
        self._streams.agents[agent_id] = (end, link)
        draining.order(self.master.cluster, self.master.cluster.agents[agent_id])
        link.send(lambda: end.obey({"type": "REGISTERED", "agent_id": agent_id}))
        self.flush()

    def agent_away(self, agent_id: str) -> None:
        """Take in that an agent's stream has closed."""
        held = self._streams.agents.pop(agent_id, None)
        if held is not None:
            held[1].cut()
            self.master.agents.disconnect(agent_id, self._schedule.now)
            self.flush()

    def mute(self, agent_id: str) -> None:
        """Lose what is under way to an agent, without noticing."""
        if agent_id in self._streams.agents:
            self._streams.agents[agent_id][1].cut()

    def agent_says(self, message: Json) -> None:
        """Take an agent's message; lost where the master is away."""
        if not self.up or self._lose > 0:
            self._lose = max(0, self._lose - 1)
            return
        if self._double > 0:
            self._double -= 1
            self.agent_says(message)
        agents, agent_id = self.master.agents, message["agent_id"]
        agents.seen(agent_id, self._schedule.now)
        if message["type"] == "UPDATE":
            agents.update(agent_id, message["framework_id"], message["status"])
        elif message["type"] == "OPERATION_UPDATE":
            agents.operation_update(agent_id, {**message, "uuid": message["uuid_of"]})
        self.flush()

    def terminal_status(self, task_id: str) -> Json | None:
        """Return the last status of a task that is over and not yet acknowledged, for oracles."""
        cluster = self.master.cluster
        found = (cluster.tasks.get((framework_id, task_id)) for framework_id in cluster.frameworks)
        return next((task.status for task in found if task is not None and task.state in TERMINAL), None)

    def rescind(self, agent_id: str | None) -> bool:
        """Withdraw an agent's offers; say whether there were any."""
        cluster = self.master.cluster
        there = agent_id is not None and bool(cluster.offers_of(agent_id))
        if there and agent_id is not None:
            rescind(cluster, agent_id=agent_id)
            self.flush()
        return there

    def drop_frameworks(self) -> bool:
        """Break off every framework's stream; say whether there was one."""
        held = list(self._streams.frameworks.values())
        for stream, subscriber, _ in held:
            self.leave(stream)
            self._schedule.after(NOTICED_SECONDS, subscriber.closed)
        return bool(held)

    def mistreat(self, *, lost: int = 0, twice: int = 0) -> bool:
        """Lose the next messages of agents, or take them twice."""
        self._lose, self._double = lost, twice
        return True

    def lose_orders(self, agent_id: str | None, seconds: float) -> bool:
        """Lose what is sent to an agent from now on; in `seconds` its connection breaks, and it registers anew."""
        held = self._streams.agents.get(agent_id or "")
        if held is None or not held[0].reachable:
            return False
        end, link = held
        link.cut()

        def broken() -> None:
            if self._streams.agents.get(agent_id or "") == held:
                self.agent_away(agent_id or "")
                end.closed()

        self._schedule.after(seconds, broken)
        return True

    def remove_frameworks(self) -> bool:
        """End each framework that is there, as when it was away for longer than its fail-over time-out."""
        frameworks = list(self.master.cluster.frameworks.values()) if self.up else []
        for framework in frameworks:
            self.master.remove(framework)
        self.flush()
        return bool(frameworks)

    def has_removed(self, framework_id: str) -> bool:
        """Say whether a framework has ended, as far as the last master knows."""
        return framework_id in self.master.cluster.removed

    def frameworks_named(self, name: str) -> list[str]:
        """Return the ids of the frameworks of this name that the master knows, connected or not."""
        known = self.master.cluster.frameworks.values() if self.up else ()
        return [framework.id for framework in known if framework.info["name"] == name]

    def mark_gone(self, agent_id: str) -> None:
        """Carry out a person's MARK_AGENT_GONE."""
        self.administer({"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": agent_id}}})

    def fail_over(self, seconds: float) -> None:
        """Let the master die, and another lead in `seconds`: it knows the agents by the registry, and no task."""
        self.up = False
        cluster = self.master.cluster
        admitted = [kept(agent) for agent in cluster.agents.values()]
        self._removed, self._windows = cluster.removed, cluster.schedule
        self._streams.break_off()

        def lead() -> None:
            self._begin()
            self.master.agents.recover(admitted, self._schedule.now)
            self.up = True

        self._schedule.after(seconds, lead)

    def flush(self) -> None:
        """Send what the state machine wants sent, and offer soon what has become free."""
        outbox, self.master.cluster.outbox = self.master.cluster.outbox, []
        self._streams.deliver(outbox)
        self._tick_in(self.allocation_seconds)

    def _tick_in(self, seconds: float) -> None:
        due = self._schedule.now + seconds
        if due < self._tick_due:
            self._tick_due = due
            self._schedule.after(seconds, lambda: self._tick(due))

    def _tick(self, due: float) -> None:
        """Let time pass for the master; agents that are there answer its pings."""
        if due != self._tick_due:
            return
        self._tick_due = float("inf")
        if self.up:
            if self._schedule.now >= self._ping_due:
                self._ping()
            self.master.tick(self._schedule.now)
            if self.master.cluster.outbox:
                self.flush()
        self._tick_in(IDLE_TICK_SECONDS)

    def _ping(self) -> None:
        self._ping_due = self._schedule.now + PING_SECONDS
        for agent_id, (end, _) in self._streams.agents.items():
            if end.reachable:
                self.master.agents.seen(agent_id, self._schedule.now)
