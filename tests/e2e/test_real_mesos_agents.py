"""What agents of a real Apache Mesos 1.11.0 go through, and what the operator makes of it."""

import time

import pytest

from e2e.conftest import Json, eventually, kill_all, manifest
from e2e.real_mesos import RealCluster
from statefuldb.adapters.machine import RealMachine
from statefuldb.adapters.mesos.driver import Driver, Event
from statefuldb.adapters.mesos.masters import MasterList
from statefuldb.adapters.mesos.transport import Transport

pytestmark = pytest.mark.real_mesos

NAME = "settled"


def agent_id(real: RealCluster) -> str:
    (agent,) = eventually(lambda: agents(real))
    return str(agent["agent_info"]["id"]["value"])


def agents(real: RealCluster) -> list[Json]:
    try:
        return list(real.ask("GET_AGENTS").get("agents", []))
    except OSError:
        return []


def test_a_volume_is_found_again_on_an_agent_with_another_id(real: RealCluster) -> None:
    real.apply(manifest(NAME, {"strategy": "PersistentVolume", "size": "1Gi"}))
    real.ready(NAME, 120)
    real.sql(NAME, "CREATE TABLE t (a INT)")
    real.sql(NAME, "INSERT INTO t VALUES (7)")
    task, agent = real.task_id(NAME), agent_id(real)
    (before,) = real.volumes(NAME)
    processes = real.processes(task)
    real.kill("mesos")
    kill_all(processes)
    # What an administrator is told to do after a change of the agent's flags: it registers as a new agent.
    (latest,) = (real.state_dir / "real").rglob("meta/slaves/latest")
    latest.unlink()
    real.restart("mesos")
    eventually(lambda: agent_id(real) != agent)
    real.ask("MARK_AGENT_GONE", agent_id={"value": agent})
    real.relaunched(NAME, task)
    real.ready(NAME, 120)
    assert real.sql(NAME, "SELECT a FROM t") == "7"
    assert agent_id(real) != agent
    (after,) = real.volumes(NAME)
    assert after["spec"]["persistenceId"] == before["spec"]["persistenceId"]
    assert after["spec"]["agent"]["id"] == agent_id(real)


def test_a_larger_volume_is_grown_in_one_restart(real: RealCluster) -> None:
    name = "growing"
    body = manifest(name, {"strategy": "PersistentVolume", "size": "1Gi"})
    real.apply(body)
    real.ready(name, 120)
    real.sql(name, "CREATE TABLE t (a INT)")
    real.sql(name, "INSERT INTO t VALUES (8)")
    body["spec"]["storage"]["size"] = "200Gi"
    real.apply(body)
    eventually(lambda: "AwaitingDisk" in real.cli("explain", name))
    assert real.sql(name, "SELECT a FROM t") == "8"
    body["spec"]["storage"]["size"] = "2Gi"
    real.apply(body)
    real.ready(name, 120)
    assert real.sql(name, "SELECT a FROM t") == "8"
    (volume,) = real.volumes(name)
    assert volume["spec"]["sizeBytes"] == 2 * 1024**3
    assert real.task_id(name).endswith(".2")
    (agent,) = agents(real)
    sizes = [r["scalar"]["value"] for r in agent["total_resources"] if volume["spec"]["persistenceId"] in str(r)]
    assert sizes == [2048.0]


def waits_for_maintenance(real: RealCluster, name: str) -> bool:
    stored = real.database(name)
    assert stored is not None
    (ready,) = [c for c in stored["status"]["conditions"] if c["type"] == "Ready"]
    return bool(ready["reason"] == "Maintenance")


def is_drained(real: RealCluster) -> bool:
    """Say whether the master has written down that its agent is drained: before, it reactivates none."""
    return [agent.get("drain_info", {}).get("state") for agent in agents(real)] == ["DRAINED"]


