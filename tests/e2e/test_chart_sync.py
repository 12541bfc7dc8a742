"""`sync` of the chart, run as its pod would be: by its account's token, with a login for git that is in no argument."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart import one
from e2e.conftest import Cluster, Json, eventually, manifest
from e2e.git_server import PASSWORD, GitServer, git_server
from e2e.granting import forbidden, idle
from e2e.installing import HOME, Installed
from e2e.pod import Pod
from e2e.repository import Repository

SHOP, STOCK = "shop", "stock"
ACCOUNT, RECORD = "demo-statefuldb-sync", "statefuldb-sync-demo-statefuldb"
EVERYTHING = {"prune": True, "configMaps": True, "createNamespaces": True}
NAMED = {"namespaces": [SHOP]}


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    one = Cluster(tmp_path_factory.mktemp("synced"))
    yield one
    one.cli("down")


@pytest.fixture
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture
def server(repository: Repository) -> Iterator[GitServer]:
    with git_server(repository.bare.parent) as serving:
        yield serving


@pytest.fixture(params=[EVERYTHING, NAMED], ids=["everywhere", "named"])
def installed(request: pytest.FixtureRequest, cluster: Cluster, server: GitServer) -> Installed:
    source = {"source": f"{server.url}/fleet.git", "path": "prod", "revision": "main", "interval": "1s"}
    sync = {"enabled": True, "credentialsSecret": "git", **source, **request.param}
    release = Installed(cluster, {"sync": sync})
    release.start_cluster(mesos=False)
    cluster.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SHOP}}, "")
    return release


def database(name: str, namespace: str, **more: Any) -> Json:
    body = manifest(name, {"strategy": "PersistentVolume", "size": "1Gi"}, replicas=0, **more)
    return {**body, "metadata": {"name": name, "namespace": namespace}}


def status(cluster: Cluster) -> Json:
    """Return what the sync published last, {} before that."""
    stored = cluster.client.get("ConfigMap", HOME, RECORD)
    return dict(json.loads(stored["data"]["status"])) if stored and stored["data"]["status"] else {}


def put(repository: Repository, **bodies: Json | None) -> str:
    """Push a file for each; return the commit."""
    for name, body in bodies.items():
        repository.write(f"prod/{name}.yaml", yaml.safe_dump(body) if body is not None else None)
    return repository.push(", ".join(bodies))


def test_the_account_needs_all_that_it_is_granted_and_the_login_is_seen_nowhere(
    *,
    installed: Installed,
    cluster: Cluster,
    repository: Repository,
    server: GitServer,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    everywhere = installed.values["sync"].get("prune", False)
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": SHOP}}
    # What is pruned has its data retained first.
    removable = {"deletionProtection": "Disabled", "retention": {"whenDeleted": "Delete"}}
    commit = put(
        repository,
        orders=database("orders", SHOP, **removable),
        settings={**settings, "data": {"a": "1"}} if everywhere else None,
        stock={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STOCK}} if everywhere else None,
        parts=database("parts", STOCK),
    )
    objects = installed.install()
    deployment = one(objects, "Deployment", ACCOUNT)
    login = server.write_login(tmp_path / "login", PASSWORD)
    pod = Pod(
        installed, deployment, tmp_path, {"/etc/statefuldb/git": login, "/var/lib/statefuldb": tmp_path / "state"}
    )
    request.addfinalizer(pod.kill)
    pod.start()
    eventually(lambda: status(cluster).get("revision") == commit, why=lambda: pod.log)
    for part in ("cmdline", "environ"):
        assert PASSWORD.encode() not in Path(f"/proc/{pod.pid}/{part}").read_bytes()
    assert cluster.database("orders", SHOP) is not None

    if everywhere:
        assert status(cluster)["state"] == "Synced", status(cluster)
        commit = put(repository, orders=None, settings=None)
        eventually(lambda: status(cluster)["revision"] == commit, why=lambda: pod.log)
        assert len(status(cluster)["pruned"]) == 2, status(cluster)
    else:
        (error,) = status(cluster)["errors"]
        assert "StatefulDatabase/parts in stock" in error
        assert "forbidden" in error
    assert pod.stop() == 0, pod.log
    asked = installed.asked(ACCOUNT)
    refused = [a["objectRef"] for a in forbidden(asked)]
    assert all(not everywhere and about["namespace"] == STOCK for about in refused), refused
    assert not idle(objects, ACCOUNT, asked)
    assert PASSWORD not in json.dumps(objects) + pod.log + json.dumps(status(cluster))
