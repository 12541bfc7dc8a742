"""The Mesos port: what was offered, what tasks and operations are known to be doing, and the calls of one framework.

Events only change caches and enqueue keys. A status is acknowledged when the worker says that it is recorded.
"""

from collections.abc import Callable, Mapping, Sequence
from logging import getLogger
from typing import Any

from statefuldb.adapters.mesos.agent_registry import AgentRegistry
from statefuldb.adapters.mesos.driver import CallFailed, ConnectionState, Driver, Event
from statefuldb.adapters.mesos.guard import UnsafeRequest
from statefuldb.adapters.mesos.maintenance_book import MaintenanceBook
from statefuldb.adapters.mesos.offer_cache import OfferCache
from statefuldb.adapters.mesos.operation_book import OperationBook
from statefuldb.adapters.mesos.operation_wire import (
    operation_id,
    operation_status_from_wire,
    operation_status_to_acknowledge,
    operation_to_wire,
)
from statefuldb.adapters.mesos.reconciliation import Reconciler
from statefuldb.adapters.mesos.sightings import Sightings
from statefuldb.adapters.mesos.task_book import TaskBook
from statefuldb.adapters.mesos.timers import Timers
from statefuldb.adapters.mesos.wire import (
    inverse_offer_from_wire,
    ledger_of_task,
    offer_from_wire,
    reserved_from_wire,
    status_from_wire,
    status_to_acknowledge,
)
from statefuldb.model.actions import AcceptOffers, KillTask
from statefuldb.model.identity import DatabaseKey, DataIdentity, ReservationLabels, TaskId
from statefuldb.model.observed import MesosView, Offers, OperationStatus, Sighting, TaskStatus
from statefuldb.model.operations import LaunchTask
from statefuldb.model.resources import Unavailability
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import from_label
from statefuldb.reconcile.ports import Clock, EffectFailed

log = getLogger(__name__)

LEFTOVER_REFUSE_SECONDS = 1.0


