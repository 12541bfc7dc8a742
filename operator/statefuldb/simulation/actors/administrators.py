"""What the people do who run the cluster: they drain agents, announce maintenance, and give up retained data."""

import json
from typing import TYPE_CHECKING, Any

from statefuldb.local.mesos.master.agents import nanoseconds
from statefuldb.model.identity import ANNOTATION_RELEASE, FRAMEWORK_CONFIG_MAP
from statefuldb.model.settings import FRAMEWORK_NAME
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.model.volume_object import from_object
from statefuldb.planning.members.undecided_tasks import TEAR_DOWN
from statefuldb.simulation.actors.people import NAMESPACE
from statefuldb.simulation.clockwork.dice import Dice

if TYPE_CHECKING:
    from statefuldb.simulation.cluster.agent import Agent
    from statefuldb.simulation.world import World

Json = dict[str, Any]
VOLUMES = f"/apis/statefuldb.dev/v1alpha1/namespaces/{NAMESPACE}/databasevolumes"
CONFIG_MAPS = "/api/v1/namespaces/statefuldb-system/configmaps"
FRAMEWORK_RECORD = f"{CONFIG_MAPS}/{FRAMEWORK_CONFIG_MAP}"
# They have less to do than the databases' owners.
LEISURE = 3.0
AGAIN_SECONDS = 10.0
WORK_SECONDS = (20.0, 90.0)
NOTICE_SECONDS = (10.0, 200.0)
# How often they look whether a framework that Mesos had removed is waited for.
LOOK_SECONDS = 30.0
# For how long what was decided while an announcement stood may still be carried out after it was taken back.
UNDER_WAY_SECONDS = 30.0


