"""The operator, unchanged, on a real Apache Mesos 1.11.0, with the embedded API server."""

import json
import os
import signal
from pathlib import Path

import pytest

from e2e.conftest import eventually, from_file, manifest
from e2e.forgetting import idle_data_is_found_again
from e2e.killing import rows_survive_every_kill
from e2e.orphans import an_orphan_is_adopted_for_another_database
from e2e.real_mesos import MOUNT_POINT, RealCluster
from e2e.scanning import scanned_on_agents
from e2e.uninstalling import (
    a_released_volume,
    foreign_reservations,
    nothing_of_ours_is_left,
    reserve,
    reserved,
    uuid_of,
)
from glusterfs import GlusterFs, run

pytestmark = pytest.mark.real_mesos


@pytest.mark.parametrize("example", ["persistent-volume", "host-path"])
def test_rows_survive_every_kill(real: RealCluster, host_root: str, example: str) -> None:
    body = from_file(example)
    if example == "host-path":
        body["spec"]["storage"]["hostPath"]["path"] = host_root
    real.apply(body)
    real.ready(body["metadata"]["name"], 120)
    rows_survive_every_kill(real, body["metadata"]["name"])
    if example == "host-path":
        (found,) = scanned_on_agents(real, host_root)
        assert (found["standing"], found["host"]) == ("Known", "127.0.0.1")
        (framework,) = real.ask("GET_FRAMEWORKS")["frameworks"]
        assert framework["framework_info"]["name"] == "statefuldb"


def test_rows_on_a_real_glusterfs_survive_every_kill(real: RealCluster, gluster: GlusterFs) -> None:
    Path(MOUNT_POINT).mkdir()
    run("mount", "--bind", str(gluster.views[0].path), MOUNT_POINT)
    try:
        body = from_file("dfs")
        body["metadata"]["name"] = "everywhere"
        body["spec"]["storage"]["dfs"]["mountPoint"] = MOUNT_POINT
        body["spec"]["deletionProtection"] = "Disabled"
        real.apply(body)
        real.ready("everywhere", 120)
        rows_survive_every_kill(real, "everywhere")
        task = real.task_id("everywhere")
        real.cli("delete", "everywhere")
        eventually(lambda: not real.processes(task), 90)
    finally:
        run("umount", "--lazy", MOUNT_POINT)
        Path(MOUNT_POINT).rmdir()


def test_idle_data_is_found_again(real: RealCluster) -> None:
    idle_data_is_found_again(real, "forgotten")


def test_a_database_lives_and_survives_on_a_real_mesos(real: RealCluster) -> None:
    name = "genuine"
    body = manifest(name, {"strategy": "PersistentVolume", "size": "1Gi"}, deletionProtection="Disabled")
    real.apply(body)
    real.ready(name, 120)
    real.sql(name, "CREATE TABLE t (a INT)")
    real.sql(name, "INSERT INTO t VALUES (7)")
    task = real.task_id(name)
    os.kill(real.processes(task)["keeper"], signal.SIGKILL)
    real.relaunched(name, task)
    real.ready(name, 120)
    assert real.sql(name, "SELECT a FROM t") == "7"
    task = real.task_id(name)
    body["spec"]["resources"]["memory"] = "384Mi"
    real.apply(body)
    real.relaunched(name, task)
    real.ready(name, 120)
    assert real.sql(name, "SELECT a FROM t") == "7"
    body["spec"]["retention"] = {"whenDeleted": "Delete"}
    real.apply(body)
    real.ready(name)
    real.cli("delete", name)
    eventually(lambda: not real.volumes(name), 60)


def test_a_member_whose_executor_is_killed_is_served_again(real: RealCluster) -> None:
    """Its agent has no cgroups: it calls the task failed, and lets it run on."""
    name = "orphaned"
    real.apply(manifest(name, {"strategy": "PersistentVolume", "size": "1Gi"}, deletionProtection="Disabled"))
    real.ready(name, 120)
    real.sql(name, "CREATE TABLE t (a INT)")
    real.sql(name, "INSERT INTO t VALUES (7)")
    task = real.task_id(name)
    keeper = real.processes(task)["keeper"]
    executor = int(Path(f"/proc/{keeper}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(executor, signal.SIGKILL)
    real.relaunched(name, task)
    eventually(lambda: not real.processes(task), 90)
    real.ready(name, 180)
    assert real.sql(name, "SELECT a FROM t") == "7"


def test_the_doctor_and_the_logs_look_through_a_real_master(real: RealCluster) -> None:
    name = "examined"
    real.apply(manifest(name, {"strategy": "PersistentVolume", "size": "1Gi"}))
    real.ready(name, 120)
    findings = json.loads(real.cli("doctor", "-o", "json", *real.mesos_options))
    assert [f for f in findings if f["verdict"] in ("amiss", "unknown")] == []
    whats = " / ".join(f["what"] for f in findings)
    for seen in (
        "leads, Mesos 1.11.0",
        "role statefuldb is allowed",
        "is connected",
        "may take 5 s",
        "volumes can grow",
    ):
        assert seen in whats
    on_agents = json.loads(real.cli("doctor", "--on-agents", "-o", "json", *real.mesos_options, code=1))
    amiss = [f["what"] for f in on_agents if f["verdict"] == "amiss"]
    assert amiss == [f"{MOUNT_POINT} is no mount of a shared file system"], "it is advertised, and not there now"
    assert [f for f in on_agents if f["what"].startswith("database server 10.11") and f["verdict"] == "ok"]
    said = real.cli("doctor", "--principal", "nobody", "--mesos-role", "elsewhere", *real.mesos_options, code=1)
    assert "role elsewhere is not in --roles" in said
    assert "--principal statefuldb" in said
    assert "ready for connections" in real.cli("logs", name, *real.mesos_options)
    first = real.task_id(name)
    real.cli("restart", name, "--wait")
    ended = first.rpartition(".")[2]
    assert "Shutdown complete" in real.cli("logs", name, "--incarnation", ended, "-n", "500", *real.mesos_options)
    real.cli("logs", name, "--incarnation", "999", *real.mesos_options, code=3)


def test_an_orphan_is_adopted_for_another_database(real: RealCluster) -> None:
    an_orphan_is_adopted_for_another_database(real, "stray")


def test_uninstalling_without_an_operator_leaves_all_of_others_and_nothing_of_ours(
    binaries: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one = RealCluster(tmp_path_factory.mktemp("uninstalled"), binaries)
    try:
        volume = a_released_volume(one, "fleeting", with_operator=False)
        mine = reserved(one)
        reserve(one, foreign_reservations(mine[0]["reservations"][-1]))
        before = reserved(one)
        others = [r for r in before if r not in mine]
        assert len(others) == 2
        (directory,) = one.state_dir.glob("real/**/volumes/roles/statefuldb/sdb.*")
        said = one.cli("uninstall", "--dry-run", *one.mesos_options)
        assert f"destroy and unreserve default/{volume}" in said
        assert reserved(one) == before, "a dry run did something"
        one.cli("uninstall", "--confirm", "yes", *one.mesos_options, code=4)
        assert reserved(one) == before, "an unconfirmed run did something"
        one.cli("uninstall", "--confirm", uuid_of(one), *one.mesos_options)
        assert reserved(one) == others
        # A master tells of it before its agent has removed it.
        eventually(lambda: not directory.exists(), 30)
        assert one.ask("GET_FRAMEWORKS").get("frameworks", []) == []
        assert one.ask("GET_TASKS").get("tasks", []) == []
        nothing_of_ours_is_left(one)
        one.cli("uninstall", *one.mesos_options, code=3)
    finally:
        one.close()
