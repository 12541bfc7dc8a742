"""A master looks again only at agents of which something has changed, and offers what it would if it always did."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.effects import ToFramework
from statefuldb.local.mesos.master.master import Master
from statefuldb.local.mesos.resources.multiset import Bag

Json = dict[str, Any]
CAPABILITIES = [{"type": name} for name in ("MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE")]
TOTAL: list[Json] = [
    {"name": "cpus", "type": "SCALAR", "scalar": {"value": 2}},
    {"name": "mem", "type": "SCALAR", "scalar": {"value": 512}},
]
AGENTS = 3
LIMIT = {"role": "role-0", "limits": {"cpus": {"value": 3}}}
ACTS = (
    "decline",
    "accept",
    "end",
    "suppress",
    "revive",
    "update",
    "subscribe",
    "leave",
    "lose",
    "return",
    "drain",
    "reactivate",
    "quota",
)


class Masters:
    """A master with two frameworks in roles of their own, and three agents."""

    def __init__(self) -> None:
        self.cluster = Cluster(master_id="m")
        self.master = Master(self.cluster, address="127.0.0.1", port=5050, unreachable_seconds=75)
        self.now = 0.0
        self.numbers: Iterator[int] = count()
        self.streams: dict[str, str] = {}
        for number in range(2):
            self.subscribe({"user": "u", "name": "f", "roles": [f"role-{number}"], "failover_timeout": 1e6})
        self.agents = [self.register(number) for number in range(AGENTS)]

    def subscribe(self, info: Json) -> None:
        """Let a framework subscribe, for the first time or again."""
        stream = f"stream-{next(self.numbers)}"
        call = {"subscribe": {"framework_info": {**info, "capabilities": CAPABILITIES}}}
        self.streams[self.master.subscribe(call, stream, self.now)] = stream

    def register(self, number: int, agent_id: str | None = None) -> str:
        """Let an agent register, for the first time or again."""
        info = {"hostname": f"h{number}", "ip": f"10.0.0.{number}", "port": 5051}
        known = {"id": agent_id} if agent_id is not None else {}
        return self.master.agents.register({"info": info, "total": TOTAL, **known}, self.now)

    def act(self, what: str, which: int) -> None:
        """Do one of the acts to one of what there is; nothing where there is none."""
        cluster, number = self.cluster, which % AGENTS
        framework = list(cluster.frameworks.values())[which % 2]
        stream = framework.stream or ""
        offers = [offer for offer in cluster.offers.values() if offer.framework_id == framework.id]
        running = [task for task in cluster.tasks.values() if task.alive]
        agent_id = self.agents[number]
        match what:
            case "decline" if offers:
                body: Json = {"offer_ids": [{"value": offers[0].id}], "filters": {"refuse_seconds": which % 4}}
                self.call(framework.id, stream, "DECLINE", body)
            case "accept" if offers:
                self.call(framework.id, stream, "ACCEPT", self.launch(offers[-1].id, offers[-1].agent_id))
            case "end" if running:
                task = running[which % len(running)]
                status = {"task_id": {"value": task.id}, "state": "TASK_FINISHED", "agent_id": {"value": task.agent_id}}
                self.master.agents.update(task.agent_id, task.framework_id, status)
            case "suppress" | "revive" if stream:
                self.call(framework.id, stream, what.upper(), {})
            case "update" if stream:
                roles = [f"role-{which % 2}", *(["more"] if which % 3 else [])]
                body = {"framework_info": {**framework.info, "roles": roles}}
                self.call(framework.id, stream, "UPDATE_FRAMEWORK", body)
            case "subscribe":
                self.subscribe(framework.info)
            case "leave" if stream:
                self.master.disconnect(framework.id, stream, self.now)
            case "lose":
                self.master.agents.disconnect(agent_id, self.now)
            case "return" if not cluster.agents[agent_id].connected:
                self.register(number, agent_id)
            case "drain" | "reactivate":
                cluster.agents[agent_id].deactivated = what == "drain"
            case "quota":
                cluster.quota = {} if cluster.quota else {"role-0": LIMIT}

    def call(self, framework_id: str, stream: str, kind: str, body: Json) -> None:
        """Send one call, as the framework whose stream it is."""
        identity = {"value": framework_id}
        self.master.call({"type": kind, "framework_id": identity, kind.lower(): body}, stream, self.now)

    def launch(self, offer_id: str, agent_id: str) -> Json:
        """Return the ACCEPT of a task on a part of an offer."""
        role = self.cluster.offers[offer_id].role
        half = {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.5}, "allocation_info": {"role": role}}
        task = {
            "name": "t",
            "task_id": {"value": f"t{next(self.numbers)}"},
            "agent_id": {"value": agent_id},
            "resources": [half],
            "command": {"value": "true"},
        }
        launched = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
        return {"offer_ids": [{"value": offer_id}], "operations": [launched], "filters": {"refuse_seconds": 1}}

    def tick(self) -> None:
        """Let a second pass, and compare with a master that has never looked at any agent."""
        self.now += 1.0
        for agent_id in self.agents:
            self.master.agents.seen(agent_id, self.now)
        fresh = deepcopy(self.master)
        fresh.cluster.looks.clear()
        for master in (self.master, fresh):
            master.cluster.outbox.clear()
            master.tick(self.now)
        offered, wanted = (told(master.cluster) for master in (self.master, fresh))
        assert offered == wanted


def told(cluster: Cluster) -> list[Json]:
    """Return the events that frameworks are sent."""
    return [effect.event for effect in cluster.outbox if isinstance(effect, ToFramework)]


@settings(max_examples=300)
@given(st.lists(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 11)), max_size=4), max_size=8))
def test_it_offers_what_it_would_if_it_looked_at_all_agents_each_time(seconds: list[list[tuple[str, int]]]) -> None:
    masters = Masters()
    masters.tick()
    assert len(masters.cluster.offers) == AGENTS
    for acts in seconds:
        for what, which in acts:
            masters.act(what, which)
        masters.tick()


def test_what_is_at_rest_is_not_looked_at_again() -> None:
    masters = Masters()
    masters.tick()
    before = dict(masters.cluster.looks)
    masters.tick()
    assert all(masters.cluster.looks[agent_id] is look for agent_id, look in before.items())


def test_what_a_framework_had_shrunk_is_offered_once_it_has_ended() -> None:
    masters = Masters()
    ends, stays = masters.cluster.frameworks.values()
    assert ends.stream is not None
    cpu = {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}}
    ends.withheld.append((masters.agents[0], Bag.of([cpu])))
    masters.call(ends.id, ends.stream, "SUPPRESS", {})
    masters.tick()
    masters.master.remove(ends)
    masters.tick()
    offered = [offer.resources for offer in masters.cluster.offers.values() if offer.agent_id == masters.agents[0]]
    assert [bag.scalars().get("cpus") for bag in offered] == [1000, 1000]
    assert {offer.framework_id for offer in masters.cluster.offers.values()} == {stays.id}
