"""All that is remembered of what Mesos said, in one place."""

from collections.abc import Collection
from dataclasses import dataclass

from statefuldb.adapters.mesos.maintenance_book import MaintenanceBook
from statefuldb.adapters.mesos.offer_cache import OfferCache
from statefuldb.adapters.mesos.operation_book import OperationBook
from statefuldb.adapters.mesos.task_book import TaskBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The caches of one framework. Each is safe for use by several threads."""

    offers: OfferCache
    tasks: TaskBook
    operations: OperationBook
    maintenance: MaintenanceBook

    def in_reach(self, agent_ids: Collection[str]) -> bool:
        """Note that agents are there. Return whether Mesos owes an answer for what was on one that was not."""
        tasks, operations = self.tasks.in_reach(agent_ids), self.operations.in_reach(agent_ids)
        return tasks or operations

    def subscribed(self) -> None:
        """Begin a subscription: offers and announcements are made anew, and answers are owed for all the rest."""
        self.offers.clear()
        self.maintenance.clear()
        self.tasks.subscribed()
        self.operations.subscribed()
