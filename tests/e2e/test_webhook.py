"""The validating webhook of the chart, served by an operator that waits: kubectl is told what no schema can say."""

import base64
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from chart import one
from e2e.conftest import Cluster, Json, eventually, manifest
from e2e.installing import HOME, OPERATOR, Installed

SERVED = "webhook is served at"
DENIED = 'admission webhook "statefuldatabases.statefuldb.dev" denied the request: '
PINNED = {"strategy": "HostPath", "size": "1Gi", "hostPath": {"path": "/srv/databases/orders"}}
PROFILE = {
    "apiVersion": "statefuldb.dev/v1alpha1",
    "kind": "StorageProfile",
    "metadata": {"name": "small"},
    "spec": {"namespaces": {"names": ["default"]}, "size": {"max": "2Gi"}},
}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installed, Json]]:
    """An operator that has found no Mesos yet, so that it is the webhook alone that answers."""
    cluster = Cluster(tmp_path_factory.mktemp("judged"))
    release = Installed(cluster, {"webhook": {"enabled": True}, "allowedRoots": ["/srv/databases"]})
    release.start_cluster(mesos=False)
    try:
        deployment = one(release.install(), "Deployment", OPERATOR)
        cluster.client.apply(PROFILE, "")
        release.start(deployment, until=SERVED)
        release.lead_to_webhook()
        yield release, deployment
    finally:
        release.stop()
        cluster.cli("down")


@pytest.fixture
def cluster(deployed: tuple[Installed, Json]) -> Cluster:
    return deployed[0].cluster


def kubectl(cluster: Cluster, tmp_path: Path, body: Json, *more: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not on the PATH")
    file = tmp_path / "database.yaml"
    file.write_text(yaml.safe_dump(body))
    return subprocess.run(
        [program, "--kubeconfig", str(cluster.parts.kubeconfig), "apply", "-f", str(file), *more],
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )


def pinned(name: str, storage: Json | None = None, **more: object) -> Json:
    return manifest(name, {**PINNED, **(storage or {})}, **more)


def test_what_no_schema_can_say_is_refused_at_apply_with_path_and_what_is_allowed(
    cluster: Cluster, tmp_path: Path
) -> None:
    for body, said in (
        (
            pinned("elsewhere", {"hostPath": {"path": "/home/orders"}}),
            'spec.storage.hostPath.path: Forbidden: "/home/orders": a directory below /srv/databases',
        ),
        (
            pinned("large", {"size": "3Gi"}),
            'spec.storage.size: ForbiddenByProfile: "3Gi": StorageProfile small allows 2Gi or less',
        ),
        (pinned("many", replicas=3), "spec.replicas: NotSupportedYet: 3: possible now: 0 or 1"),
    ):
        for more in ((), ("--server-side",), ("--dry-run=server",)):
            done = kubectl(cluster, tmp_path, body, *more)
            assert done.returncode != 0
            assert f"{DENIED}{said}" in done.stderr
        assert cluster.database(body["metadata"]["name"]) is None


def test_a_good_one_is_stored_and_a_bad_edit_of_it_is_not(cluster: Cluster, tmp_path: Path) -> None:
    done = kubectl(cluster, tmp_path, pinned("orders"))
    assert done.returncode == 0, done.stderr
    done = kubectl(cluster, tmp_path, pinned("orders", {"size": "5Gi"}))
    assert f'{DENIED}spec.storage.size: ForbiddenByProfile: "5Gi"' in done.stderr
    stored = cluster.database("orders")
    assert stored is not None
    assert stored["spec"]["storage"]["size"] == "1Gi"


def test_what_is_no_edit_of_the_spec_is_never_held_up(cluster: Cluster) -> None:
    """A database that has come to be against a rule can be labelled, and can go."""
    client = cluster.client
    client.apply(pinned("grown", {"size": "2Gi"}), "default")
    client.merge("StorageProfile", "", "small", {"spec": {"size": {"max": "1Gi"}}})
    try:
        client.merge("StatefulDatabase", "default", "grown", {"metadata": {"labels": {"a": "b"}}})
        client.merge("StatefulDatabase", "default", "grown", {"metadata": {"finalizers": None}})
    finally:
        client.merge("StorageProfile", "", "small", {"spec": {"size": {"max": "2Gi"}}})


def test_a_webhook_that_is_gone_holds_nobody_up_and_returns_with_the_same_authority(
    cluster: Cluster, deployed: tuple[Installed, Json], tmp_path: Path
) -> None:
    release, deployment = deployed
    before = cluster.client.secret(HOME, "statefuldb-webhook")
    assert before is not None
    release.stop()
    assert kubectl(cluster, tmp_path, pinned("many", replicas=3)).returncode == 0, "the operator refuses it later"
    starts = cluster.log("charted").count(SERVED)
    release.start(deployment, until=SERVED)
    eventually(lambda: cluster.log("charted").count(SERVED) > starts)
    release.lead_to_webhook()
    assert kubectl(cluster, tmp_path, pinned("more", replicas=3)).returncode != 0
    assert cluster.client.secret(HOME, "statefuldb-webhook") == before


def test_a_certificate_that_is_given_is_taken_up_and_its_key_is_nobody_elses(cluster: Cluster) -> None:
    held = cluster.state_dir / "charted" / "webhook.key"
    assert held.stat().st_mode & 0o077 == 0
    given = cluster.client.secret(HOME, "statefuldb-webhook")
    assert given is not None
    assert held.read_text() == given["tls.key"]
    configured = cluster.client.get("ValidatingWebhookConfiguration", "", OPERATOR)
    assert configured is not None
    authority = base64.b64decode(configured["webhooks"][0]["clientConfig"]["caBundle"]).decode()
    assert authority == given["ca.crt"]
    assert given["tls.key"] not in cluster.log("charted")
