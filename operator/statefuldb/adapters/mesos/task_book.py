"""What is known of tasks: their last statuses, whose they are, and for which of them Mesos owes an answer."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

from statefuldb.model.grouped import Grouped
from statefuldb.model.identity import DatabaseKey, DataIdentity, TaskId
from statefuldb.model.observed import TaskState, TaskStatus
from statefuldb.model.volume import VolumeRecord
from statefuldb.reconcile.machine import Clock

KILL_PATIENCE_SECONDS = 30.0


class TaskBook:
    """Book-keeping only: nothing here talks to Mesos. Safe for use by several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._statuses: Grouped[TaskId, TaskStatus] = Grouped(lambda task_id, s: (task_id.uid, ("on", s.agent_id)))
        self._followed: Grouped[TaskId, tuple[DatabaseKey, str]] = Grouped(
            lambda task_id, held: (task_id.uid, ("on", held[1]))
        )
        # With since when: a subscription asks anew.
        self._unanswered: dict[TaskId, float] = {}
        self._killed: dict[TaskId, float] = {}
        self._told_by_running: set[TaskId] = set()
        self._found: Grouped[TaskId, VolumeRecord] = Grouped(
            lambda _, record: (record.identity.uid, record.key, ("in", record.key.namespace))
        )

    def statuses(self, uid: str) -> Mapping[TaskId, TaskStatus]:
        """Return what is known of the tasks of one data identity; one just killed counts as KILLING."""
        now = self._clock.now()
        with self._lock:
            # Of the future: the clock was set back since. What is waited for from then on is waited for from now on.
            for task_id, status in list(self._statuses.of(uid).items()):
                owed_since = status.owed_since_seconds
                if max(status.seen_at_seconds, owed_since or 0.0) > now:
                    owed_since = min(owed_since, now) if owed_since is not None else None
                    since = min(status.seen_at_seconds, now)
                    self._statuses[task_id] = replace(status, seen_at_seconds=since, owed_since_seconds=owed_since)
            return {t: self._with_kill(status, now) for t, status in self._statuses.of(uid).items()}

    def found(self, key: DatabaseKey) -> tuple[VolumeRecord, ...]:
        """Return the ledger entries that tasks of this database name carry, if they run or may be a member's last."""
        with self._lock:
            held = self._found.of(key).items()
            return tuple(r for task_id, r in held if task_id not in self._told_by_running or self._said_to_run(task_id))

    def found_keys(self, namespace: str | None = None) -> set[DatabaseKey]:
        """Return every database name that has a task, of one namespace or of all."""
        with self._lock:
            found = self._found if namespace is None else self._found.of(("in", namespace))
            return {record.key for record in found.values()}

    def key_of(self, uid: str) -> DatabaseKey | None:
        """Return whose data has this uid, as far as a followed or a found task tells."""
        with self._lock:
            followed = next((key for key, _ in self._followed.of(uid).values()), None)
            return followed or next((record.key for record in self._found.of(uid).values()), None)

    def alive_on(self, agent_id: str) -> bool:
        """Say whether a task of ours may be alive on an agent: whatever is not known to be over is."""
        with self._lock:
            unheard = any(task_id not in self._statuses for task_id in self._followed.of(("on", agent_id)))
            return unheard or any(not status.state.over for status in self._statuses.of(("on", agent_id)).values())

    def keys_on(self, agent_id: str) -> set[DatabaseKey]:
        """Return whose tasks are followed on an agent."""
        with self._lock:
            return {key for key, _ in self._followed.of(("on", agent_id)).values()}

    def learn(self, records: Iterable[VolumeRecord]) -> None:
        """Note ledger entries that tasks carry in their labels."""
        with self._lock:
            self._found.update({record.task_id: record for record in records if record.task_id is not None})

    def take_stock(self, listed: Iterable[VolumeRecord], over: Iterable[VolumeRecord]) -> None:
        """Learn from the tasks that the master lists, and follow them: it tells of all, but not of those out of reach.

        A task that has had a successor, which may be over and gone from the ledger, tells of data only while it runs.
        """
        found, last = list(listed), dict[DataIdentity, int]()
        for record in (*found, *over):
            if record.launch is not None:
                last[record.identity] = max(last.get(record.identity, 0), record.launch.incarnation)
        self.learn(found)
        for record in found:
            if record.launch is None or record.task_id is None:
                continue
            if record.launch.incarnation < last[record.identity]:
                with self._lock:
                    self._told_by_running.add(record.task_id)
            else:
                self.follow(record.key, record.task_id, record.launch.agent.id)

    def follow(self, key: DatabaseKey, task_id: TaskId, agent_id: str) -> bool:
        """Follow a task from now on. Return whether Mesos owes an answer for it that it did not owe before."""
        with self._lock:
            news = task_id not in self._followed and task_id not in self._statuses
            self._followed[task_id] = (key, agent_id)
            if news:
                self._unanswered[task_id] = self._clock.now()
            return news

    def forget(self, task_id: TaskId) -> None:
        """Follow a task no longer, unless it came back: then it is followed until it is over again."""
        with self._lock:
            # Those before it were over, or cut off, when it was launched: they say nothing of what data there is now.
            self._told_by_running.update(
                earlier
                for earlier in self._found.of(task_id.uid)
                if earlier.ordinal == task_id.ordinal and earlier.incarnation < task_id.incarnation
            )
            if self._alive(task_id):
                # Nor does it itself, while Mesos has yet to say whether it came back.
                self._told_by_running.add(task_id)
                return
            known = self._statuses.get(task_id)
            for book in (self._followed, self._killed, self._found, self._unanswered):
                book.pop(task_id, None)
            if known is not None and known.state.over and known.uuid is None:
                del self._statuses[task_id]

    def give_up(self, task_id: TaskId) -> None:
        """Take a task for a sign of data only while it runs, since its data is to be removed."""
        with self._lock:
            self._told_by_running.add(task_id)

    def killed(self, task_id: TaskId) -> None:
        """Note that KILL was sent."""
        with self._lock:
            self._killed[task_id] = self._clock.now()

    def update(self, status: TaskStatus) -> DatabaseKey | None:
        """Take a status up. Return the key of a followed task, None for any other."""
        with self._lock:
            self._unanswered.pop(status.id, None)
            known = self._statuses.get(status.id)
            if known is not None and known.state.over and not status.state.over:
                # What an agent said of an end is not undone by what a master guesses then: that is an answer, no more.
                self._statuses[status.id] = replace(known, owed_since_seconds=None)
            else:
                # Said again it is no news: since when a state holds is what waits are counted from.
                again = known is not None and _same(known, status)
                since = known.seen_at_seconds if known is not None and again else status.seen_at_seconds
                # An agent tells nothing else of a task before what it told is acknowledged.
                yet = known.uuid if known is not None and known.agent_id == status.agent_id else None
                self._statuses[status.id] = replace(status, seen_at_seconds=since, uuid=status.uuid or yet)
            followed = self._followed.get(status.id)
            return followed[0] if followed is not None else None

    def acknowledged(self, status: TaskStatus) -> None:
        """Note that a status was acknowledged."""
        with self._lock:
            known = self._statuses.get(status.id)
            if known is not None and known.uuid == status.uuid:
                self._statuses[status.id] = replace(known, uuid=None)

    def subscribed(self) -> None:
        """Begin a subscription: what was known may be old, so Mesos owes an answer for every followed task."""
        with self._lock:
            owed_since = self._clock.now()
            self._unanswered = dict.fromkeys(self._followed, owed_since)
            for task_id, status in list(self._statuses.items()):
                self._statuses[task_id] = replace(status, owed_since_seconds=owed_since)

    def to_ask(self, *, everything: bool) -> Mapping[str, str]:
        """Return the ids of tasks to ask for, each with its agent's: all that are followed, or the unanswered ones."""
        with self._lock:
            wanted = self._followed if everything else self._unanswered
            return {str(task_id): self._followed[task_id][1] for task_id in wanted}

    def in_reach(self, agent_ids: Iterable[str]) -> bool:
        """Note that agents are there. Return whether Mesos owes an answer for a followed task that was out of sight.

        A master says nothing of its own accord of a task that an agent has come back without.
        """
        with self._lock:
            news = {
                task_id
                for agent_id in agent_ids
                for task_id, status in self._statuses.of(("on", agent_id)).items()
                if not status.state.alive and not status.state.over and task_id in self._followed
            }
            self._unanswered = {**dict.fromkeys(news, self._clock.now()), **self._unanswered}
            return bool(news)

    def unheard_since(self, task_id: TaskId) -> float | None:
        """Return since when Mesos owes an answer for a followed task of which it has said nothing; None for others."""
        with self._lock:
            since = self._unanswered.get(task_id) if task_id not in self._statuses else None
            if since is not None:
                # Of the future: the clock was set back since.
                self._unanswered[task_id] = since = min(since, self._clock.now())
            return since

    def owed(self) -> bool:
        """Say whether an answer is owed for a followed task."""
        with self._lock:
            return bool(self._unanswered)

    def _alive(self, task_id: TaskId) -> bool:
        known = self._statuses.get(task_id)
        return known is not None and known.state.alive

    def _said_to_run(self, task_id: TaskId) -> bool:
        """Whether Mesos says so now: what it said to an earlier subscription may be long over."""
        return self._alive(task_id) and self._statuses[task_id].owed_since_seconds is None

    def _with_kill(self, status: TaskStatus, now: float) -> TaskStatus:
        sent = self._killed.get(status.id)
        # A KILL of the future: the clock was set back since, and it is sent again rather than waited for that long.
        recent = sent is not None and 0 <= now - sent < KILL_PATIENCE_SECONDS
        if sent is None or not recent or not status.state.alive:
            return status
        return replace(status, state=TaskState.KILLING, seen_at_seconds=sent)


def _same(known: TaskStatus, status: TaskStatus) -> bool:
    """Whether a status says what is known: its agent may have been back between two losses."""
    return (known.state, known.unreachable_at_seconds) == (status.state, status.unreachable_at_seconds)
