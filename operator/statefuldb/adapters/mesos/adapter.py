"""The Mesos port: what was offered, what tasks and operations are known to be doing, and the calls of one framework.

Events only change caches and enqueue keys. A status is acknowledged when a worker says that it is recorded.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from logging import getLogger
from typing import Any

from statefuldb.adapters.mesos.agent_registry import AgentRegistry
from statefuldb.adapters.mesos.books import Books
from statefuldb.adapters.mesos.calls import CallFailed
from statefuldb.adapters.mesos.driver import ConnectionState, Driver, Event
from statefuldb.adapters.mesos.former_tasks import FormerTasks
from statefuldb.adapters.mesos.intake import Intake, OnOffers
from statefuldb.adapters.mesos.inverse_offers import InverseOffers
from statefuldb.adapters.mesos.maintenance_book import MaintenanceBook
from statefuldb.adapters.mesos.master_api import ListEach, ListTasks
from statefuldb.adapters.mesos.offer_cache import OfferCache
from statefuldb.adapters.mesos.operation_book import OperationBook
from statefuldb.adapters.mesos.operation_wire import operation_id, operation_status_to_acknowledge, operation_to_wire
from statefuldb.adapters.mesos.reconciliation import Reconciler
from statefuldb.adapters.mesos.reserved import Reserved
from statefuldb.adapters.mesos.sending import Sending
from statefuldb.adapters.mesos.sightings import Sightings
from statefuldb.adapters.mesos.task_book import TaskBook
from statefuldb.adapters.mesos.wire import ids_to_wire, status_to_acknowledge
from statefuldb.model.actions import AcceptOffers, KillTask
from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.observed import MesosView, Observed, Offers, OperationStatus, Sighting, TaskStatus
from statefuldb.model.operations import Destroy, LaunchTask, Unreserve
from statefuldb.model.resources import Unavailability
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import from_label
from statefuldb.reconcile.machine import Clock, Lock, Timers
from statefuldb.reconcile.mesos_port import Excerpt
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)

LEFTOVER_REFUSE_SECONDS = 1.0


class MesosAdapter:
    """One framework as the workers see it."""

    def __init__(
        self,
        *,
        make_driver: Callable[[Callable[[Event], None], Callable[[ConnectionState], None]], Driver],
        list_tasks: ListEach,
        list_tasks_ever: ListTasks,
        list_agents: ListEach,
        list_frameworks: Callable[[], Sequence[Mapping[str, Any]]],
        list_operations: Callable[[], Sequence[Mapping[str, Any]]],
        cluster: str,
        role: str,
        principal: str | None,
        keeper_command: tuple[str, ...],
        save_framework_id: Callable[[str], None],
        on_offers: OnOffers,
        on_connected: Callable[[], None],
        owner_of: Callable[[str], DatabaseKey | None],
        enqueue: Callable[[DatabaseKey], None],
        clock: Clock,
        timers: Timers,
        new_lock: Callable[[], Lock] = threading.Lock,
    ) -> None:
        self._role = role
        self._principal = principal
        self._keeper_command = keeper_command
        self._agents = AgentRegistry(list_agents)
        self._books = books = Books(
            offers=OfferCache(),
            tasks=TaskBook(clock),
            operations=OperationBook(),
            maintenance=MaintenanceBook(),
        )
        self._sightings = Sightings(
            list_agents=self._agents.list,
            list_tasks=list_tasks,
            list_frameworks=list_frameworks,
            clock=clock,
            lock=new_lock(),
        )
        self._former_tasks = FormerTasks(
            list_agents=self._agents.list, list_tasks=list_tasks, clock=clock, timers=timers, lock=new_lock()
        )
        self._reserved = Reserved(list_agents=self._agents.list, cluster=cluster, clock=clock, lock=new_lock())
        self._reconciler = Reconciler(ask=self._ask, timers=timers, clock=clock)
        self._inverse_offers = InverseOffers(
            book=books.maintenance,
            alive_on=books.tasks.alive_on,
            answer=lambda accepted, declined: self._sending.answer(accepted, declined),
            timers=timers,
            clock=clock,
        )
        self._intake = Intake(
            books=books,
            agents=self._agents,
            inverse_offers=self._inverse_offers,
            list_tasks=list_tasks_ever,
            list_operations=list_operations,
            cluster=cluster,
            save_framework_id=save_framework_id,
            resubscribe=lambda: self._driver.resubscribe(self._driver.stream_id),
            give_way=lambda why: self._driver.give_way(why),
            launched=lambda task_ids: self._driver.launched(task_ids),
            acknowledge=self.acknowledge,
            acknowledge_operation=self.acknowledge_operation,
            on_subscribed=self._on_subscribed,
            on_owed=self._reconciler.owed,
            on_offers=on_offers,
            on_connected=on_connected,
            owner_of=owner_of,
            enqueue=enqueue,
            clock=clock,
        )
        self._driver = make_driver(self._intake.event, self._intake.state)
        self._sending = Sending(self._driver, lambda: self._intake.connection.connected)

    def start(self) -> None:
        """Subscribe."""
        self._driver.start()

    def stop(self) -> None:
        """Leave, without a word to Mesos: tasks run on."""
        self._reconciler.stop()
        self._inverse_offers.stop()
        self._driver.stop()

    def view(self) -> MesosView:
        """Return the state of the connection."""
        seen = self._intake.connection
        return MesosView(
            connected=seen.connected,
            framework_id=self._driver.framework_id,
            role=self._role,
            principal=self._principal,
            error=seen.error,
            fatal=seen.fatal,
        )

    def offers(self, observed: Observed, best: int) -> Excerpt:
        """Return the outstanding offers that concern a database and the `best` of all; an agent's and role's as one."""
        return self._books.offers.excerpt(observed, best)

    def newest_offer(self) -> int:
        """Return the number of the last offer that came."""
        return self._books.offers.newest()

    def offers_up_to(self, newest: int, now: float, least_seconds: float) -> Offers:
        """Return, of the offers up to number `newest`, those that came at least so many seconds before `now`."""
        return self._books.offers.up_to(newest, now, least_seconds)

    def offers_outstanding(self) -> int:
        """Return how many offers nobody has answered yet."""
        return self._books.offers.count()

    def hold(self, offer_ids: Sequence[str]) -> None:
        """Show offers to nobody until they are accepted or released."""
        self._books.offers.hold(offer_ids)

    def release(self, offer_ids: Sequence[str]) -> None:
        """Show those of held offers again that were neither accepted nor rescinded."""
        self._books.offers.release(offer_ids)

    def tasks(self, uid: str) -> Mapping[TaskId, TaskStatus]:
        """Return what is known of the tasks of one data identity; one just killed counts as KILLING."""
        return self._books.tasks.statuses(uid)

    def unheard_since(self, task_id: TaskId) -> float | None:
        """Return since when Mesos owes an answer for a followed task of which it has said nothing; None for others."""
        return self._books.tasks.unheard_since(task_id)

    def operations(self, uid: str) -> tuple[OperationStatus, ...]:
        """Return what is known of the last operations of each member of one data identity."""
        return self._books.operations.statuses(uid)

    def maintenance(self) -> Mapping[str, Unavailability]:
        """Return when agents, by id, are announced to be away."""
        return self._books.maintenance.windows()

    def found(self, key: DatabaseKey) -> tuple[VolumeRecord, ...]:
        """Return the ledger entries that tasks of this database name carry."""
        return self._books.tasks.found(key)

    def reserved(self, observed: Observed) -> Offers | None:
        """Return what registered agents hold of a database's, offered or not; None where the master does not say."""
        return self._reserved.of(observed)

    def sighting(self, volume: VolumeRecord) -> Sighting | None:
        """Return what the master says of a member's resources, offered or not; None where it does not say."""
        return self._sightings.of(volume)

    def outlived(self, task_id: TaskId, agent_id: str) -> bool | None:
        """Say whether an agent has provably ended a task of an earlier framework; None where it is not registered."""
        return self._former_tasks.outlived(task_id, agent_id)

    def found_keys(self, namespace: str | None = None) -> set[DatabaseKey]:
        """Return every database name that has a task, of one namespace or of all."""
        return self._books.tasks.found_keys(namespace)

    def expect(self, key: DatabaseKey, task_id: TaskId, agent_id: str) -> None:
        """Follow a task: ask for it until it is answered, and enqueue its key on each status."""
        if self._books.tasks.follow(key, task_id, agent_id):
            self._reconciler.owed()

    def forget(self, task_id: TaskId) -> None:
        """Follow a task no longer, unless it came back: then it is followed until it is over again."""
        self._books.tasks.forget(task_id)

    def give_up(self, task_id: TaskId) -> None:
        """Take a task for a sign of data only while it runs, since its data is to be removed."""
        self._books.tasks.give_up(task_id)

    def accept(self, wanted: AcceptOffers) -> None:
        """Send one ACCEPT. Raises EffectFailed."""
        if not self._books.offers.take(wanted.offer_ids):
            raise EffectFailed(f"an offer of {wanted.agent.hostname} is gone", conflict=True)
        self._reserved.gives_back(
            r
            for o in wanted.operations
            for r in ((o.volume,) if isinstance(o, Destroy) else o.resources if isinstance(o, Unreserve) else ())
        )
        ids = {}
        if self._agents.gives_feedback(wanted.agent.id):
            ids = {n: operation_id(o, n, wanted.offer_ids[0]) for n, o in enumerate(wanted.operations)}
        operations = [operation_to_wire(o, self._keeper_command, ids.get(n)) for n, o in enumerate(wanted.operations)]
        labels = [o.ledger for o in wanted.operations if isinstance(o, LaunchTask)]
        self._books.tasks.learn(record for record in map(from_label, labels) if record is not None)
        self._books.operations.sent((i for i in ids.values() if i is not None), wanted.agent.id)
        if self._books.operations.owed():
            self._reconciler.owed()
        filters = {"refuse_seconds": LEFTOVER_REFUSE_SECONDS}
        self._sending.give_up(
            lambda: self._driver.acceptOffers(ids_to_wire(wanted.offer_ids), operations, filters=filters)
        )

    def kill(self, wanted: KillTask) -> None:
        """Send one KILL. Raises EffectFailed."""
        self._sending.call(lambda: self._driver.kill(str(wanted.task_id), wanted.agent_id, wanted.grace_seconds))
        self._books.tasks.killed(wanted.task_id)

    def acknowledge(self, status: TaskStatus) -> None:
        """Acknowledge a status. A lost acknowledgement is asked for again by Mesos."""
        self._books.tasks.acknowledged(status)
        self._sending.tell(lambda: self._driver.acknowledgeStatusUpdate(status_to_acknowledge(status)))

    def acknowledge_operation(self, status: OperationStatus) -> None:
        """Acknowledge an operation's status, unless its agent is no longer registered: that would crash the master."""
        self._books.operations.acknowledged(status)
        if status.uuid is None or status.agent_id is None:
            return
        if not self._intake.connection.connected or not self._agents.registered(status.agent_id):
            log.info("%s is not acknowledged: its agent is not registered (MESOS-10011)", status.id)
            return
        self._sending.tell(lambda: self._driver.acknowledge_operation(operation_status_to_acknowledge(status)))

    def decline(self, offer_ids: Sequence[str], refuse_seconds: float) -> None:
        """Decline what is still outstanding of these, unless somebody holds it meanwhile."""
        free = self._books.offers.take_free(offer_ids)
        if free:
            filters = {"refuse_seconds": refuse_seconds}
            self._sending.give_up(lambda: self._driver.declineOffer(ids_to_wire(free), filters=filters))

    def revive(self) -> None:
        """Ask for offers again."""
        self._sending.call(lambda: self._driver.reviveOffers([self._role]))

    def suppress(self) -> None:
        """Ask for no more offers."""
        self._sending.give_up(lambda: self._driver.suppressOffers([self._role]))

    def _on_subscribed(self) -> None:
        self._former_tasks.subscribed()
        self._reconciler.begin()

    def _ask(self, everything: bool) -> bool:
        """Ask about followed tasks and sent operations with their agents' ids. Return whether answers are owed.

        Raises EffectFailed where not all was asked.
        """
        tasks = self._books.tasks.to_ask(everything=everything)
        operations = self._books.operations.to_ask(everything=everything)
        if not self._driver.connected:
            return False
        try:
            if tasks:
                self._driver.reconcile(tasks)
            if everything:
                self._driver.reconcile({})
                # What an operator before this one has sent is known to the master alone.
                self._driver.reconcile_operations({})
            if operations:
                self._driver.reconcile_operations(operations)
        except CallFailed as error:
            raise EffectFailed(str(error)) from error
        return self._books.tasks.owed() or self._books.operations.owed()
