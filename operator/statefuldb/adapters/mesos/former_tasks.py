"""What became of tasks that an earlier framework of ours launched: Mesos answers for them to nobody any more.

When a framework ends, the master tells each agent to end its tasks: at once where the agent hears it, else as it
registers again. An agent that stays registered for longer than its master waits for answers to pings has heard of it,
if it was connected all the time: one that recovers answers pings, and is deaf to the rest until it registers again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from logging import getLogger
from typing import Any

from statefuldb.adapters.mesos.master_api import ListEach
from statefuldb.model.identity import TaskId
from statefuldb.planning.members.undecided_tasks import PROOF_SECONDS
from statefuldb.reconcile.machine import Clock, Lock, Timers
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)
FRESH_SECONDS = 5.0


@dataclass(slots=True)
class _Watch:
    """One task's agent: as when it registered it was seen first, and whether that is long enough ago.

    If it is, `waited` is the number of the last question that was asked by then.
    """

    registration: str
    waited: int | None = None


class FormerTasks:
    """Asks the master, at most each few seconds, while anybody wants to know. Waits by timers: clocks are set."""

    def __init__(
        self, *, list_agents: ListEach, list_tasks: ListEach, clock: Clock, timers: Timers, lock: Lock
    ) -> None:
        self._list_agents = list_agents
        self._list_tasks = list_tasks
        self._clock = clock
        self._timers = timers
        self._lock = lock
        self._asked_at = float("-inf")
        self._questions = self._answered = 0
        self._registrations: Mapping[str, str] = {}
        self._listed: frozenset[str] = frozenset()
        self._watched: dict[TaskId, _Watch] = {}

    def outlived(self, task_id: TaskId, agent_id: str) -> bool | None:
        """Say whether an agent has provably ended a task of an earlier framework; None where it is not registered.

        A task that the master lists is of a framework that has not ended. What it does not say is not known either.
        """
        with self._lock:
            watch = self._watched.get(task_id)
            if not self._ask(watch.waited if watch is not None else None):
                return None
            registration = self._registrations.get(agent_id)
            if not registration or str(task_id) in self._listed:
                self._watched.pop(task_id, None)
                return None if registration is None else False
            if watch is None or watch.registration != registration:
                watch = self._begin(registration)
                self._watched[task_id] = watch
            return watch.waited is not None and watch.waited < self._answered

    def subscribed(self) -> None:
        """Begin a subscription: another master may list other agents."""
        with self._lock:
            self._asked_at = float("-inf")
            self._watched.clear()

    def _begin(self, registration: str) -> _Watch:
        """Return a watch that is long enough once its agent is found, by a later question, still to be registered."""
        watch = _Watch(registration)

        def waited() -> None:
            # Without the lock, in which a question may be waited for: that one was asked before.
            watch.waited = self._questions

        self._timers.after(PROOF_SECONDS, waited)
        return watch

    def _ask(self, before: int | None) -> bool:
        """Ask, unless there is an answer of lately to a question after `before`. Return whether there is an answer."""
        now = self._clock.now()
        if 0 <= now - self._asked_at < FRESH_SECONDS and (before is None or before < self._answered):
            return True
        self._questions = question = self._questions + 1
        try:
            registrations = self._list_agents(_registration)
            listed = self._list_tasks(lambda task: str(task["task_id"]["value"]))
        except EffectFailed as error:
            log.warning("what became of an earlier framework's tasks could not be asked: %s", error)
            return False
        self._registrations, self._listed = dict(registrations), frozenset(listed)
        self._asked_at, self._answered = now, question
        return True


def _registration(agent: Mapping[str, Any]) -> tuple[str, str]:
    """Return an agent's id, and what is another text each time it registers; empty while it is not connected.

    A master does not tell that apart from an agent that a person has deactivated.
    """
    times = (agent.get(name, {}).get("nanoseconds", "") for name in ("registered_time", "reregistered_time"))
    connected = agent.get("active", True)
    return str(agent["agent_info"]["id"]["value"]), f"registered {' '.join(map(str, times))}" if connected else ""