class Administrators:
    """Those with access to Mesos and to the ledger."""

    def __init__(self, world: "World", dice: Dice) -> None:
        self._world = world
        self._dice = dice
        self._windows: list[Json] = []
        self._back_at: dict[str, float] = {}
        self._at_rest = False

    def announced(self, hostname: str) -> bool:
        """Say whether a host is, or is soon to be, or was just now, away: what runs there may be stopped."""
        back_at = self._back_at.get(hostname, float("-inf"))
        return self._world.schedule.now - back_at < UNDER_WAY_SECONDS or any(
            machine["hostname"] == hostname for window in self._windows for machine in window["machine_ids"]
        )

    def begin(self, pause_seconds: float) -> None:
        """Do something now and then from now on."""
        dice, acts = self._dice, (self._drain, self._announce, self._release, self._release)

        def act() -> None:
            if not self._at_rest:
                dice.pick(acts)()
                self._world.schedule.after(dice.between(0.2, 2.0) * LEISURE * pause_seconds, act)

        self._world.schedule.after(dice.between(0.2, 2.0) * LEISURE * pause_seconds, act)

    def look(self) -> None:
        """Do, now and from now on, what waits ask of those with access to file servers and Mesos.

        An earlier framework of ours that came back with an agent is ended where that is asked.
        """
        self._world.schedule.after(LOOK_SECONDS, self.look)
        self._world.fencers.look()
        _, record = self._world.api.exchange("GET", FRAMEWORK_RECORD)
        ours = record.get("data", {}).get("frameworkId")
        if not ours or not any(map(_asks_to_tear_down, self._world.api.objects("statefuldatabases"))):
            return
        for known in [each for each in self._world.mesos.frameworks_named(FRAMEWORK_NAME) if each != ours]:
            if self._ask("TEARDOWN", teardown={"framework_id": {"value": known}}):
                self._world.story.tell("people", f"tear down framework {known}, which came back with an agent")

    def rest(self) -> None:
        """Begin nothing more; what was begun is still ended."""
        self._at_rest = True

    def _drain(self) -> None:
        """Have an agent end its tasks, and use it again once it has and the work on it is done."""
        agent = self._some_agent()
        if agent is None:
            return
        grace = {"max_grace_period": {"seconds": 60}} if self._dice.happens(0.5) else {}
        if self._ask("DRAIN_AGENT", drain_agent={"agent_id": {"value": agent.id}, **grace}):
            self._world.story.tell("people", f"drain {agent.host.hostname}")
            drained = str(agent.id), agent.host.hostname
            self._world.schedule.after(self._dice.between(*WORK_SECONDS), lambda: self._reactivate(*drained))

    def _reactivate(self, agent_id: str, hostname: str) -> None:
        drained = self._world.mesos.master.cluster.agents.get(agent_id)
        if drained is None or drained.gone or drained.drain_info is None:
            return
        if self._ask("REACTIVATE_AGENT", reactivate_agent={"agent_id": {"value": agent_id}}):
            self._world.story.tell("people", f"use {hostname} again")
        else:
            self._world.schedule.after(AGAIN_SECONDS, lambda: self._reactivate(agent_id, hostname))

    def _announce(self) -> None:
        """Announce that a machine will be away for a while, and take that back when the time is over."""
        agent = self._some_agent()
        machine = {"hostname": agent.host.hostname, "ip": agent.host.address} if agent is not None else {}
        if agent is None or any(machine in window["machine_ids"] for window in self._windows):
            return
        notice, lasts = self._dice.between(*NOTICE_SECONDS), self._dice.between(*WORK_SECONDS)
        times = {
            "start": nanoseconds(self._world.schedule.now + notice),
            "duration": nanoseconds(lasts),
        }
        window = {"machine_ids": [machine], "unavailability": times}
        if not self._schedule([*self._windows, window]):
            return
        self._world.story.tell("people", f"announce that {agent.host.hostname} is away in {notice:.0f} s")
        self._world.schedule.after(notice + lasts, lambda: self._take_back(window, agent.host.hostname))

    def _take_back(self, window: Json, hostname: str) -> None:
        if self._schedule([each for each in self._windows if each is not window]):
            self._back_at[hostname] = self._world.schedule.now
            self._world.story.tell("people", f"{hostname} is back from its maintenance")
        else:
            self._world.schedule.after(AGAIN_SECONDS, lambda: self._take_back(window, hostname))

    def _schedule(self, windows: list[Json]) -> bool:
        # As text and back: the master keeps what it is given, and these stay ours.
        sent = json.loads(json.dumps({"windows": windows}))
        taken = self._ask("UPDATE_MAINTENANCE_SCHEDULE", update_maintenance_schedule={"schedule": sent})
        self._windows = windows if taken else self._windows
        return taken

    def _release(self) -> None:
        """Give up retained data that nothing uses, by its name, as `statefuldb volumes release` does."""
        owned = {stored["metadata"]["uid"] for stored in self._world.api.objects("statefuldatabases")}
        retained = [
            volume
            for volume in self._retained()
            if volume.identity.uid not in owned and not self._used(volume.identity.uid)
        ]
        if retained:
            self._give_up(self._dice.pick(retained))

    def release_again(self) -> None:
        """Give up once more what was given up before, after the API was restored."""
        for volume in self._retained():
            if self._world.laws.may_go(volume.identity.uid):
                self._give_up(volume)

    def keep_latest(self, name: str) -> None:
        """Give up all retained data of a database's name but that which was written last."""
        world = self._world
        of_name = [volume for volume in self._retained() if volume.key.name == name]
        by_age = sorted(of_name, key=lambda volume: world.clients.latest_row_of(volume.identity.uid))
        for volume in by_age[:-1]:
            self._give_up(volume)

    def _retained(self) -> list[VolumeRecord]:
        stored = map(from_object, self._world.api.objects("databasevolumes"))
        return [v for v in stored if v.intent is Intent.RETAIN and v.key.namespace == NAMESPACE]

    def _give_up(self, volume: VolumeRecord) -> None:
        world = self._world
        seen = {"resourceVersion": volume.resource_version, "annotations": {ANNOTATION_RELEASE: volume.name}}
        patch = {"metadata": seen, "spec": {"intent": "Delete"}}
        # Before it is stored: whoever hears of it may act on it at once.
        world.laws.given_up(volume.identity.uid)
        status, _ = world.api.exchange("PATCH", f"{VOLUMES}/{volume.name}", patch, "application/merge-patch+json")
        assert status == 200, "nothing else happens between the look and the patch"
        world.story.tell("people", f"release {volume.name}")

    def _used(self, uid: str) -> bool:
        return any(keeper.config.uid == uid for host in self._world.hosts for keeper in host.keepers.values())

    def _some_agent(self) -> "Agent | None":
        """Return an agent, rather one that runs something."""
        busy = [agent for agent in self._world.agents if agent.host.keepers]
        agent = self._dice.pick(busy if busy and self._dice.happens(0.8) else self._world.agents)
        return agent if agent.id is not None else None

    def _ask(self, kind: str, **body: Json) -> bool:
        """Ask the master; say whether it did as asked."""
        try:
            return self._world.mesos.administer({"type": kind, **body})
        except OSError:
            return False


def _asks_to_tear_down(database: Json) -> bool:
    waits = database.get("status", {}).get("plan", {}).get("waiting", [])
    return any(TEAR_DOWN in wait.get("fix", "") for wait in waits)