class MesosAdapter:
    """One framework as the worker sees it."""

    def __init__(
        self,
        *,
        make_driver: Callable[[Callable[[Event], None], Callable[[ConnectionState], None]], Driver],
        list_tasks: Callable[[], Sequence[Mapping[str, Any]]],
        list_agents: Callable[[], Sequence[Mapping[str, Any]]],
        list_frameworks: Callable[[], Sequence[Mapping[str, Any]]],
        cluster: str,
        role: str,
        principal: str | None,
        keeper_command: tuple[str, ...],
        save_framework_id: Callable[[str], None],
        on_offers: Callable[[frozenset[DatabaseKey]], None],
        on_connected: Callable[[], None],
        enqueue: Callable[[DatabaseKey], None],
        clock: Clock,
        timers: Timers,
    ) -> None:
        self._list_tasks = list_tasks
        self._cluster = cluster
        self._role = role
        self._principal = principal
        self._keeper_command = keeper_command
        self._save_framework_id = save_framework_id
        self._on_offers = on_offers
        self._on_connected = on_connected
        self._enqueue = enqueue
        self._clock = clock
        self._offers = OfferCache()
        self._tasks = TaskBook(clock)
        self._operations = OperationBook()
        self._agents = AgentRegistry(list_agents)
        self._maintenance = MaintenanceBook()
        self._sightings = Sightings(
            list_agents=self._agents.list, list_tasks=list_tasks, list_frameworks=list_frameworks, clock=clock
        )
        self._timers = timers
        self._reconciler = Reconciler(ask=self._ask, timers=timers, clock=clock)
        self._state_seen = ConnectionState(connected=False, error="not subscribed yet")
        self._driver = make_driver(self._event, self._state)

    def start(self) -> None:
        """Subscribe."""
        self._driver.start()

    def stop(self) -> None:
        """Leave, without a word to Mesos: tasks run on."""
        self._reconciler.stop()
        self._driver.stop()

    def view(self) -> MesosView:
        """Return the state of the connection."""
        return MesosView(
            connected=self._state_seen.connected,
            framework_id=self._driver.framework_id,
            role=self._role,
            principal=self._principal,
            error=self._state_seen.error,
            fatal=self._state_seen.fatal,
        )

    def offers(self) -> Offers:
        """Return the outstanding offers, those of one agent and role together."""
        return self._offers.joined()

    def tasks(self, uid: str) -> Mapping[TaskId, TaskStatus]:
        """Return what is known of the tasks of one data identity; one just killed counts as KILLING."""
        return self._tasks.statuses(uid)

    def operations(self, uid: str) -> tuple[OperationStatus, ...]:
        """Return what is known of the last operations of each member of one data identity."""
        return self._operations.statuses(uid)

    def maintenance(self) -> Mapping[str, Unavailability]:
        """Return when agents, by id, are announced to be away."""
        return self._maintenance.windows()

    def found(self, key: DatabaseKey) -> tuple[VolumeRecord, ...]:
        """Return the ledger entries that tasks of this database name carry."""
        return self._tasks.found(key)

    def reserved(self) -> Offers | None:
        """Return what the registered agents hold for us now, offered or not; None where the master does not say."""
        try:
            found = [reserved_from_wire(agent, self._cluster) for agent in self._agents.list()]
        except EffectFailed as error:
            log.warning("agents could not be listed: %s", error)
            return None
        return tuple(held for held in found if held is not None)

    def sighting(self, identity: DataIdentity) -> Sighting | None:
        """Return what the master says of a member's resources, offered or not; None where it does not say."""
        return self._sightings.of(identity)

    def found_keys(self) -> set[DatabaseKey]:
        """Return every database name that has a task."""
        return self._tasks.found_keys()

    def expect(self, key: DatabaseKey, task_id: TaskId, agent_id: str) -> None:
        """Follow a task: ask for it until it is answered, and enqueue its key on each status."""
        if self._tasks.follow(key, task_id, agent_id):
            self._reconciler.owed()

    def forget(self, task_id: TaskId) -> None:
        """Follow a task no longer, unless it came back: then it is followed until it is over again."""
        self._tasks.forget(task_id)

    def accept(self, wanted: AcceptOffers) -> None:
        """Send one ACCEPT. Raises EffectFailed."""
        if len(self._offers.take(wanted.offer_ids)) != len(wanted.offer_ids):
            raise EffectFailed(f"an offer of {wanted.agent.hostname} is gone", conflict=True)
        ids = {}
        if self._agents.gives_feedback(wanted.agent.id):
            ids = {n: operation_id(o, n, wanted.offer_ids[0]) for n, o in enumerate(wanted.operations)}
        operations = [operation_to_wire(o, self._keeper_command, ids.get(n)) for n, o in enumerate(wanted.operations)]
        labels = [o.ledger for o in wanted.operations if isinstance(o, LaunchTask)]
        self._tasks.learn(record for record in map(from_label, labels) if record is not None)
        self._operations.sent((i for i in ids.values() if i is not None), wanted.agent.id)
        if self._operations.owed():
            self._reconciler.owed()
        filters = {"refuse_seconds": LEFTOVER_REFUSE_SECONDS}
        self._call(lambda: self._driver.acceptOffers(_ids(wanted.offer_ids), operations, filters=filters))

    def kill(self, wanted: KillTask) -> None:
        """Send one KILL. Raises EffectFailed."""
        self._call(lambda: self._driver.kill(str(wanted.task_id), wanted.agent_id, wanted.grace_seconds))
        self._tasks.killed(wanted.task_id)

    def acknowledge(self, status: TaskStatus) -> None:
        """Acknowledge a status. A lost acknowledgement is asked for again by Mesos."""
        self._tasks.acknowledged(status)
        self._send(lambda: self._driver.acknowledgeStatusUpdate(status_to_acknowledge(status)))

    def acknowledge_operation(self, status: OperationStatus) -> None:
        """Acknowledge an operation's status, unless its agent is no longer registered: that would crash the master."""
        self._operations.acknowledged(status)
        if status.uuid is None or status.agent_id is None:
            return
        if not self._agents.registered(status.agent_id):
            log.info("%s is not acknowledged: its agent is not registered (MESOS-10011)", status.id)
            return
        self._send(lambda: self._driver.acknowledge_operation(operation_status_to_acknowledge(status)))

    def decline(self, offer_ids: Sequence[str], refuse_seconds: float) -> None:
        """Decline what is still outstanding of these."""
        held = self._offers.take(offer_ids)
        if held:
            filters = {"refuse_seconds": refuse_seconds}
            self._call(lambda: self._driver.declineOffer(_ids(held), filters=filters))

    def revive(self) -> None:
        """Ask for offers again."""
        self._call(lambda: self._driver.reviveOffers([self._role]))

    def suppress(self) -> None:
        """Ask for no more offers."""
        self._call(lambda: self._driver.suppressOffers([self._role]))

    def _call(self, call: Callable[[], Any]) -> None:
        if not self._driver.connected:
            raise EffectFailed("Mesos is not connected")
        try:
            call()
        except (CallFailed, UnsafeRequest) as error:
            raise EffectFailed(str(error)) from error

    def _send(self, call: Callable[[], Any]) -> None:
        """Make a call whose failure mends itself: it is made again when Mesos tells again."""
        try:
            call()
        except CallFailed as error:
            log.warning("%s", error)

    def _event(self, event: Event) -> None:
        match event.get("type"):
            case "SUBSCRIBED":
                self._subscribed(event["subscribed"])
            case "OFFERS":
                self._offered(event["offers"]["offers"])
            case "RESCIND":
                self._offers.take([event["rescind"]["offer_id"]["value"]])
            case "UPDATE":
                self._updated(event["update"]["status"])
            case "UPDATE_OPERATION_STATUS":
                self._operation_updated(event["update_operation_status"]["status"])
            case "FAILURE":
                self._failed(event["failure"])
            case "INVERSE_OFFERS":
                self._maintenance_announced(event["inverse_offers"]["inverse_offers"])
            case "RESCIND_INVERSE_OFFER":
                agent_id = self._maintenance.rescinded(event["rescind_inverse_offer"]["inverse_offer_id"]["value"])
                self._look_at(agent_id)
            case _:
                pass

    def _subscribed(self, subscribed: Event) -> None:
        # The id must be durable before anything is launched under it.
        try:
            self._save_framework_id(subscribed["framework_id"]["value"])
        except EffectFailed as error:
            log.warning("the framework id could not be stored, nothing is begun: %s", error)
            self._driver.resubscribe()
            return
        self._offers.clear()
        self._agents.clear()
        self._maintenance.clear()
        self._tasks.subscribed()
        self._operations.subscribed()
        self._state_seen = ConnectionState(connected=True)
        self._take_inventory()
        self._on_connected()
        self._reconciler.begin()

    def _take_inventory(self) -> None:
        """Learn from the tasks' labels whose they are, whatever has become of the ledger meanwhile."""
        try:
            listed = [ledger_of_task(task, self._cluster) for task in self._list_tasks()]
        except EffectFailed as error:
            log.warning("tasks could not be listed: %s", error)
            return
        self._tasks.learn(record for record in listed if record is not None)

    def _state(self, state: ConnectionState) -> None:
        if state.connected:
            return
        self._state_seen = state
        self._offers.clear()
        log.warning("Mesos: %s%s", state.error, " (not tried again)" if state.fatal else "")
        self._on_connected()

    def _offered(self, offers: Sequence[Mapping[str, Any]]) -> None:
        now = self._clock.now()
        found = [offer_from_wire(offer, now) for offer in offers]
        self._offers.add(found)
        self._maintenance.offered(found)
        labels = [r.labels for offer in found for r in offer.resources]
        self._on_offers(frozenset(_key(label) for label in labels if label is not None))

    def _updated(self, wire: Mapping[str, Any]) -> None:
        status = status_from_wire(wire, self._clock.now())
        if status is None:
            return
        key = self._tasks.update(status)
        self._answer_inverse_offers()
        if key is not None:
            self._enqueue(key)
        elif status.uuid is not None:
            self._driver.acknowledgeStatusUpdate(status_to_acknowledge(status))

    def _maintenance_announced(self, inverse_offers: Sequence[Mapping[str, Any]]) -> None:
        found = [offer for offer in map(inverse_offer_from_wire, inverse_offers) if offer is not None]
        self._maintenance.announced(found)
        for offer in found:
            self._look_at(offer.agent_id)
            wait = offer.window.start_seconds - self._clock.now()
            if wait > 0:
                self._timers.after(wait, self._answer_inverse_offers)
        self._answer_inverse_offers()

    def _look_at(self, agent_id: str | None) -> None:
        for key in sorted(self._tasks.keys_on(agent_id) if agent_id is not None else ()):
            self._enqueue(key)

    def _answer_inverse_offers(self) -> None:
        accepted, declined = self._maintenance.answers(self._tasks.alive_on, self._clock.now())
        if accepted:
            self._send(lambda: self._driver.acceptInverseOffers(_ids(accepted)))
        if declined:
            self._send(lambda: self._driver.declineInverseOffer(_ids(declined)))

    def _operation_updated(self, wire: Mapping[str, Any]) -> None:
        status = operation_status_from_wire(wire)
        if status is None:
            return
        log.info("%s on %s: %s %s", status.id, status.agent_id or "the master", status.state, status.message)
        self._operations.update(status)
        key = self._tasks.key_of(status.id.uid)
        if key is not None:
            self._enqueue(key)
        else:
            # Of data that nobody looks after: the line above is all that is ever made of it.
            self.acknowledge_operation(status)

    def _failed(self, failure: Mapping[str, Any]) -> None:
        """An agent was removed, unless it is an executor that failed."""
        if "agent_id" in failure and "executor_id" not in failure:
            self._agents.lost(failure["agent_id"]["value"])

    def _ask(self, everything: bool) -> bool:
        """Ask about followed tasks and sent operations with their agents' ids. Return whether answers are owed."""
        tasks = self._tasks.to_ask(everything=everything)
        operations = self._operations.to_ask(everything=everything)
        if not self._driver.connected:
            return False
        try:
            if tasks:
                self._driver.reconcile(tasks)
            if everything:
                self._driver.reconcile({})
            if operations:
                self._driver.reconcile_operations(operations)
        except CallFailed as error:
            log.warning("%s", error)
        return self._tasks.owed() or self._operations.owed()


def _key(labels: ReservationLabels) -> DatabaseKey:
    return DatabaseKey(namespace=labels.namespace, name=labels.name)


def _ids(values: Sequence[str]) -> list[Mapping[str, str]]:
    return [{"value": value} for value in values]
