"""The world of one run: everything in it, made out of one seed, and its course from the first apply to rest."""

import logging
from typing import Any

from statefuldb.local.mesos.resources.flags import parse_resources
from statefuldb.model.schema import admission_policies, custom_resource_definitions
from statefuldb.model.spec import DFS_ATTRIBUTE
from statefuldb.simulation import racks
from statefuldb.simulation.actors.administrators import FRAMEWORK_RECORD, Administrators
from statefuldb.simulation.actors.clients import Clients
from statefuldb.simulation.actors.copyists import Copyists
from statefuldb.simulation.actors.fencers import Fencers
from statefuldb.simulation.actors.people import MOUNT, People
from statefuldb.simulation.actors.restorers import Restorers
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.schedule import Schedule
from statefuldb.simulation.clockwork.story import Story
from statefuldb.simulation.clockwork.threads import OneWorker, Strands, Threads
from statefuldb.simulation.cluster.agent import Agent
from statefuldb.simulation.cluster.api import ApiServer
from statefuldb.simulation.cluster.host import Host
from statefuldb.simulation.cluster.mesos import Mesos
from statefuldb.simulation.cluster.storage import FileSystem
from statefuldb.simulation.faults import Faults, Paced
from statefuldb.simulation.laws.safety import Laws
from statefuldb.simulation.laws.verdict import Verdict
from statefuldb.simulation.life import Life, Network
from statefuldb.simulation.size import Size

Json = dict[str, Any]
RESTART_SECONDS = 3.0
SWEEP_SECONDS = 5.0


