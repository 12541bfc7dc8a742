"""The streams of a simulated master: to each framework and agent a link, on which what it is told arrives in order."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from statefuldb.local.mesos.master.effects import CloseAgent, CloseStream, Effect, ToAgent, ToFramework
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.schedule import Link, Schedule
from statefuldb.simulation.clockwork.story import Story
from statefuldb.simulation.cluster.ends import AgentEnd, Subscriber

Json = dict[str, Any]
NOTICED_SECONDS = 0.001


@dataclass(slots=True)
class Streams:
    """What is open, by id. Of a framework also the id of its stream, as each subscription has one of its own."""

    schedule: Schedule
    dice: Dice
    story: Story
    frameworks: dict[str, tuple[str, Subscriber, Link]] = field(default_factory=dict)
    agents: dict[str, tuple[AgentEnd, Link]] = field(default_factory=dict)

    def link(self) -> Link:
        """Return a new link, with chances of its own."""
        return Link(self.schedule, self.dice.fork())

    def succeed(self, framework_id: str, outbox: list[Effect]) -> list[Effect]:
        """End the stream of a framework that subscribes anew; return what of `outbox` is not said to the old one."""
        held = self.frameworks.pop(framework_id, None)
        if held is None:
            return outbox
        farewell = [e for e in outbox if isinstance(e, ToFramework) and e.event.get("type") == "ERROR"]
        for effect in farewell:
            _send(held[2], held[1].receive, effect.event)
        held[2].send(held[1].closed)
        return [e for e in outbox if e not in farewell and not isinstance(e, CloseStream)]

    def deliver(self, effects: Iterable[Effect]) -> None:
        """Send what a master wants sent, to those that are there."""
        for effect in effects:
            match effect:
                case ToFramework(framework_id, event) if framework_id in self.frameworks:
                    _, subscriber, link = self.frameworks[framework_id]
                    self._tell(event)
                    _send(link, subscriber.receive, event)
                case ToAgent(agent_id, message) if agent_id in self.agents:
                    end, link = self.agents[agent_id]
                    _send(link, end.obey, message)
                case CloseAgent(agent_id) if agent_id in self.agents:
                    end, link = self.agents.pop(agent_id)
                    link.send(end.closed)
                case CloseStream(framework_id, stream):
                    held = self.frameworks.get(framework_id)
                    if held is not None and held[0] == stream:
                        del self.frameworks[framework_id]
                        held[2].send(held[1].closed)

    def break_off(self) -> None:
        """Lose what is under way on every stream; who has one notices at once."""
        for _, subscriber, link in list(self.frameworks.values()):
            link.cut()
            self.schedule.after(NOTICED_SECONDS, subscriber.closed)
        self.frameworks.clear()
        for end, link in list(self.agents.values()):
            link.cut()
            self.schedule.after(NOTICED_SECONDS, end.closed)
        self.agents.clear()

    def _tell(self, event: Json) -> None:
        if event["type"] == "UPDATE":
            status = event["update"]["status"]
            said = f"says {status['task_id']['value']} {status['state']} {status.get('message', '')}"
            self.story.tell("mesos", said.rstrip(), detail=True)


def _send(link: Link, take: Callable[[Json], None], message: Json) -> None:
    link.send(lambda: take(message))
