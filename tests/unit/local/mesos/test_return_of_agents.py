"""What a master that was started again says of agents that have not come back (master.cpp, agentReregisterTimeout)."""

from typing import Any

from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.effects import ToFramework
from statefuldb.local.mesos.master.master import Master
from statefuldb.local.mesos.master.operator_api import OperatorApi
from statefuldb.local.mesos.master.records import Task
from statefuldb.local.mesos.resources.multiset import Bag

Json = dict[str, Any]
KNOWN: Json = {"id": "m-S0", "info": {"hostname": "h", "ip": "127.0.0.1", "port": 5051}}
FRAMEWORK: Json = {
    "user": "u",
    "name": "f",
    "roles": ["r"],
    "capabilities": [{"type": one} for one in ("MULTI_ROLE", "PARTITION_AWARE")],
}


def events(cluster: Cluster) -> list[Json]:
    found = [effect.event for effect in cluster.outbox if isinstance(effect, ToFramework)]
    cluster.outbox.clear()
    return [event for event in found if event["type"] in ("UPDATE", "FAILURE")]


def asked(master: Master, framework_id: str, now: float) -> list[str]:
    """Ask about a task of that agent; return the states that the master answers."""
    task = {"task_id": {"value": "t"}, "agent_id": {"value": "m-S0"}}
    call = {"type": "RECONCILE", "framework_id": {"value": framework_id}, "reconcile": {"tasks": [task]}}
    master.call(call, "stream", now)
    return [event["update"]["status"]["state"] for event in events(master.cluster)]


def test_it_is_silent_of_an_agent_until_the_time_to_return_is_over() -> None:
    cluster = Cluster(master_id="m")
    master = Master(cluster, address="127.0.0.1", port=5050, unreachable_seconds=75)
    master.agents.recover([KNOWN], 0)
    owner = master.subscribe({"subscribe": {"framework_info": FRAMEWORK}}, "stream", 1)
    for now in (2, 80, 599):
        master.tick(now)
        assert asked(master, owner, now) == []
    master.tick(600)
    assert events(cluster) == [{"type": "FAILURE", "failure": {"agent_id": {"value": "m-S0"}}}]
    assert asked(master, owner, 601) == ["TASK_UNREACHABLE"]


def test_one_that_is_back_is_given_up_by_its_pings_again() -> None:
    cluster = Cluster(master_id="m")
    master = Master(cluster, address="127.0.0.1", port=5050, unreachable_seconds=75)
    master.agents.recover([KNOWN], 0)
    owner = master.subscribe({"subscribe": {"framework_info": FRAMEWORK}}, "stream", 1)
    master.agents.register({"id": "m-S0", "info": KNOWN["info"], "total": []}, 10)
    master.tick(84)
    assert asked(master, owner, 84) == ["TASK_GONE"]
    master.tick(85)
    events(cluster)
    assert asked(master, owner, 86) == ["TASK_UNREACHABLE"]


def test_when_an_agent_has_registered_first_and_last_is_shown() -> None:
    master = Master(Cluster(master_id="m"), address="127.0.0.1", port=5050, unreachable_seconds=75)
    shown = []
    for now, identity in ((10, None), (20, "m-S0"), (30, "m-S0")):
        master.agents.register({"id": identity, "info": KNOWN["info"], "total": []}, now)
        _, answer = OperatorApi(master).call({"type": "GET_AGENTS"}, now)
        assert isinstance(answer, dict)
        (agent,) = answer["get_agents"]["agents"]
        times = [agent[name] for name in ("registered_time", "reregistered_time") if name in agent]
        shown.append([time["nanoseconds"] // 10**9 for time in times])
    assert shown == [[10], [10, 20], [10, 30]]


def test_one_that_is_back_without_a_task_has_it_out_of_reach_no_longer() -> None:
    """Mesos' own PartitionTest.ReregisterPartitionedAgentWithEnrouteTask: the launch was lost on its way."""
    cluster = Cluster(master_id="m")
    master = Master(cluster, address="127.0.0.1", port=5050, unreachable_seconds=75)
    agent_id = master.agents.register({"info": KNOWN["info"], "total": []}, 0)
    owner = master.subscribe({"subscribe": {"framework_info": FRAMEWORK}}, "stream", 1)
    info = {"task_id": {"value": "t"}, "agent_id": {"value": agent_id}, "name": "t", "resources": []}
    cluster.tasks[owner, "t"] = Task("t", owner, agent_id, info, Bag(), "r", {"state": "TASK_STAGING"})
    listing = OperatorApi(master)
    for now, back, unreachable in ((80, False, 1), (90, True, 0)):
        master.tick(now)
        if back:
            master.agents.register({"id": agent_id, "info": KNOWN["info"], "total": []}, now)
        _, found = listing.call({"type": "GET_TASKS"}, now)
        assert isinstance(found, dict)
        assert len(found["get_tasks"].get("unreachable_tasks", [])) == unreachable
