"""What an agent still says after it was removed is dropped (master.cpp, Master::statusUpdate)."""

from collections.abc import Callable
from typing import Any

import pytest

from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.effects import ToFramework
from statefuldb.local.mesos.master.master import Master

Json = dict[str, Any]
CAPABILITIES = [{"type": name} for name in ("MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE")]


def take_down(master: Master, agent_id: str) -> None:
    master.agents.take_down(master.cluster.agents[agent_id])


def mark_gone(master: Master, agent_id: str) -> None:
    master.agents.mark_gone(agent_id)


def told(cluster: Cluster) -> list[str]:
    """Return what frameworks were told since the last look."""
    told = [effect.event["type"] for effect in cluster.outbox if isinstance(effect, ToFramework)]
    cluster.outbox.clear()
    return told


@pytest.mark.parametrize("remove", [take_down, mark_gone])
def test_the_end_of_its_task_is_not_told_a_second_time(remove: Callable[[Master, str], None]) -> None:
    cluster = Cluster(master_id="m")
    master = Master(cluster, address="127.0.0.1", port=5050, unreachable_seconds=75)
    framework = {"user": "u", "name": "f", "roles": ["r"], "capabilities": CAPABILITIES}
    master.subscribe({"subscribe": {"framework_info": framework}}, "stream", 0)
    (framework_id,) = cluster.frameworks
    cpus = {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}}
    info: Json = {"hostname": "h", "ip": "127.0.0.1", "port": 5051}
    agent_id = master.agents.register({"info": info, "total": [cpus]}, 0)
    running = {
        "task": {"task_id": {"value": "t"}, "name": "t", "resources": [cpus]},
        "status": {"state": "TASK_RUNNING"},
    }
    again = {"id": agent_id, "info": info, "total": [cpus], "tasks": [{"framework_id": framework_id, **running}]}
    master.agents.register(again, 1)
    told(cluster)
    remove(master, agent_id)
    assert told(cluster) == ["UPDATE", "FAILURE"]
    status = {"task_id": {"value": "t"}, "state": "TASK_KILLED", "uuid": "u"}
    master.agents.update(agent_id, framework_id, status)
    master.agents.executor_ended(agent_id, {"framework_id": framework_id, "executor_id": "t", "status": 9})
    assert told(cluster) == []
