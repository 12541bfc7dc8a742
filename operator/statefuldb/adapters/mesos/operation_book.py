"""What is known of operations that were sent with an id: a member's last ACCEPTs, and what Mesos said of them."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from statefuldb.model.grouped import Grouped
from statefuldb.model.identity import OperationId
from statefuldb.model.observed import OperationState, OperationStatus

Member = tuple[str, int]
# Nobody says that a database is gone: of more operations that failed than these, the first are forgotten.
FAILED_REMEMBERED = 10_000
# What a master says of an operation while its agent is not there.
_AWAY = frozenset({OperationState.RECOVERING, OperationState.UNREACHABLE})


class OperationBook:
    """Book-keeping only: nothing here talks to Mesos. Safe for use by several threads."""

    def __init__(self, failed_limit: int = FAILED_REMEMBERED) -> None:
        self._failed_limit = failed_limit
        self._lock = threading.Lock()
        self._statuses: Grouped[OperationId, OperationStatus] = Grouped(
            lambda operation_id, s: (operation_id.uid, ("on", s.agent_id))
        )
        self._unanswered: set[OperationId] = set()
        self._failed: OrderedDict[OperationId, None] = OrderedDict()

    def statuses(self, uid: str) -> tuple[OperationStatus, ...]:
        """Return the statuses of one data identity's operations, in the order in which they stood in their ACCEPT."""
        with self._lock:
            mine = list(self._statuses.of(uid).values())
        return tuple(sorted(mine, key=lambda s: (s.id.ordinal, s.id.offer, s.id.position)))

    def sent(self, ids: Iterable[OperationId], agent_id: str) -> bool:
        """Note one ACCEPT's operations; what its member sent before and is over gives way. Return whether any are.

        What is open stays, as its agent may have yet to obey: an ACCEPT may be of another.
        """
        with self._lock:
            wanted = {i: OperationStatus(id=i, state=OperationState.PENDING, agent_id=agent_id) for i in ids}
            members = {_member(i) for i in wanted}
            before = [s for uid, _ in members for s in self._statuses.of(uid).values() if _member(s.id) in members]
            self._drop([status.id for status in before if not status.state.open])
            self._statuses.update(wanted)
            self._unanswered |= set(wanted)
            return bool(wanted)

    def update(self, status: OperationStatus) -> None:
        """Take a status up. What the master says itself names no agent: the one it was sent to stays noted.

        Of one that was sent before this operator began and is over, its agent tells until that is acknowledged.
        """
        with self._lock:
            self._unanswered.discard(status.id)
            known = self._statuses.get(status.id)
            if known is None and status.uuid is None and not (status.state.open and status.agent_id):
                return
            agent_id = status.agent_id or (known.agent_id if known is not None else None)
            self._statuses[status.id] = replace(status, agent_id=agent_id)
            if status.state.failed:
                self._failed[status.id] = None
                if len(self._failed) > self._failed_limit:
                    self._drop([next(iter(self._failed))])

    def take_stock(self, listed: Iterable[OperationStatus]) -> None:
        """Learn of operations that an operator before this one has sent and that are not over: an answer is owed."""
        with self._lock:
            for status in listed:
                if status.state.open and status.agent_id is not None and status.id not in self._statuses:
                    self._statuses[status.id] = status
                    self._unanswered.add(status.id)

    def acknowledged(self, status: OperationStatus) -> None:
        """Note that a status is told to the planner: what went well is forgotten, what failed stays to be shown."""
        with self._lock:
            if self._statuses.get(status.id) != status:
                return
            if status.state.failed:
                self._statuses[status.id] = replace(status, uuid=None)
            elif not status.state.open:
                self._drop([status.id])

    def subscribed(self) -> None:
        """Begin a subscription: Mesos owes an answer for every operation that is not over."""
        with self._lock:
            self._unanswered = {i for i, status in self._statuses.items() if status.state.open}

    def to_ask(self, *, everything: bool) -> dict[str, str]:
        """Return the ids of operations to ask for, each with its agent's: all that are open, or the unanswered ones."""
        with self._lock:
            wanted = (i for i, status in self._statuses.items() if status.state.open)
            return {str(i): self._statuses[i].agent_id or "" for i in wanted if everything or i in self._unanswered}

    def in_reach(self, agent_ids: Iterable[str]) -> bool:
        """Note that agents are there. Return whether Mesos owes an answer for an operation on one that was not.

        A master says nothing of its own accord of an operation that an agent has come back without.
        """
        with self._lock:
            news = {
                operation_id
                for agent_id in agent_ids
                for operation_id, status in self._statuses.of(("on", agent_id)).items()
                if status.state in _AWAY
            }
            self._unanswered |= news
            return bool(news)

    def owed(self) -> bool:
        """Say whether an answer is owed for an operation."""
        with self._lock:
            return bool(self._unanswered)

    def _drop(self, ids: Iterable[OperationId]) -> None:
        for each in ids:
            self._statuses.pop(each, None)
            self._unanswered.discard(each)
            self._failed.pop(each, None)


def _member(operation: OperationId) -> Member:
    return operation.uid, operation.ordinal
