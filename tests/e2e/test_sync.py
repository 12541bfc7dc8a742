"""`statefuldb sync` on a real bare repository with real pushes, killed at random: the cluster follows every commit.

STATEFULDB_TEST_SYNC_COMMITS (100) and STATEFULDB_TEST_SYNC_SEED choose another run.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.conftest import Cluster, eventually
from e2e.fleet import FOLDER, SERVING, Fleet, body_of
from e2e.repository import Repository
from e2e.syncing import NAME, Syncer

COMMITS = int(os.environ.get("STATEFULDB_TEST_SYNC_COMMITS", "100"))
SEED = int(os.environ.get("STATEFULDB_TEST_SYNC_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
FOLLOWED_SECONDS = 120.0


def differing(syncer: Syncer, fleet: Fleet) -> list[str]:
    """Return the names of the databases that are not as they must be."""
    live = {o["metadata"]["name"]: o for o in syncer.client.list("StatefulDatabase", "default")}
    wrong = []
    for name in fleet.names:
        wanted, stored = fleet.wanted.get(name), live.get(name)
        if wanted is None or stored is None:
            wrong += [] if wanted is stored else [name]
        elif (
            any(stored["spec"].get(key) != value for key, value in wanted["spec"].items())
            or stored["metadata"]["labels"] != wanted["metadata"]["labels"]
        ):
            wrong.append(name)
    return wrong


@pytest.fixture(scope="module")
def chance() -> random.Random:
    sys.stderr.write(f"\nSTATEFULDB_TEST_SYNC_SEED={SEED}\n")
    return random.Random(SEED)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, chance: random.Random) -> Fleet:
    return Fleet(Repository(tmp_path_factory.mktemp("repository")), chance)


@pytest.fixture(scope="module")
def syncer(cluster: Cluster, fleet: Fleet) -> Iterator[Syncer]:
    source = f"file://{fleet._repository.bare}#main"
    one = Syncer(cluster, source, "--path", FOLDER, "--interval", "200ms", "--prune")
    for name in fleet.names:
        fleet.put(name, fleet.fresh(name))
    fleet.push("All of it")
    one.start()
    yield one
    assert one.end() == 0, one.log


def followed(fleet: Fleet, syncer: Syncer, commit: str, why: str) -> None:
    """Wait until the sync says that it is at this commit, and the cluster is as that commit wants it."""
    eventually(lambda: syncer.status.get("revision") == commit, FOLLOWED_SECONDS, lambda: f"{why} {syncer.log}")
    eventually(
        lambda: not differing(syncer, fleet),
        FOLLOWED_SECONDS,
        lambda: f"{why} differ: {differing(syncer, fleet)} {syncer.status} {syncer.log}",
    )


@pytest.mark.timeout(COMMITS * 10 + 300)
def test_the_cluster_follows_every_commit_and_no_row_is_lost(
    cluster: Cluster, fleet: Fleet, syncer: Syncer, chance: random.Random
) -> None:
    commit = fleet._repository.git("rev-parse", "HEAD")
    followed(fleet, syncer, commit, f"seed {SEED}, the first commit")
    for name in SERVING:
        cluster.ready(name)
        cluster.sql(name, "CREATE TABLE t (a INT)")
        cluster.sql(name, "INSERT INTO t VALUES (41)")
    story: list[str] = []
    for number in range(1, COMMITS + 1):
        what = fleet.random_commit()
        commit = fleet.push(f"{number}: {what}")
        story.append(f"{number} {what}")
        if number % 10 == 0:
            # At a random moment of its pass; whatever it was at, it goes on after a start.
            time.sleep(chance.random() * 0.3)
            syncer.kill()
            syncer.start()
        followed(fleet, syncer, commit, f"seed {SEED}, {story[-5:]}")
        said = syncer.status
        for name, content in fleet.files.items():
            told = any(f"{name}.yaml" in error for error in said["errors"])
            assert told is not isinstance(content, dict), f"seed {SEED}, {story[-5:]}, {name}: {said['errors']}"
        assert said["state"] == ("Synced" if not said["errors"] else "Partial")
        assert bool(fleet.files) or "holds no manifest" in said["errors"][0]
    for name in fleet.names:
        fleet.put(name, fleet.fresh(name))
    followed(fleet, syncer, fleet.push("All of it again"), f"seed {SEED}, at the end")
    for name in SERVING:
        cluster.ready(name)
        assert cluster.sql(name, "SELECT a FROM t") == "41", f"seed {SEED}"
    assert not cluster.client.list("Event", "default", "fieldSelector=reason=VolumeReleased")


def test_a_pruned_database_keeps_its_rows_whatever_its_retention_says(
    cluster: Cluster, fleet: Fleet, syncer: Syncer
) -> None:
    name = SERVING[0]
    body = body_of(name, 0)
    assert body["spec"]["retention"]["whenDeleted"] == "Delete"
    for what, content in (("there", body), ("gone", None)):
        fleet.put(name, content)
        followed(fleet, syncer, fleet.push(what), f"{name} is {what}")
    assert any(name in pruned for pruned in syncer.status["pruned"])
    eventually(lambda: cluster.volumes(name)[0]["spec"]["phase"] == "Retained", 90.0)
    fleet.put(name, body)
    followed(fleet, syncer, fleet.push("back"), f"{name} is back")
    cluster.ready(name)
    assert cluster.sql(name, "SELECT a FROM t") == "41"
    protected = SERVING[1]
    fleet.put(protected, None)
    followed(fleet, syncer, fleet.push("not to be pruned"), f"{protected} is gone from Git")
    assert any(protected in kept and "is protected" in kept for kept in syncer.status["kept"])
    fleet.put(protected, fleet.fresh(protected))
    followed(fleet, syncer, fleet.push("all is there"), f"{protected} is back")


def test_drift_is_put_right_and_told_and_an_approval_is_no_drift(
    cluster: Cluster, fleet: Fleet, syncer: Syncer
) -> None:
    name = "db-10"
    eventually(lambda: not differing(syncer, fleet), FOLLOWED_SECONDS)
    cluster.client.merge("StatefulDatabase", "default", name, {"spec": {"reconcile": {"approvedPlan": "0123"}}})
    cluster.client.merge("StatefulDatabase", "default", name, {"spec": {"resources": {"cpus": "3"}}})
    drifted = f"StatefulDatabase/{name} in default: spec.resources.cpus"
    eventually(lambda: drifted in syncer.status["drift"], FOLLOWED_SECONDS, lambda: str(syncer.status))
    eventually(lambda: not differing(syncer, fleet), FOLLOWED_SECONDS)
    stored = cluster.database(name)
    assert stored is not None
    assert stored["spec"]["reconcile"]["approvedPlan"] == "0123", "what Git does not mention is nobody's business"
    shown = cluster.cli("sync", "status")
    assert drifted in shown
    assert syncer.status["revision"] in shown
    events = cluster.client.list("Event", "default", "fieldSelector=involvedObject.kind=ConfigMap")
    assert any(syncer.status["revision"][:12] in event["message"] for event in events)


def test_a_plan_is_approved_by_a_commit(cluster: Cluster, fleet: Fleet, syncer: Syncer) -> None:
    name = "db-04"
    body = fleet.fresh(name)
    body["spec"] |= {"replicas": 1, "reconcile": {"mode": "PlanOnly"}}
    fleet.put(name, body)
    followed(fleet, syncer, fleet.push("to be planned"), f"{name} is PlanOnly")

    def waiting() -> str:
        stored = cluster.database(name)
        assert stored is not None
        return str(stored["status"]["plan"].get("hash", ""))

    approved = eventually(waiting, FOLLOWED_SECONDS, lambda: cluster.cli("explain", name))
    assert not cluster.volumes(name)
    body["spec"]["reconcile"]["approvedPlan"] = approved
    fleet.put(name, body)
    followed(fleet, syncer, fleet.push("approved"), f"{name} is approved")
    cluster.ready(name)
    assert cluster.sql(name, "SELECT 1") == "1"


def test_a_source_that_is_gone_changes_nothing(cluster: Cluster, fleet: Fleet, syncer: Syncer) -> None:
    before = syncer.status["revision"]
    away = fleet._repository.bare.with_suffix(".away")
    fleet._repository.bare.rename(away)
    eventually(lambda: syncer.status["state"] == "Failed", FOLLOWED_SECONDS)
    assert "cannot be read" in cluster.cli("sync", "status", NAME)
    away.rename(fleet._repository.bare)
    eventually(lambda: syncer.status["state"] == "Synced", FOLLOWED_SECONDS, lambda: str(syncer.status))
    assert syncer.status["revision"] == before
    assert not differing(syncer, fleet)


def test_a_directory_once_and_dry(cluster: Cluster, tmp_path: Path) -> None:
    sync = ("sync", str(tmp_path), "--prune", "--name", "folder")
    assert "holds no manifest" in cluster.cli(*sync, "--once", code=1)
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(body_of("loose", 3)))
    assert "would apply  StatefulDatabase/loose" in cluster.cli(*sync, "--dry-run")
    assert cluster.database("loose") is None
    assert "Synced, 1 objects" in cluster.cli(*sync, "--once")
    assert "nothing to do" in cluster.cli(*sync, "--dry-run")
    (tmp_path / "one.yaml").unlink()
    assert "--allow-empty" in cluster.cli(*sync, "--once", code=1)
    assert "pruned    StatefulDatabase/loose" in cluster.cli(*sync, "--once", "--allow-empty")
    eventually(lambda: cluster.database("loose") is None)


def test_a_password_in_a_url_is_refused(cluster: Cluster) -> None:
    said = cluster.cli("sync", "https://me:secret@git.invalid/x.git", "--once", code=2)
    assert "leave passwords and tokens to git" in said
    assert "secret@" not in said
    assert "is no name" in cluster.cli("sync", ".", "--once", "--name", "../../x", code=2)
