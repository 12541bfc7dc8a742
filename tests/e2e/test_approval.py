"""`PlanOnly` and approval by hash, as Git would do it: an approved plan runs exactly its actions, repairs wait too."""

import json

from e2e.conftest import Cluster, Json, eventually, manifest
from statefuldb.cli.showing import condition
from statefuldb.model.conditions import ConditionType

NAME = "gated"
EFFECTS = ("AcceptOffers", "KillTask", "EnsureSecret", "SendCredentials", "FenceAgent", "DeleteSecret")


def body(approved: str = "", size: str = "1Gi", **more: object) -> Json:
    reconcile = {"mode": "PlanOnly", **({"approvedPlan": approved} if approved else {})}
    return manifest(NAME, {"strategy": "PersistentVolume", "size": size}, reconcile=reconcile, **more)


def published(cluster: Cluster) -> Json:
    """Return the plan that is published for the present generation."""

    def looked() -> Json | None:
        stored = cluster.database(NAME)
        assert stored is not None
        status = stored.get("status", {})
        current = status.get("observedGeneration") == stored["metadata"]["generation"]
        return dict(status["plan"]) if current else None

    return dict(eventually(looked, 60.0, lambda: cluster.log("operator")[-2000:]))


def waiting_plan(cluster: Cluster, reason: str) -> Json:
    def looked() -> Json | None:
        plan = published(cluster)
        return plan if plan["waiting"] and plan["waiting"][-1]["reason"] == reason else None

    return dict(eventually(looked, 60.0, lambda: cluster.cli("explain", NAME)))


def effects(cluster: Cluster) -> list[str]:
    """Return the types of all effects on the database, in the order in which the journal has them."""
    lines = (cluster.state_dir / "operator" / "journal.jsonl").read_text().splitlines()
    entries = [entry for entry in map(json.loads, lines) if entry["key"] == f"default/{NAME}"]
    return [action["type"] for entry in entries for action in entry["actions"] if action["type"] in EFFECTS]


def planned(plan: Json) -> list[str]:
    return [action["type"] for action in plan["actions"]]


def test_an_approved_plan_runs_exactly_its_actions_and_a_stale_one_none(cluster: Cluster) -> None:
    cluster.apply(body())
    first = waiting_plan(cluster, "ApprovalRequired")
    assert planned(first) == ["AcceptOffers", "EnsureSecret", "SendCredentials"]
    assert not effects(cluster)
    assert not cluster.volumes(NAME)
    cluster.apply(body(approved="0" * 12))
    refused = waiting_plan(cluster, "ApprovalStale")
    assert refused["hash"] == first["hash"], "committing an approval changes no plan"
    assert "Planned" in cluster.cli("events", NAME)
    cluster.apply(body(approved=first["hash"], resources={"cpus": "350m", "memory": "256Mi"}))
    edited = waiting_plan(cluster, "ApprovalStale")
    assert edited["hash"] != first["hash"]
    assert edited["hash"] in cluster.cli("plan", NAME)
    assert not effects(cluster)
    cluster.apply(body(approved=edited["hash"], resources={"cpus": "350m", "memory": "256Mi"}))
    cluster.ready(NAME)
    assert effects(cluster) == planned(edited)
    cluster.sql(NAME, "CREATE TABLE t (a INT)")
    cluster.sql(NAME, "INSERT INTO t VALUES (7)")


def test_a_repair_waits_and_its_release_survives_the_operator(cluster: Cluster) -> None:
    before, task = effects(cluster), cluster.task_id(NAME)
    cluster.kill_task(task)
    repair = waiting_plan(cluster, "ApprovalRequired")
    eventually(lambda: cluster.volumes(NAME)[0]["spec"].get("ending"), why=lambda: "the end was not written down")
    repair = published(cluster)
    assert planned(repair) == ["AcceptOffers", "SendCredentials"]
    assert effects(cluster) == before
    cluster.kill("operator")  # before it can begin: a pass that it has written down and not done would be there twice
    assert repair["hash"] in cluster.cli("approve", NAME)
    cluster.restart("operator")
    cluster.ready(NAME)
    assert effects(cluster) == [*before, *planned(repair)]
    assert cluster.sql(NAME, "SELECT a FROM t") == "7"


def test_a_refused_spec_approves_nothing_and_the_command_says_so(cluster: Cluster) -> None:
    cluster.apply(body(size="900Mi"))
    eventually(
        lambda: condition(cluster.database(NAME) or {}, ConditionType.ACCEPTED).get("status") == "False",
        why=lambda: cluster.cli("explain", NAME),
    )
    assert "a refused spec approves nothing: spec.storage.size" in cluster.cli("approve", NAME, code=4)
