"""What Mesos tells: each event changes a book and enqueues the keys that should look at it. Nothing is decided here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from logging import getLogger
from typing import Any

from statefuldb.adapters.mesos.agent_registry import AgentRegistry
from statefuldb.adapters.mesos.books import Books
from statefuldb.adapters.mesos.driver import ConnectionState, Event
from statefuldb.adapters.mesos.inverse_offers import InverseOffers
from statefuldb.adapters.mesos.master_api import ListTasks
from statefuldb.adapters.mesos.operation_wire import operation_from_wire, operation_status_from_wire
from statefuldb.adapters.mesos.wire import (
    inverse_offer_from_wire,
    ledger_of_task,
    offer_from_wire,
    status_from_wire,
)
from statefuldb.model.identity import DatabaseKey, ReservationLabels, TaskId
from statefuldb.model.observed import NOT_SUBSCRIBED_YET, OperationStatus, TaskStatus
from statefuldb.reconcile.machine import Clock
from statefuldb.reconcile.ports import EffectFailed, NotAnswered, Superseded

log = getLogger(__name__)

OnOffers = Callable[[frozenset[DatabaseKey], frozenset[str]], None]


class Intake:
    """Takes events and the state of the connection, in the order in which they come."""

    def __init__(
        self,
        *,
        books: Books,
        agents: AgentRegistry,
        inverse_offers: InverseOffers,
        list_tasks: ListTasks,
        list_operations: Callable[[], Sequence[Mapping[str, Any]]],
        cluster: str,
        save_framework_id: Callable[[str], None],
        resubscribe: Callable[[], None],
        give_way: Callable[[str], None],
        launched: Callable[[Iterable[str]], None],
        acknowledge: Callable[[TaskStatus], None],
        acknowledge_operation: Callable[[OperationStatus], None],
        on_subscribed: Callable[[], None],
        on_owed: Callable[[], None],
        on_offers: OnOffers,
        on_connected: Callable[[], None],
        owner_of: Callable[[str], DatabaseKey | None],
        enqueue: Callable[[DatabaseKey], None],
        clock: Clock,
    ) -> None:
        self._books = books
        self._agents = agents
        self._inverse_offers = inverse_offers
        self._list_tasks = list_tasks
        self._list_operations = list_operations
        self._cluster = cluster
        self._save_framework_id = save_framework_id
        self._resubscribe = resubscribe
        self._give_way = give_way
        self._launched = launched
        self._acknowledge = acknowledge
        self._acknowledge_operation = acknowledge_operation
        self._on_subscribed = on_subscribed
        self._on_owed = on_owed
        self._on_offers = on_offers
        self._on_connected = on_connected
        self._owner_of = owner_of
        self._enqueue = enqueue
        self._clock = clock
        self._listed = False
        self._strangers: set[TaskId] = set()
        self._begins_anew_for = ""
        self.connection = ConnectionState(connected=False, error=NOT_SUBSCRIBED_YET)

    def state(self, state: ConnectionState) -> None:
        """Take the end of a connection up; its beginning is the event SUBSCRIBED."""
        if state.connected:
            return
        # That the stream has ended is what we did ourselves.
        why, self._begins_anew_for = self._begins_anew_for, ""
        self.connection = state = replace(state, error=why) if why and not state.fatal else state
        self._books.offers.clear()
        log.warning("Mesos: %s%s", state.error, " (not tried again)" if state.fatal else "")
        self._on_connected()

    def event(self, event: Event) -> None:
        """Take one event up."""
        match event.get("type"):
            case "SUBSCRIBED":
                self._take_up(event["subscribed"])
            case "OFFERS":
                self._offered(event["offers"]["offers"])
            case "RESCIND":
                self._books.offers.take([event["rescind"]["offer_id"]["value"]])
            case "UPDATE":
                self._updated(event["update"]["status"])
            case "UPDATE_OPERATION_STATUS":
                self._operation_updated(event["update_operation_status"]["status"])
            case "FAILURE":
                self._failed(event["failure"])
            case "INVERSE_OFFERS":
                self._maintenance_announced(event["inverse_offers"]["inverse_offers"])
            case "RESCIND_INVERSE_OFFER":
                offer_id = event["rescind_inverse_offer"]["inverse_offer_id"]["value"]
                self._look_at(self._books.maintenance.rescinded(offer_id))
            case _:
                pass

    def _take_up(self, subscribed: Event) -> None:
        """Take a subscription up, or begin another: while its stream goes on, nobody says again what was missed."""
        try:
            self._subscribed(subscribed)
        except Exception as mistake:  # whatever it was, an operator that waits for ever is worse
            log.exception("a subscription could not be taken up")
            self._begin_anew(f"a defect in statefuldb: {type(mistake).__name__}")

    def _subscribed(self, subscribed: Event) -> None:
        # The id must be durable before anything is launched under it.
        try:
            self._save_framework_id(subscribed["framework_id"]["value"])
        except Superseded as error:
            self._give_way(str(error))
            return
        except EffectFailed as error:
            self._begin_anew(f"the framework id could not be stored: {error}")
            return
        self._books.subscribed()
        self._agents.clear()
        # Before anything is decided: what runs would look like data that nobody uses.
        try:
            self._take_inventory()
            self._listed = True
        except EffectFailed as error:
            log.warning("not all of agents, tasks and operations could be listed: %s", error)
            # It passes; a master that does not let us look is worked with as well as may be.
            if isinstance(error, NotAnswered) and not self._listed:
                self._begin_anew(f"what runs could not be listed: {error}")
                return
        self.connection = ConnectionState(connected=True)
        self._on_connected()
        self._on_subscribed()

    def _begin_anew(self, why: str) -> None:
        log.warning("%s; nothing is begun, and it is subscribed again", why)
        self._begins_anew_for = why
        self._resubscribe()

    def _take_inventory(self) -> None:
        """Learn from the tasks' labels whose they are, whatever has become of the ledger meanwhile; and the agents.

        Which task ids are used up is learned of those that are over, too. An operation that is not over was sent by an
        operator before this one: what is offered of its agent is what will be there once that has obeyed.
        Raises EffectFailed.
        """
        self._agents.look()
        self._list()
        pending = map(operation_from_wire, self._list_operations())
        self._books.operations.take_stock(status for status in pending if status is not None)

    def _list(self) -> None:
        listed, over = self._list_tasks(lambda task: (task["task_id"]["value"], ledger_of_task(task, self._cluster)))
        self._launched(task_id for task_id, _ in (*listed, *over) if TaskId.parse(task_id) is not None)
        self._books.tasks.take_stock(
            (record for _, record in listed if record is not None),
            (record for _, record in over if record is not None),
        )

    def _offered(self, offers: Sequence[Mapping[str, Any]]) -> None:
        now = self._clock.now()
        found = [offer_from_wire(offer, now) for offer in offers]
        self._books.offers.add(found)
        self._books.maintenance.offered(found)
        if self._books.in_reach({offer.agent_id for offer in found}):
            self._on_owed()
        labels = [r.labels for offer in found for r in offer.resources]
        hosts = frozenset(offer.hostname for offer in found)
        self._on_offers(frozenset(_key(label) for label in labels if label is not None), hosts)

    def _updated(self, wire: Mapping[str, Any]) -> None:
        status = status_from_wire(wire, self._clock.now())
        if status is None:
            return
        if status.state.over:
            self._strangers.discard(status.id)
        # After a restart nobody follows any task yet: whoever has the data looks, and acknowledges what is recorded.
        key = self._books.tasks.update(status) or self._key_of(status.id.uid) or self._key_of_stranger(status)
        self._inverse_offers.look()
        if key is not None:
            self._enqueue(key)
        elif status.uuid is not None:
            self._acknowledge(status)

    def _operation_updated(self, wire: Mapping[str, Any]) -> None:
        status = operation_status_from_wire(wire)
        if status is None:
            return
        log.info("%s on %s: %s %s", status.id, status.agent_id or "the master", status.state, status.message)
        self._books.operations.update(status)
        key = self._key_of(status.id.uid)
        if key is not None:
            self._enqueue(key)
        else:
            # Of data that nobody looks after: the line above is all that is ever made of it.
            self._acknowledge_operation(status)

    def _key_of(self, uid: str) -> DatabaseKey | None:
        """Return whose data has this uid, as the ledger or a task's label tells; None where nobody looks after it."""
        return self._owner_of(uid) or self._books.tasks.key_of(uid)

    def _key_of_stranger(self, status: TaskStatus) -> DatabaseKey | None:
        """Return whose a task is that runs and of which nobody has heard, None where its label does not tell.

        It was out of the master's sight when tasks were listed, and the ledger has lost its entry.
        """
        if not status.state.alive or status.id in self._strangers:
            return None
        try:
            self._list()
        except EffectFailed as error:
            log.warning("%s runs, and tasks could not be listed: %s", status.id, error)
            return None
        self._strangers.add(status.id)
        return self._key_of(status.id.uid)

    def _maintenance_announced(self, inverse_offers: Sequence[Mapping[str, Any]]) -> None:
        found = [offer for offer in map(inverse_offer_from_wire, inverse_offers) if offer is not None]
        self._books.maintenance.announced(found)
        self._inverse_offers.look()
        for offer in found:
            self._look_at(offer.agent_id)

    def _look_at(self, agent_id: str | None) -> None:
        """Have everyone with a task on an agent look again."""
        for key in sorted(self._books.tasks.keys_on(agent_id) if agent_id is not None else ()):
            self._enqueue(key)

    def _failed(self, failure: Mapping[str, Any]) -> None:
        """An agent was removed, unless it is an executor that failed."""
        if "agent_id" in failure and "executor_id" not in failure:
            self._agents.lost(failure["agent_id"]["value"])


def _key(labels: ReservationLabels) -> DatabaseKey:
    return DatabaseKey(namespace=labels.namespace, name=labels.name)
