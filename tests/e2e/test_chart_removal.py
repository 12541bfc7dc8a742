"""Chart and definitions are upgraded and removed in either order: nothing on Mesos or on disk is touched."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chart import CHART, one
from e2e.conftest import Cluster, Json, eventually, manifest
from e2e.installing import Installed
from e2e.uninstalling import reserved

DEFINITIONS = ("statefuldatabases.statefuldb.dev", "databasevolumes.statefuldb.dev")
NAMES = ("carved", "pinned")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, host_root: str) -> Iterator[Installed]:
    cluster = Cluster(tmp_path_factory.mktemp("removed"))
    release = Installed(cluster, {})
    release.start_cluster()
    older = older_chart(tmp_path_factory.mktemp("older") / "statefuldb")
    release.start(one(release.install(older), "Deployment"))
    for body in databases(host_root):
        cluster.apply(body)
    for name in NAMES:
        cluster.ready(name)
        cluster.sql(name, "CREATE TABLE t (a INT)")
        cluster.sql(name, "INSERT INTO t VALUES (3)")
    yield release
    release.stop()
    cluster.cli("down")


def older_chart(path: Path) -> Path:
    """Return a copy of the chart whose definition of databases has another short name."""
    shutil.copytree(CHART, path)
    definition = path / "files" / "statefuldatabases.yaml"
    text = definition.read_text()
    assert "    - sdb\n" in text
    definition.write_text(text.replace("    - sdb\n", "    - sdbold\n"))
    return path


def databases(host_root: str) -> list[Json]:
    return [
        manifest(name, storage, deletionProtection="Disabled", retention={"whenDeleted": "Delete"})
        for name, storage in (
            ("carved", {"strategy": "PersistentVolume", "size": "1Gi"}),
            ("pinned", {"strategy": "HostPath", "size": "1Gi", "hostPath": {"path": host_root}}),
        )
    ]


class Untouched:
    """What there is on Mesos and on disk, to be compared with what there is later."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._before = self._state()

    def check(self) -> None:
        assert self._state() == self._before
        for name in NAMES:
            assert self._cluster.sql(name, "SELECT a FROM t") == "3"

    def _state(self) -> tuple[object, ...]:
        tasks = self._cluster.ask("GET_TASKS").get("tasks", [])
        running = sorted(t["task_id"]["value"] for t in tasks if t["state"] == "TASK_RUNNING")
        assert len(running) == len(NAMES)
        servers = [sorted(self._cluster.processes(task).items()) for task in running]
        files = [Path(f"/proc/{dict(held)['engine']}/cwd/ibdata1").stat() for held in servers]
        data = [(file.st_dev, file.st_ino) for file in files]
        return running, reserved(self._cluster), servers, data


def ready_again(cluster: Cluster, before: Untouched) -> None:
    for name in NAMES:
        cluster.ready(name, 120)
    before.check()


def delete_definitions(cluster: Cluster) -> None:
    for name in DEFINITIONS:
        cluster.client.delete("CustomResourceDefinition", "", name)


def short_names(cluster: Cluster) -> list[str]:
    stored = cluster.client.get("CustomResourceDefinition", "", DEFINITIONS[0])
    assert stored is not None
    return list(stored["spec"]["names"]["shortNames"])


def no_definitions(cluster: Cluster) -> bool:
    return all(cluster.client.get("CustomResourceDefinition", "", name) is None for name in DEFINITIONS)


def test_an_upgrade_brings_definitions_up_to_date_and_touches_nothing(installed: Installed) -> None:
    cluster, before = installed.cluster, Untouched(installed.cluster)
    assert short_names(cluster) == ["sdbold"]
    installed.upgrade()
    assert short_names(cluster) == ["sdb"]
    ready_again(cluster, before)


def test_the_chart_first_and_then_the_definitions(installed: Installed, host_root: str) -> None:
    cluster, before = installed.cluster, Untouched(installed.cluster)
    installed.stop()
    installed.uninstall()
    assert all(cluster.client.get("CustomResourceDefinition", "", name) for name in DEFINITIONS)
    assert all(cluster.database(name) for name in NAMES)
    before.check()
    delete_definitions(cluster)
    for name in NAMES:
        assert cluster.database(name), "our finalizer holds it until an operator, or a person, has looked"
        cluster.client.merge("StatefulDatabase", "default", name, {"metadata": {"finalizers": None}})
    eventually(lambda: no_definitions(cluster))
    before.check()
    comes_back(installed, host_root, before)


def test_the_definitions_first_and_then_the_chart(installed: Installed, host_root: str) -> None:
    cluster, before = installed.cluster, Untouched(installed.cluster)
    delete_definitions(cluster)
    eventually(lambda: no_definitions(cluster), 60, lambda: cluster.log("charted")[-3000:])
    before.check()
    installed.stop()
    installed.uninstall()
    before.check()
    comes_back(installed, host_root, before)


def comes_back(installed: Installed, host_root: str, before: Untouched) -> None:
    """Install the chart again, apply the manifests, and only then start the operator: all is as it was."""
    deployment = one(installed.install(), "Deployment")
    for body in databases(host_root):
        installed.cluster.apply(body)
    installed.start(deployment)
    ready_again(installed.cluster, before)
