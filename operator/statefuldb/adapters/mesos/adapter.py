"""The Mesos port: what was offered, what tasks are known to be doing, and the calls of one framework.

Events only change caches and enqueue keys. A status is acknowledged when the worker says that it is recorded.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from logging import getLogger
from typing import Any

from statefuldb.adapters.mesos.driver import CallFailed, ConnectionState, Driver, Event
from statefuldb.adapters.mesos.guard import UnsafeRequest
from statefuldb.adapters.mesos.wire import (
    ledger_of_task,
    offer_from_wire,
    operation_to_wire,
    reserved_from_wire,
    status_from_wire,
    status_to_acknowledge,
)
from statefuldb.model.actions import AcceptOffers, KillTask
from statefuldb.model.identity import DatabaseKey, ReservationLabels, TaskId
from statefuldb.model.observed import MesosView, Offers, TaskState, TaskStatus
from statefuldb.model.operations import LaunchTask
from statefuldb.model.resources import AgentOffer
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import from_label
from statefuldb.reconcile.ports import Clock, EffectFailed

log = getLogger(__name__)

KILL_PATIENCE_SECONDS = 30.0
LEFTOVER_REFUSE_SECONDS = 1.0
RECONCILE_AGAIN_SECONDS = 15.0
RECONCILE_ALL_SECONDS = 900.0


class MesosAdapter:
    """One framework as the worker sees it."""

    def __init__(
        self,
        *,
        make_driver: Callable[[Callable[[Event], None], Callable[[ConnectionState], None]], Driver],
        list_tasks: Callable[[], Sequence[Mapping[str, Any]]],
        list_agents: Callable[[], Sequence[Mapping[str, Any]]],
        cluster: str,
        role: str,
        principal: str | None,
        keeper_command: tuple[str, ...],
        save_framework_id: Callable[[str], None],
        on_offers: Callable[[frozenset[DatabaseKey]], None],
        on_connected: Callable[[], None],
        enqueue: Callable[[DatabaseKey], None],
        clock: Clock,
    ) -> None:
        self._list_tasks = list_tasks
        self._list_agents = list_agents
        self._cluster = cluster
        self._role = role
        self._principal = principal
        self._keeper_command = keeper_command
        self._save_framework_id = save_framework_id
        self._on_offers = on_offers
        self._on_connected = on_connected
        self._enqueue = enqueue
        self._clock = clock
        self._lock = threading.RLock()
        self._offers: dict[str, AgentOffer] = {}
        self._tasks: dict[TaskId, TaskStatus] = {}
        self._expected: dict[TaskId, tuple[DatabaseKey, str]] = {}
        self._killed: dict[TaskId, float] = {}
        self._found: dict[TaskId, VolumeRecord] = {}
        self._connected = False
        self._error = "not subscribed yet"
        self._reconciler: threading.Timer | None = None
        self._stopped = False
        self._driver = make_driver(self._event, self._state)

    def start(self) -> None:
        """Subscribe."""
        self._driver.start()

    def stop(self) -> None:
        """Leave, without a word to Mesos: tasks run on."""
        with self._lock:
            self._stopped = True
            if self._reconciler is not None:
                self._reconciler.cancel()
        self._driver.stop()

    def view(self) -> MesosView:
        """Return the state of the connection."""
        return MesosView(
            connected=self._connected,
            framework_id=self._driver.framework_id,
            role=self._role,
            principal=self._principal,
            error=self._error,
        )

    def offers(self) -> Offers:
        """Return the outstanding offers, those of one agent and role together."""
        joined: dict[tuple[str, str], AgentOffer] = {}
        with self._lock:
            for offer in self._offers.values():
                place = (offer.agent_id, offer.role)
                held = joined.get(place)
                joined[place] = _join(held, offer) if held is not None else offer
        return tuple(joined[place] for place in sorted(joined))

    def tasks(self, uid: str) -> Mapping[TaskId, TaskStatus]:
        """Return what is known of the tasks of one data identity; one just killed counts as KILLING."""
        now = self._clock.now()
        with self._lock:
            return {
                task_id: self._with_kill(status, now) for task_id, status in self._tasks.items() if task_id.uid == uid
            }

    def found(self, key: DatabaseKey) -> tuple[VolumeRecord, ...]:
        """Return the ledger entries that tasks of this database name carry."""
        with self._lock:
            return tuple(record for record in self._found.values() if record.key == key)

    def reserved(self) -> Offers | None:
        """Return what the registered agents hold for us now, offered or not; None where the master does not say."""
        try:
            found = [reserved_from_wire(agent, self._cluster) for agent in self._list_agents()]
        except EffectFailed as error:
            log.warning("agents could not be listed: %s", error)
            return None
        return tuple(held for held in found if held is not None)

    def found_keys(self) -> set[DatabaseKey]:
        """Return every database name that has a task."""
        with self._lock:
            return {record.key for record in self._found.values()}

    def expect(self, key: DatabaseKey, task_id: TaskId, agent_id: str) -> None:
        """Follow a task: ask for it until it is answered, and enqueue its key on each status."""
        with self._lock:
            self._expected[task_id] = (key, agent_id)
            if task_id not in self._tasks:
                self._schedule(RECONCILE_AGAIN_SECONDS)

    def forget(self, task_id: TaskId) -> None:
        """Follow a task no longer, unless it came back: then it is followed until it is over again."""
        with self._lock:
            known = self._tasks.get(task_id)
            if known is not None and known.state.alive:
                return
            self._expected.pop(task_id, None)
            self._killed.pop(task_id, None)
            self._found.pop(task_id, None)
            if known is not None and known.state.over and known.uuid is None:
                del self._tasks[task_id]

    def accept(self, wanted: AcceptOffers) -> None:
        """Send one ACCEPT. Raises EffectFailed."""
        with self._lock:
            held = [i for i in wanted.offer_ids if i in self._offers]
            for offer_id in held:
                del self._offers[offer_id]
        if len(held) != len(wanted.offer_ids):
            raise EffectFailed(f"an offer of {wanted.agent.hostname} is gone", conflict=True)
        operations = [operation_to_wire(o, self._keeper_command) for o in wanted.operations]
        ids = [{"value": offer_id} for offer_id in wanted.offer_ids]
        filters = {"refuse_seconds": LEFTOVER_REFUSE_SECONDS}
        for operation in wanted.operations:
            record = from_label(operation.ledger) if isinstance(operation, LaunchTask) else None
            if record is not None and record.task_id is not None:
                with self._lock:
                    self._found[record.task_id] = record
        self._call(lambda: self._driver.acceptOffers(ids, operations, filters=filters))

    def kill(self, wanted: KillTask) -> None:
        """Send one KILL. Raises EffectFailed."""
        self._call(lambda: self._driver.kill(str(wanted.task_id), wanted.agent_id, wanted.grace_seconds))
        with self._lock:
            self._killed[wanted.task_id] = self._clock.now()

    def acknowledge(self, status: TaskStatus) -> None:
        """Acknowledge a status. A lost acknowledgement is asked for again by Mesos."""
        with self._lock:
            if self._tasks.get(status.id) == status:
                self._tasks[status.id] = replace(status, uuid=None)
        try:
            self._driver.acknowledgeStatusUpdate(status_to_acknowledge(status))
        except CallFailed as error:
            log.warning("%s", error)

    def decline(self, offer_ids: Sequence[str], refuse_seconds: float) -> None:
        """Decline what is still outstanding of these."""
        with self._lock:
            held = [i for i in offer_ids if self._offers.pop(i, None) is not None]
        if held:
            ids = [{"value": offer_id} for offer_id in held]
            filters = {"refuse_seconds": refuse_seconds}
            self._call(lambda: self._driver.declineOffer(ids, filters=filters))

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

    def _with_kill(self, status: TaskStatus, now: float) -> TaskStatus:
        sent = self._killed.get(status.id)
        recent = sent is not None and now - sent < KILL_PATIENCE_SECONDS
        return replace(status, state=TaskState.KILLING) if recent and status.state.alive else status

    def _event(self, event: Event) -> None:
        match event.get("type"):
            case "SUBSCRIBED":
                self._subscribed(event["subscribed"])
            case "OFFERS":
                self._offered(event["offers"]["offers"])
            case "RESCIND":
                with self._lock:
                    self._offers.pop(event["rescind"]["offer_id"]["value"], None)
            case "UPDATE":
                self._updated(event["update"]["status"])
            case "UPDATE_OPERATION_STATUS":
                self._driver.acknowledge_operation(event["update_operation_status"]["status"])
            case "INVERSE_OFFERS":
                log.info("maintenance was announced; inverse offers are left unanswered")
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
        with self._lock:
            self._offers.clear()
            self._connected = True
            self._error = ""
        self._take_inventory()
        self._on_connected()
        self._reconcile()

    def _take_inventory(self) -> None:
        """Learn from the tasks' labels whose they are, whatever has become of the ledger meanwhile."""
        try:
            listed = [ledger_of_task(task, self._cluster) for task in self._list_tasks()]
        except EffectFailed as error:
            log.warning("tasks could not be listed: %s", error)
            return
        found = {record.task_id: record for record in listed if record is not None and record.task_id is not None}
        with self._lock:
            self._found.update(found)

    def _state(self, state: ConnectionState) -> None:
        if state.connected:
            return
        with self._lock:
            self._connected = False
            self._error = state.error
            self._offers.clear()
        log.warning("Mesos: %s%s", state.error, " (not tried again)" if state.fatal else "")
        self._on_connected()

    def _offered(self, offers: Sequence[Mapping[str, Any]]) -> None:
        now = self._clock.now()
        found = [offer_from_wire(offer, now) for offer in offers]
        with self._lock:
            self._offers.update({offer.offer_ids[0]: offer for offer in found})
        labels = [r.labels for offer in found for r in offer.resources]
        self._on_offers(frozenset(_key(label) for label in labels if label is not None))

    def _updated(self, wire: Mapping[str, Any]) -> None:
        status = status_from_wire(wire, self._clock.now())
        if status is None:
            return
        with self._lock:
            known = self._tasks.get(status.id)
            # What an agent said of an end is not undone by what a master guesses afterwards.
            if known is None or not (known.state.over and not status.state.over):
                # Said again it is no news: since when a state holds is what waits are counted from.
                again = known is not None and known.state is status.state
                since = known.seen_at_seconds if known is not None and again else status.seen_at_seconds
                self._tasks[status.id] = replace(status, seen_at_seconds=since)
            expected = self._expected.get(status.id)
        if expected is not None:
            self._enqueue(expected[0])
        elif status.uuid is not None:
            self._driver.acknowledgeStatusUpdate(status_to_acknowledge(status))

    def _reconcile(self) -> None:
        """Ask for every followed task, with its agent id; about everything once in a while."""
        with self._lock:
            if self._stopped:
                return
            wanted = {str(task_id): agent for task_id, (_, agent) in self._expected.items()}
            open_ = any(task_id not in self._tasks for task_id in self._expected)
        try:
            if self._driver.connected:
                if wanted:
                    self._driver.reconcile(wanted)
                self._driver.reconcile({})
        except CallFailed as error:
            log.warning("%s", error)
        with self._lock:
            self._schedule(RECONCILE_AGAIN_SECONDS if open_ else RECONCILE_ALL_SECONDS)

    def _schedule(self, seconds: float) -> None:
        due = self._clock.now() + seconds
        running = self._reconciler
        if self._stopped or (running is not None and running.is_alive() and self._due <= due):
            return
        if running is not None:
            running.cancel()
        self._due = due
        self._reconciler = threading.Timer(seconds, self._reconcile)
        self._reconciler.daemon = True
        self._reconciler.start()

    _due = 0.0


def _key(labels: ReservationLabels) -> DatabaseKey:
    return DatabaseKey(namespace=labels.namespace, name=labels.name)


def _join(held: AgentOffer, offer: AgentOffer) -> AgentOffer:
    return replace(
        held,
        offer_ids=(*held.offer_ids, *offer.offer_ids),
        resources=(*held.resources, *offer.resources),
        received_at_seconds=min(held.received_at_seconds, offer.received_at_seconds),
    )
