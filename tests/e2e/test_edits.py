"""Edits, refusals, deletion and re-adoption, as a user does them."""

import json

import yaml

from e2e.conftest import Cluster, Json, eventually, manifest

VOLUME = {"strategy": "PersistentVolume", "size": "1Gi"}


def accepted(cluster: Cluster, name: str) -> str:
    stored = cluster.database(name)
    assert stored is not None
    return next(str(c["message"]) for c in stored["status"]["conditions"] if c["type"] == "Accepted")


def foresee(cluster: Cluster, body: Json) -> str:
    path = cluster.state_dir / "foreseen.yaml"
    path.write_text(yaml.safe_dump(body))
    return cluster.cli("plan", "-f", str(path))


def test_more_memory_restarts_on_the_same_volume_and_the_engine_follows(cluster: Cluster) -> None:
    body = manifest("edited", VOLUME)
    foreseen = foresee(cluster, body)
    assert "reserve and launch edited-0 (incarnation 1) on an agent that offers enough" in foreseen
    assert cluster.database("edited") is None, "a plan is not an apply"
    cluster.apply(body)
    cluster.ready("edited")
    assert "nothing to do" in foresee(cluster, body)
    small = int(cluster.sql("edited", "SELECT @@innodb_buffer_pool_size"))
    (before,) = cluster.volumes("edited")
    body["spec"]["resources"] = {"cpus": "500m", "memory": "512Mi"}
    body["spec"]["engine"]["config"] = {"max_connections": 44}
    foreseen = foresee(cluster, body)
    assert foreseen.index("Restart        restart edited-0: cpus 300m -> 500m") < foreseen.index("incarnation 2")
    cluster.apply(body)
    cluster.ready("edited")
    assert int(cluster.sql("edited", "SELECT @@innodb_buffer_pool_size")) > small
    assert cluster.sql("edited", "SELECT @@max_connections") == "44"
    (after,) = cluster.volumes("edited")
    assert after["spec"]["persistenceId"] == before["spec"]["persistenceId"]
    assert "restart edited-0" in cluster.cli("journal", "edited")


def test_restart_restarts_once_on_the_same_data_and_is_held_back_where_it_must(cluster: Cluster) -> None:
    name = "renewed"
    body = manifest(name, VOLUME)
    cluster.apply(body)
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (8)")
    first = cluster.task_id(name)
    assert "Ready again" in cluster.cli("restart", name, "--wait")
    second = cluster.task_id(name)
    assert (second.rpartition(".")[2], first.rpartition(".")[2]) == ("2", "1")
    assert cluster.sql(name, "SELECT a FROM t") == "8"
    assert cluster.cli("journal", name).count("asked for at") == 1
    assert " 0 different, 0 not replayed" in cluster.cli("replay", name)
    body["spec"]["reconcile"] = {"mode": "PlanOnly"}
    cluster.apply(body)
    assert "PlanOnly" in cluster.cli("restart", name)
    eventually(lambda: "asked for at" in cluster.cli("plan", name))
    shown = cluster.cli("plan", name)
    assert "Restart" in shown
    assert "ApprovalRequired" in shown
    assert cluster.task_id(name) == second
    assert "engine" in cluster.processes(second)
    cluster.cli("approve", name)
    eventually(lambda: "keeper" not in cluster.processes(second))


def test_a_bad_edit_keeps_the_old_target_even_through_a_crash(cluster: Cluster) -> None:
    name = "stubborn"
    cluster.apply(manifest(name, VOLUME))
    cluster.ready(name)
    task = cluster.task_id(name)
    patch = {"spec": {"storage": {"size": "512Mi"}}}
    cluster.client.merge("StatefulDatabase", "default", name, patch)
    eventually(lambda: "storage never shrinks" in accepted(cluster, name))
    cluster.kill("operator")
    cluster.kill_task(task)
    cluster.restart("operator")
    cluster.relaunched(name, task)

    def answers() -> bool:
        stored = cluster.database(name)
        return stored is not None and bool(stored["status"]["members"][0].get("ready"))

    eventually(answers, 90.0, lambda: cluster.cli("explain", name))
    assert cluster.sql(name, "SELECT 1") == "1"


def test_replicas_beyond_what_is_built_are_refused_in_words(cluster: Cluster) -> None:
    body = manifest("too-many", VOLUME, replicas=3)
    path = cluster.state_dir / "too-many.yaml"
    path.write_text(json.dumps(body))
    said = cluster.cli("apply", "-f", str(path), code=4)
    assert "spec.replicas: NotSupportedYet: 3" in said


def test_deletion_is_refused_then_retains_then_readopts(cluster: Cluster) -> None:
    name = "precious"
    body = manifest(name, VOLUME)
    cluster.apply(body)
    cluster.ready(name)
    cluster.sql(name, "CREATE TABLE t (a INT)")
    cluster.sql(name, "INSERT INTO t VALUES (42)")
    secret = cluster.client.secret("default", f"{name}-connection")
    assert "protected" in cluster.cli("delete", name, code=4)
    body["spec"]["deletionProtection"] = "Disabled"
    cluster.apply(body)
    cluster.ready(name)
    cluster.cli("delete", name)
    eventually(lambda: cluster.database(name) is None)
    eventually(lambda: cluster.volumes(name)[0]["spec"]["phase"] == "Retained")
    assert name in cluster.cli("volumes", "list")
    cluster.apply(body)
    cluster.ready(name)
    assert cluster.sql(name, "SELECT a FROM t") == "42"
    again = cluster.client.secret("default", f"{name}-connection")
    assert secret is not None
    assert again is not None
    assert again["password"] == secret["password"]
    assert "re-adopt" in cluster.cli("journal", name)


def test_delete_with_retention_delete_leaves_nothing(cluster: Cluster) -> None:
    name = "ephemeral"
    body = manifest(name, VOLUME, deletionProtection="Disabled", retention={"whenDeleted": "Delete"})
    cluster.apply(body)
    cluster.ready(name)
    (volume,) = cluster.volumes(name)
    persistence = volume["spec"]["persistenceId"]
    (path,) = cluster.state_dir.glob(f"mesos/agent-*/volumes/roles/*/{persistence}")
    cluster.cli("delete", name)
    eventually(lambda: not cluster.volumes(name))
    eventually(lambda: not path.exists())
    assert cluster.client.secret("default", f"{name}-connection") is None
    assert persistence not in agents_resources(cluster)


def agents_resources(cluster: Cluster) -> str:
    import urllib.request

    request = urllib.request.Request(
        f"http://{cluster.parts.mesos}/api/v1",
        json.dumps({"type": "GET_AGENTS"}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return str(answer.read().decode())