def test_a_member_stops_before_maintenance_answers_for_it_and_returns_after_it(real: RealCluster) -> None:
    real.ready(NAME, 120)
    task = real.task_id(NAME)
    begin = int((time.time() + 130) * 1e9)
    machine = {"hostname": "127.0.0.1", "ip": "127.0.0.1"}
    away = {"start": {"nanoseconds": begin}, "duration": {"nanoseconds": 3_600 * 10**9}}
    real.ask("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": [{"machine_ids": [machine], "unavailability": away}]})
    eventually(lambda: waits_for_maintenance(real, NAME), 60, lambda: real.cli("explain", NAME))
    assert not real.processes(task)
    assert "before maintenance of 127.0.0.1" in real.cli("journal", NAME)
    assert "ACCEPT" in str(eventually(lambda: real.ask("GET_MAINTENANCE_STATUS")))
    real.ask("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": []})
    real.ready(NAME, 120)
    assert real.sql(NAME, "SELECT a FROM t") == "7"


def test_a_drained_agent_stops_its_members_cleanly_and_has_them_back(real: RealCluster) -> None:
    real.ready(NAME, 120)
    agent = agent_id(real)
    real.ask("DRAIN_AGENT", agent_id={"value": agent}, max_grace_period={"seconds": 60})
    eventually(lambda: waits_for_maintenance(real, NAME), 60, lambda: real.cli("explain", NAME))
    assert "REACTIVATE_AGENT" in real.cli("explain", NAME)
    eventually(lambda: is_drained(real))
    real.ask("REACTIVATE_AGENT", agent_id={"value": agent})
    real.ready(NAME, 120)
    assert real.sql(NAME, "SELECT a FROM t") == "7"


def test_a_framework_that_takes_our_volume_is_named_until_it_lets_go(real: RealCluster) -> None:
    real.ready(NAME, 120)
    body = manifest(NAME, {"strategy": "PersistentVolume", "size": "1Gi"}, replicas=0)
    real.apply(body)
    eventually(lambda: not real.processes(real.task_id(NAME)))
    (volume,) = real.volumes(NAME)
    thief = Thief(real.master, volume["spec"]["persistenceId"])
    try:
        eventually(lambda: thief.running, 60)
        body["spec"]["replicas"] = 1
        real.apply(body)
        said = eventually(lambda: explained(real, "ReservationTaken"), 120, lambda: real.cli("explain", NAME))
        assert "task loot of framework thief" in said
    finally:
        thief.leave()
    real.ready(NAME, 120)
    assert real.sql(NAME, "SELECT a FROM t") == "7"


def explained(real: RealCluster, word: str) -> str:
    said = real.cli("explain", NAME)
    return said if word in said else ""


class Thief:
    """Another framework in our role, which runs a task on the first volume with a given id that it is offered."""

    def __init__(self, address: str, volume: str) -> None:
        self.running = False
        self._volume = volume
        info = {
            "user": "root",
            "name": "thief",
            "roles": ["statefuldb"],
            "capabilities": [{"type": "MULTI_ROLE"}, {"type": "RESERVATION_REFINEMENT"}],
        }
        self._driver = Driver(
            masters=MasterList((address,)),
            transport=Transport(credentials=None, tls=None),
            framework_info=info,
            on_event=self._event,
            on_state=lambda _: None,
            machine=RealMachine(),
        )
        self._driver.start()

    def _event(self, event: Event) -> None:
        for offer in event.get("offers", {}).get("offers", []):
            loot = [r for r in offer["resources"] if any(x.get("labels") for x in r.get("reservations", []))]
            if self._volume not in str(loot):
                continue
            task = {
                "name": "loot",
                "task_id": {"value": "loot"},
                "agent_id": offer["agent_id"],
                "resources": loot,
                "command": {"value": "sleep 1000"},
            }
            launch = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
            self._driver.acceptOffers([offer["id"]], [launch])
        if event.get("type") == "UPDATE":
            status = event["update"]["status"]
            self.running = status["state"] == "TASK_RUNNING"
            # Until one status is acknowledged, an agent forwards no later one of that task.
            self._driver.acknowledgeStatusUpdate(status)

    def leave(self) -> None:
        """End the framework, and its task with it."""
        self._driver.teardown()
        self._driver.stop()