class World:
    """One world. Whoever drives it calls `step` or `pass_by`; nothing happens otherwise.

    Without faults, a `network` of the caller's may do what they do to single requests. With `kept` only those of the
    seed's faults happen that have these names.
    """

    def __init__(
        self,
        seed: int,
        size: Size,
        *,
        faulty: bool = True,
        network: Network | None = None,
        kept: frozenset[str] | None = None,
    ) -> None:
        self.size = size
        self.dice = Dice(seed)
        self.schedule = Schedule()
        self.story = Story(self.schedule)
        self.verdict = Verdict()
        self.faults = Faults(self.dice.fork(), kept, size) if faulty else None
        self.network = network or self.faults or self._quiet_network()
        self.hosts: list[Host] = []
        self.laws = Laws(self.verdict, self.schedule, self.hosts)
        self.skew = self.led_since = 0.0
        self.laws.skew, self.laws.led_since = lambda: self.skew, self._led_since
        self.api = self.laws.api = ApiServer(self.schedule, self.dice.fork())
        policies = [document for policy in admission_policies().values() for document in policy]
        for document in (*custom_resource_definitions(), *policies):
            self._install(document)
        self.mesos = self.laws.mesos = Mesos(
            self.schedule,
            self.dice.fork(),
            self.story,
            self._called,
            domain=racks.domain(racks.ZONES[0]) if size.varied else None,
        )
        self.shared = FileSystem(self.laws, self.schedule)
        # Dice of its own, so that the rest of a world that is not varied is as it was before there were others.
        variety = Dice(~seed).fork()
        self.agents = [self._agent(number, variety) for number in range(1, size.agents + 1)]
        self.people = self.laws.people = People(
            api=self.api,
            schedule=self.schedule,
            dice=self.dice.fork(),
            story=self.story,
            on_delete=self.laws.deletion,
            variety=variety.fork() if size.varied else None,
        )
        self.administrators = self.laws.administrators = Administrators(self, variety.fork())
        # Dice of their own, too: worlds without them are as they were.
        self.copyists = Copyists(self, Dice(~seed).fork().fork()) if size.copies else None
        self.restorers = Restorers(self)
        self.fencers = Fencers(self)
        self.clients = self.laws.clients = Clients(self.api, self.hosts, self.schedule, self.dice.fork())
        self.api.listen(self.laws.changed)
        self.calls: dict[str, int] = {}
        self.lives = 0
        self.passes = 0
        self.effects = 0
        self.life: Life | None = None
        self.deposed: Life | None = None
        # Where people have stopped the operator, none is started in its place until they start it again.
        self.stopped = False

    def begin(self) -> None:
        """Boot the agents, start the operator, and let people and clients begin."""
        for agent in self.agents:
            self.schedule.after(self.dice.between(0.0, 1.0), agent.boot)
        self.start_operator()
        self.people.begin(self.size.databases, self.size.pause_seconds)
        for index in range(self.size.databases):
            self.clients.begin(f"db{index}")
        self.administrators.look()
        if self.size.varied:
            self.administrators.begin(self.size.pause_seconds)
        if self.copyists is not None:
            self.copyists.begin(self.size.pause_seconds)
        self._sweep()
        if self.faults is not None:
            self.faults.begin(self)

    def rest(self) -> None:
        """Let people begin nothing more, and nothing more go wrong."""
        self.people.rest()
        self.administrators.rest()
        if self.copyists is not None:
            self.copyists.rest()
        if self.faults is not None:
            self.faults.cease()

    def start_operator(self) -> None:
        """Start an operator; where it cannot, again in a while."""
        self.lives, self.led_since = self.lives + 1, self.schedule.now
        self.life = Life(
            number=self.lives,
            schedule=self.schedule,
            dice=self.dice.fork(),
            api=self.api,
            mesos=self.mesos,
            hosts=self.hosts,
            story=self.story,
            network=self.network,
            on_secret=self.laws.secret,
            skew=lambda: self.skew,
            threads=self._threads(),
            on_deposed=self._leader_ends,
            on_effect=self.laws.carried_out,
        )
        self.life.start()

    def _threads(self) -> Threads:
        return OneWorker(self.pass_by) if self.size.workers == 1 else Strands(self.schedule, self.size.workers)

    def _quiet_network(self) -> Network:
        return Network() if self.size.workers == 1 else Paced(self.dice.fork(), self.size.latency_seconds)

    def start_second_operator(self, seconds: float) -> bool:
        """Start an operator beside the one that runs, which learns only in a while that it leads no more."""
        first = self.life
        if first is None or not first.alive or self.deposed is not None:
            return False
        self.deposed = first
        self.schedule.after(seconds, first.kill)
        self.start_operator()
        return True

    def stop_operators(self) -> None:
        """End all operators that work, and start none before `stopped` is over."""
        self.stopped = True
        for life in (self.life, self.deposed):
            if life is not None:
                life.kill()

    def begin_framework_anew(self) -> None:
        """Do what the operator says where Mesos has removed its framework: take its id out, and restart it.

        By then that may be done: the record of a framework that has not ended is left alone.
        """
        _, record = self.api.exchange("GET", FRAMEWORK_RECORD)
        known = record.get("data", {}).get("frameworkId")
        # Removed before its id could be written down, it is begun anew by a restart alone.
        if known and not self.mesos.has_removed(known):
            return
        self.api.exchange("PATCH", FRAMEWORK_RECORD, {"data": {"frameworkId": None}}, "application/merge-patch+json")
        self.story.tell("people", "take the removed framework's id out of the record, and restart the operator")
        if self.life is not None:
            self.life.kill()

    def step(self) -> None:
        """Let the next thing happen: an event, or a pass of the operator."""
        self._bury()
        life = self.life
        at = life.next_pass_at() if life is not None else float("inf")
        if self.deposed is not None and self.deposed.next_pass_at() < at:
            life, at = self.deposed, self.deposed.next_pass_at()
        if life is not None and at < self.schedule.next_at():
            self.schedule.now = max(self.schedule.now, at)
            life.work()
        else:
            self.schedule.step()

    def pass_by(self, seconds: float) -> None:
        """Let everything happen that happens within `seconds`."""
        until = self.schedule.now + seconds
        while self.schedule.now < until:
            self.step()

    def _bury(self) -> None:
        """Take operators that have ended out of the world; the one that led is started again."""
        for life in (self.life, self.deposed):
            if life is None or life.alive:
                continue
            self.passes += life.passes
            self.effects += life.effects
            if life is self.life:
                self.life = None
                self.schedule.after(RESTART_SECONDS, self._start_again)
            else:
                self.deposed = None

    def _start_again(self) -> None:
        if self.stopped:
            self.schedule.after(RESTART_SECONDS, self._start_again)
        else:
            self.start_operator()

    def _led_since(self) -> float:
        """Return when the operator at work has begun; what is said while there is none, nobody says anew."""
        return self.led_since if self.life is not None else self.schedule.now

    def _leader_ends(self, life: Life) -> None:
        """End an operator that leads and whose subscription another one took; one that leads no more stays a while."""
        if life is self.life:
            self.story.tell(life.name, "another operator has subscribed as this framework: ends, to begin anew")
            life.kill()

    def _called(self, call: Json) -> None:
        kind = call["type"]
        self.calls[kind] = self.calls.get(kind, 0) + 1
        self.story.tell("mesos", f"gets {kind}{_about(call)}", detail=True)
        self.laws.called(call)

    def _sweep(self) -> None:
        self.laws.every_row()
        self.schedule.after(SWEEP_SECONDS, self._sweep)

    def _install(self, document: Json) -> None:
        group, _, version = str(document["apiVersion"]).rpartition("/")
        plural = next(
            kind.plural
            for kind in self.api.store.kinds.values()
            if (kind.group, kind.version, kind.kind) == (group, version, document["kind"])
        )
        status, answer = self.api.exchange("POST", f"/apis/{group}/{version}/{plural}", document)
        assert status == 201, answer

    def _agent(self, number: int, dice: Dice) -> Agent:
        host = Host(
            number=number,
            schedule=self.schedule,
            dice=self.dice.fork(),
            watching=self.laws,
            shared=self.shared,
            hangs=self.size.hangs,
        )
        self.hosts.append(host)
        return Agent(
            host=host,
            mesos=self.mesos,
            schedule=self.schedule,
            dice=self.dice.fork(),
            resources=racks.resources_of(dice) if self.size.varied else parse_resources(racks.USUAL),
            attributes={DFS_ATTRIBUTE: MOUNT},
            domain=racks.domain(racks.zone_of(number)) if self.size.varied else None,
        )


class Defects(logging.Handler):
    """Collects the exceptions that the operator's code logged: a pass that met a defect of ours."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what was logged."""
        self.seen.append(self.format(record))


def _about(call: Json) -> str:
    kind = call["type"].lower()
    body = call.get(kind, {})
    operations = [o["type"] for o in body.get("operations", []) if "type" in o]
    task = body.get("task_id", {}).get("value", "")
    return f" {' '.join(operations)}{task}" if operations or task else ""
