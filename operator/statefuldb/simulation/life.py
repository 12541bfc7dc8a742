"""One operator's process in the simulated world: the real operator, started, working, and killed anywhere."""

import heapq
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.model.identity import DatabaseKey
from statefuldb.operator import Operator, Surroundings
from statefuldb.reconcile.ports import EffectFailed
from statefuldb.settings import OperatorSettings
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.machine import Killed, Machine
from statefuldb.simulation.clockwork.schedule import Schedule
from statefuldb.simulation.clockwork.story import Story
from statefuldb.simulation.clockwork.threads import Threads
from statefuldb.simulation.cluster.api import OPERATOR, ApiServer
from statefuldb.simulation.cluster.driver import LEADER, SimulatedDriver
from statefuldb.simulation.cluster.host import Host
from statefuldb.simulation.cluster.keepers import Keepers
from statefuldb.simulation.cluster.mesos import Mesos
from statefuldb.simulation.cluster.surroundings import Fence, NoJournal, SimulatedMasterApi
from statefuldb.simulation.cluster.watch import Watch
from statefuldb.simulation.measures import ToldMetrics

Json = dict[str, Any]
T = TypeVar("T")
ROLE = "statefuldb"
SETTINGS = OperatorSettings(
    kubeconfig=None,
    mesos=(LEADER,),
    namespace="statefuldb-system",
    principal="statefuldb",
    secret_file=None,
    state_dir=Path("/nowhere"),
    mesos_role=ROLE,
    framework_user="root",
    keeper_command=("/usr/bin/statefuldb-keeper",),
)


class Network:
    """What may happen to one request on its way; by default nothing.

    `before` and `after` may raise Killed (the operator ends there) or OSError (the request, or its answer, is lost);
    `latency` is how long a request takes, in seconds.
    """

    def before(self, what: str) -> None:
        """Act before a request arrives."""

    def after(self, what: str) -> None:
        """Act after a request has arrived, before its answer does."""

    def answer(self, what: str) -> int | None:
        """Return a status that is answered in place of carrying a request to the API server out."""
        del what
        return None

    def latency(self) -> float:
        """Return how long the next request takes."""
        return 0.002

    def read(self, path: str, answer: tuple[int, Any]) -> tuple[int, Any]:
        """Return what a GET is answered with, given what is there."""
        del path
        return answer

    def unseen(self, what: str) -> bool:
        """Whether what kopf was to tell stays untold until it lists anew."""
        del what
        return False

    def cut(self, what: str) -> bool:
        """Whether the stream from the master breaks off just before an event arrives."""
        del what
        return False


