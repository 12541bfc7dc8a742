"""The chart on the embedded API: what the operator's account may do is what it is seen to do, nothing more or less."""

import base64
from collections.abc import Iterator

import pytest

from chart import one
from e2e.conftest import Cluster, Json, eventually, manifest
from e2e.granting import forbidden, idle
from e2e.installing import HOME, OPERATOR, Installed
from statefuldb.adapters.kubernetes.cli_client import CallRefused

SHOP, CREDENTIALS = "shop", "mesos-credentials"
VOLUME = {"strategy": "PersistentVolume", "size": "1Gi"}


@pytest.fixture(scope="module", params=["everywhere", "named"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    cluster = Cluster(tmp_path_factory.mktemp("charted"))
    named = {"watchNamespaces": [SHOP], "mesos": {"credentialsSecret": CREDENTIALS}}
    release = Installed(cluster, {"webhook": {"enabled": True}, **(named if request.param == "named" else {})})
    release.start_cluster()
    for namespace in (SHOP, HOME):
        cluster.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, "")
    login = {"principal": "statefuldb", "secret": "sesame"}
    cluster.client.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": CREDENTIALS}, "stringData": login}, HOME
    )
    yield release
    cluster.parts.supervisor.stop("charted")
    cluster.cli("down")


def test_the_account_needs_all_that_it_is_granted_and_no_more(installed: Installed) -> None:
    objects = installed.install()
    deployment = one(objects, "Deployment")
    installed.start(deployment)
    a_whole_life(installed, deployment)
    asked = installed.asked()
    assert not forbidden(asked), f"the chart grants too little: {forbidden(asked)[:3]}"
    unused = idle(objects, OPERATOR, asked)
    assert not unused, f"the chart grants what is never asked for: {unused}"


def a_whole_life(installed: Installed, deployment: Json) -> None:
    """Have databases made, restarted, found with a spoilt Secret, torn from the API, and deleted with their data."""
    cluster = installed.cluster
    for name in ("kept", "torn"):
        body = manifest(name, VOLUME, deletionProtection="Disabled", retention={"whenDeleted": "Delete"})
        body["metadata"]["namespace"] = SHOP
        cluster.apply(body)
    for name in ("kept", "torn"):
        cluster.ready(name, namespace=SHOP)
    an_edit_is_refused(installed)
    cluster.cli("-n", SHOP, "restart", "kept")
    # The second time that an Event says the same, it is counted up.
    eventually(lambda: seen(installed, "events", "patch"))
    cluster.ready("kept", namespace=SHOP)

    installed.stop()
    # Nobody is there to add the finalizer again: the object goes, and its data is in use when the operator comes.
    cluster.client.merge("StatefulDatabase", SHOP, "torn", {"metadata": {"finalizers": None}})
    cluster.client.delete("StatefulDatabase", SHOP, "torn")
    spoilt = {"data": {"host": base64.b64encode(b"elsewhere").decode()}}
    cluster.client.merge("Secret", SHOP, "kept-connection", spoilt)
    installed.start(deployment)
    eventually(lambda: (cluster.client.secret(SHOP, "kept-connection") or {})["host"] != "elsewhere")
    eventually(lambda: seen(installed, "statefuldatabases", "get"))
    cluster.cli("-n", SHOP, "delete", "kept")
    eventually(lambda: not cluster.volumes("kept"), 90, lambda: cluster.log("charted")[-3000:])
    eventually(lambda: cluster.client.secret(SHOP, "kept-connection") is None)


def an_edit_is_refused(installed: Installed) -> None:
    """What the data of a database does not allow is refused before it is stored."""
    installed.lead_to_webhook()
    smaller = {"spec": {"storage": {"size": "512Mi"}}}
    with pytest.raises(CallRefused) as refused:
        installed.cluster.client.merge("StatefulDatabase", SHOP, "kept", smaller)
    assert str(refused.value) == (
        'admission webhook "statefuldatabases.statefuldb.dev" denied the request: '
        'spec.storage.size: Invalid: "512Mi": 1Gi or more: storage never shrinks'
    )
    stored = installed.cluster.database("kept", SHOP)
    assert stored is not None
    assert stored["spec"]["storage"]["size"] == "1Gi"


def seen(installed: Installed, resource: str, verb: str) -> bool:
    return any((a["objectRef"]["resource"], a["verb"]) == (resource, verb) for a in installed.asked())
