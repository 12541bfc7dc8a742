"""Looking for a member's resources on all agents, offered or not, and for whoever else uses them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from logging import getLogger
from typing import Any

from statefuldb.adapters.mesos.master_api import ListEach
from statefuldb.adapters.mesos.wire import resource_from_wire
from statefuldb.model.identity import LABEL_CLUSTER, DataIdentity, TaskId
from statefuldb.model.observed import ForeignTask, Sighting
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.storage.holding import identity_of
from statefuldb.reconcile.machine import Clock, Lock
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)
Listing = Callable[[], Sequence[Mapping[str, Any]]]
FRESH_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _User:
    """A task, and whose resources it has."""

    task_id: str
    framework_id: str
    agent_id: str
    uses: frozenset[DataIdentity]


@dataclass(frozen=True, slots=True)
class _Place:
    """An agent, and the ids of the volumes of ours that are on it."""

    agent_id: str
    hostname: str
    volumes: frozenset[str]
    set_aside: bool


@dataclass(frozen=True, slots=True)
class _Framework:
    """A framework: its name, the cluster that it is the operator of, if any, and whose resources it is offered."""

    id: str
    name: str
    cluster: str
    offered: frozenset[DataIdentity]


class Sightings:
    """What the master lists, asked for at most twice a minute, however many members wait."""

    def __init__(
        self,
        *,
        list_agents: ListEach,
        list_tasks: ListEach,
        list_frameworks: Listing,
        clock: Clock,
        lock: Lock,
    ) -> None:
        self._list_agents = list_agents
        self._list_tasks = list_tasks
        self._list_frameworks = list_frameworks
        self._clock = clock
        self._lock = lock
        self._asked_at = float("-inf")
        self._hosts: Mapping[str, str] = {}
        self._volumes: Mapping[str, frozenset[str]] = {}
        self._users: Sequence[_User] = ()
        self._set_aside: frozenset[str] = frozenset()
        self._frameworks: Mapping[str, _Framework] = {}

    def of(self, record: VolumeRecord) -> Sighting | None:
        """Return what is known of one member's resources; None where the master does not say."""
        identity = record.identity
        with self._lock:
            if not self._ask():
                return None
            return Sighting(
                identity=identity,
                hosts=frozenset(self._hosts.values()),
                volume_on=self._volumes.get(record.persistence_id or "", frozenset()),
                agent_ids=frozenset(self._hosts),
                used_by=tuple(
                    self._foreign(user)
                    for user in self._users
                    if identity in user.uses and not self._is_ours(user, identity)
                ),
                set_aside=self._set_aside,
                offered_to=tuple(
                    f"{framework.name} ({framework.id})"
                    for framework in self._frameworks.values()
                    if identity in framework.offered and framework.cluster != identity.cluster
                ),
            )

    def _ask(self) -> bool:
        now = self._clock.now()
        if 0 <= now - self._asked_at < FRESH_SECONDS:
            return True
        try:
            agents, tasks = self._list_agents(_place), self._list_tasks(_user)
            frameworks = [_framework(framework) for framework in self._list_frameworks()]
        except EffectFailed as error:
            log.warning("who uses our resources could not be asked: %s", error)
            return False
        self._hosts = {place.agent_id: place.hostname for place in agents}
        volumes: dict[str, set[str]] = {}
        for place in agents:
            for persistence_id in place.volumes:
                volumes.setdefault(persistence_id, set()).add(place.hostname)
        self._volumes = {persistence_id: frozenset(hosts) for persistence_id, hosts in volumes.items()}
        self._users = [user for user in tasks if user is not None]
        self._set_aside = frozenset(place.hostname for place in agents if place.set_aside)
        self._frameworks = {framework.id: framework for framework in frameworks}
        self._asked_at = now
        return True

    def _is_ours(self, user: _User, identity: DataIdentity) -> bool:
        """Say whether a task is one of ours: by its framework, since anybody may give a task an id like ours."""
        framework = self._frameworks.get(user.framework_id)
        if framework is None:
            return TaskId.parse(user.task_id) is not None
        return framework.cluster == identity.cluster

    def _foreign(self, user: _User) -> ForeignTask:
        framework = self._frameworks.get(user.framework_id)
        return ForeignTask(
            task_id=user.task_id,
            framework_id=user.framework_id,
            framework_name=framework.name if framework is not None else "?",
            hostname=self._hosts.get(user.agent_id, user.agent_id),
        )


def _place(agent: Mapping[str, Any]) -> _Place:
    info = agent["agent_info"]
    persistent = (r for r in agent.get("total_resources", []) if "persistence" in r.get("disk", {}))
    held = [resource_from_wire(r) for r in persistent]
    volumes = frozenset(r.persistence.id for r in held if r.persistence is not None and identity_of(r) is not None)
    return _Place(_value(info, "id"), info["hostname"], volumes, bool(agent.get("deactivated")))


def _framework(framework: Mapping[str, Any]) -> _Framework:
    info = framework["framework_info"]
    labels = {label["key"]: label.get("value", "") for label in info.get("labels", {}).get("labels", [])}
    offered = (resource for offer in framework.get("offers", []) for resource in offer.get("resources", []))
    return _Framework(_value(info, "id"), info.get("name", ""), labels.get(LABEL_CLUSTER, ""), _owners(offered))


def _user(task: Mapping[str, Any]) -> _User | None:
    """Return a task as a user of what is reserved for members; None where it uses none of that."""
    uses = _owners(task.get("resources", []))
    if not uses:
        return None
    return _User(_value(task, "task_id"), _value(task, "framework_id"), _value(task, "agent_id"), uses)


def _owners(resources: Iterable[Mapping[str, Any]]) -> frozenset[DataIdentity]:
    found = (identity_of(resource_from_wire(resource)) for resource in resources)
    return frozenset(identity for identity in found if identity is not None)


def _value(message: Mapping[str, Any], name: str) -> str:
    return str(message.get(name, {}).get("value", ""))