class Life:
    """One life of the operator's process, from its start to its end."""

    def __init__(
        self,
        *,
        number: int,
        schedule: Schedule,
        dice: Dice,
        api: ApiServer,
        mesos: Mesos,
        hosts: list[Host],
        story: Story,
        network: Network,
        on_secret: Callable[[str], None],
        skew: Callable[[], float],
        threads: Threads,
        on_deposed: Callable[["Life"], None],
        on_effect: Callable[[str], None],
    ) -> None:
        self.name = f"operator-{number}"
        self._schedule = schedule
        self._dice = dice
        self._api = api
        self._mesos = mesos
        self._hosts = hosts
        self._story = story
        self._network = network
        self._threads = threads
        self._machine = Machine(schedule, threads, dice.fork(), on_secret, skew)
        self._skew = skew
        self._on_deposed = on_deposed
        self._on_effect = on_effect
        self._watch: Watch | None = None
        self.driver: SimulatedDriver | None = None
        self.operator: Operator | None = None
        self.passes = 0
        self.effects = 0
        # When each worker that makes no pass looks for one.
        self._free_at = [schedule.now] * threads.workers

    @property
    def alive(self) -> bool:
        """Whether the process lives."""
        return self._machine.alive

    def start(self) -> bool:
        """Start; say whether the operator could. One that cannot ends."""
        try:
            self.operator = Operator(SETTINGS, self._surroundings())
            self.operator.start()
        except Killed:
            return False
        except EffectFailed as failure:
            self._story.tell(self.name, f"cannot start: {failure}")
            self.kill()
            return False
        self._story.tell(self.name, "started")
        return True

    def kill(self) -> None:
        """End the process, as kill -9 does: its sockets close, and nothing of it happens any more."""
        self._machine.alive = False
        if self._watch is not None:
            self._watch.stop()
        if self.driver is not None and self.driver.opened is not None:
            self._mesos.leave(self.driver.opened)

    def next_pass_at(self) -> float:
        """Return when a worker has something to do; infinity where nothing is to be done, or nobody free."""
        if self.operator is None or not self._free_at or not self.alive:
            return float("inf")
        due = self.operator.queue.next_due()
        return float("inf") if due is None else max(due - self._skew(), self._free_at[0])

    def work(self) -> None:
        """Make one pass, or let it begin."""
        assert self.operator is not None
        key = self.operator.queue.take(block=False)
        if key is not None:
            self.passes += 1
            heapq.heappop(self._free_at)
            self._threads.work(partial(self._attempt, self.operator, key))

    def _attempt(self, operator: Operator, key: DatabaseKey) -> None:
        try:
            operator.loop.attempt(key)
        except Killed:
            return
        heapq.heappush(self._free_at, self._schedule.now + self._dice.between(0.0005, 0.002))

    def lose_watch(self, seconds: float) -> None:
        """Break the watches off for a while."""
        if self._watch is not None:
            self._watch.break_off(seconds)

    def _surroundings(self) -> Surroundings:
        machine, dice = self._machine, self._dice.fork()

        def make_watch(on_event: Any) -> Watch:
            self._watch = Watch(self._api, machine, dice, on_event, self._network.unseen)
            return self._watch

        def make_driver(
            *, framework_info: Mapping[str, Any], on_event: Any, on_state: Any, on_call: Any
        ) -> SimulatedDriver:
            self.driver = SimulatedDriver(
                mesos=self._mesos,
                machine=machine,
                send=self._send,
                cut=self._network.cut,
                framework_info=framework_info,
                on_event=on_event,
                on_state=on_state,
                on_call=on_call,
                on_deposed=lambda: self._on_deposed(self),
            )
            return self.driver

        return Surroundings(
            machine=machine,
            metrics=ToldMetrics(self._on_effect),
            client=client_over(self._request),
            make_watch=make_watch,
            master=SimulatedMasterApi(self._mesos, self._wait_for_answer),
            make_driver=make_driver,
            make_keepers=lambda needs: Keepers(needs, self._hosts, machine, self._wait_for_answer),
            new_certificates=lambda: ("authority", "certificate and key"),
            may_act=lambda: True,
            fencing=Fence(
                hosts=self._hosts,
                mesos=self._mesos,
                api=self._api,
                story=self._story,
                wait_for_answer=self._wait_for_answer,
            ),
            fences=True,
            journal=NoJournal(),
            instance=self.name,
            # Whoever restores the API stops the operator before.
            on_restored=lambda _: None,
        )

    def _request(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        what = f"{method} {path}"
        refused = self._network.answer(what)
        if refused is not None:
            self._story.tell(self.name, f"{what}: {refused} in place of an answer", detail=True)
            return refused, {"kind": "Status", "message": "injected"}
        if method == "GET":
            seen = self._network.read(path, self._api.exchange(method, path, body, content_type, OPERATOR))
            self._wait_for_answer()
            return seen

        def carry_out() -> tuple[int, Any]:
            status, answer = self._api.exchange(method, path, body, content_type, OPERATOR)
            self._story.tell(self.name, f"{what}: {status}", detail=True)
            return status, answer

        return self._send(what, carry_out)

    def _send(self, what: str, carry_out: Callable[[], T]) -> T:
        """Make one effect. Raises OSError where it or its answer is lost, Killed where the operator ends with it."""
        self.effects += 1
        try:
            self._network.before(what)
            self._wait()
            answer = carry_out()
            self._network.after(what)
            self._wait_for_answer()
        except Killed:
            self._story.tell(self.name, f"killed at {what}")
            self.kill()
            raise
        except OSError:
            self._story.tell(self.name, f"{what}: unanswered", detail=True)
            raise
        return answer

    def _wait(self) -> None:
        """Let the world go on while a request is on its way. Raises Killed where the process ends meanwhile."""
        self._threads.wait(self._network.latency())
        if not self.alive:
            raise Killed

    def _wait_for_answer(self) -> None:
        """Let the world go on while an answer is on its way. To one worker alone they come at once."""
        if self._threads.workers > 1:
            self._wait()
