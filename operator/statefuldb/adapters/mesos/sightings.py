"""Looking for a member's resources on all agents, offered or not, and for whoever else uses them."""

import threading
from collections.abc import Callable, Mapping, Sequence
from logging import getLogger
from typing import Any

from statefuldb.adapters.mesos.wire import resource_from_wire
from statefuldb.model.identity import DataIdentity, TaskId
from statefuldb.model.observed import ForeignTask, Sighting
from statefuldb.planning.storage.holding import is_ours
from statefuldb.reconcile.ports import Clock, EffectFailed

log = getLogger(__name__)
Listing = Callable[[], Sequence[Mapping[str, Any]]]
FRESH_SECONDS = 30.0


class Sightings:
    """What the master lists, asked for at most twice a minute, however many members wait."""

    def __init__(self, *, list_agents: Listing, list_tasks: Listing, list_frameworks: Listing, clock: Clock) -> None:
        self._list_agents = list_agents
        self._list_tasks = list_tasks
        self._list_frameworks = list_frameworks
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._agents: Sequence[Mapping[str, Any]] = ()
        self._tasks: Sequence[Mapping[str, Any]] = ()
        self._names: Mapping[str, str] = {}

    def of(self, identity: DataIdentity) -> Sighting | None:
        """Return what is known of one member's resources; None where the master does not say."""
        with self._lock:
            if not self._ask():
                return None
        infos = [agent["agent_info"] for agent in self._agents]
        hosts = {info["id"]["value"]: info["hostname"] for info in infos}
        volume_on = {
            agent["agent_info"]["hostname"]
            for agent in self._agents
            if any("persistence" in r.get("disk", {}) and _of(identity, r) for r in agent.get("total_resources", []))
        }
        users = [task for task in self._tasks if any(_of(identity, r) for r in task.get("resources", []))]
        return Sighting(
            identity=identity,
            hosts=frozenset(hosts.values()),
            volume_on=frozenset(volume_on),
            used_by=tuple(
                self._foreign(task, hosts) for task in users if TaskId.parse(_value(task, "task_id")) is None
            ),
        )

    def _ask(self) -> bool:
        now = self._clock.now()
        if now - self._asked_at < FRESH_SECONDS:
            return True
        try:
            self._agents, self._tasks = self._list_agents(), self._list_tasks()
            infos = [framework["framework_info"] for framework in self._list_frameworks()]
        except EffectFailed as error:
            log.warning("who uses our resources could not be asked: %s", error)
            return False
        self._names = {_value(info, "id"): info.get("name", "") for info in infos}
        self._asked_at = now
        return True

    def _foreign(self, task: Mapping[str, Any], hosts: Mapping[str, str]) -> ForeignTask:
        framework_id, agent_id = _value(task, "framework_id"), _value(task, "agent_id")
        return ForeignTask(
            task_id=_value(task, "task_id"),
            framework_id=framework_id,
            framework_name=self._names.get(framework_id, "?"),
            hostname=hosts.get(agent_id, agent_id),
        )


def _of(identity: DataIdentity, resource: Mapping[str, Any]) -> bool:
    return is_ours(resource_from_wire(resource), identity)


def _value(message: Mapping[str, Any], name: str) -> str:
    return str(message.get(name, {}).get("value", ""))
