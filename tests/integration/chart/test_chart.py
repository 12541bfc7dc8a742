"""charts/statefuldb as Helm renders it: valid, least privileged, and every value of use."""

import re
from typing import Any

import pytest
import yaml

from chart import CHART, MASTERS, NAMESPACE, ROOT, Json, helm, one, rendered
from integration.chart.values import EVERYTHING, OPERATOR, SYNC, SYNCING, container, options

KUBERNETES = ("1.29", "1.37")


def test_helm_finds_nothing_to_say() -> None:
    found = helm().lint(str(CHART), values=MASTERS)
    assert not found["errors"]
    assert [m["error"] for m in found["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", [MASTERS, EVERYTHING], ids=["defaults", "everything"])
def test_every_object_is_valid_against_the_schemas_of_kubernetes(values: Json, version: str) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="make test installs it").validate
    objects = rendered(values)
    for body in objects:
        if body["kind"] == "ServiceMonitor":
            continue  # a definition of the Prometheus operator's, not of Kubernetes
        if body["kind"].startswith("ValidatingAdmissionPolicy") and version == "1.29":
            continue  # served as v1beta1 there: the chart leaves it out (below)
        validate(body, version, strict=True)
    kinds = {body["kind"] for body in objects}
    assert {"Deployment", "ClusterRole", "Role", "NetworkPolicy", "PodDisruptionBudget", "Service"} <= kinds


@pytest.mark.parametrize("deployment", [OPERATOR, SYNC])
def test_no_pod_has_privileges(deployment: str) -> None:
    pod = one(rendered(SYNCING), "Deployment", deployment)["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (held,) = pod["containers"]
    assert held["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert all("hostPath" not in volume for volume in pod["volumes"])


def test_the_operator_understands_what_it_is_started_with() -> None:
    """Each option of the rendered container is one of `statefuldb operator run`."""
    known = options("operator", "run")
    for values in (MASTERS, EVERYTHING):
        arguments = container(rendered(values))["args"]
        assert arguments[:2] == ["operator", "run"]
        assert {argument.partition("=")[0] for argument in arguments[2:]} <= known


def test_the_webhook_is_off_unless_wanted_and_holds_no_write_up() -> None:
    assert not [o for o in rendered(MASTERS) if "webhook" in (o["kind"] + o["metadata"]["name"]).lower()]
    assert not [argument for argument in container(rendered(MASTERS))["args"] if "webhook" in argument]
    rules = one(rendered(MASTERS), "ClusterRole", OPERATOR)["rules"]
    assert not [rule for rule in rules if "validatingwebhookconfigurations" in rule["resources"]]
    objects = rendered(EVERYTHING)
    (hook,) = one(objects, "ValidatingWebhookConfiguration", OPERATOR)["webhooks"]
    assert (hook["failurePolicy"], hook["sideEffects"]) == ("Ignore", "None")
    assert hook["namespaceSelector"]["matchExpressions"][0]["values"] == ["shop", "stock"]
    service = one(objects, "Service", hook["clientConfig"]["service"]["name"])
    assert service["metadata"]["namespace"] == hook["clientConfig"]["service"]["namespace"]
    (port,) = service["spec"]["ports"]
    assert port["port"] == hook["clientConfig"]["service"]["port"]
    held = container(objects)
    assert {"name": port["targetPort"], "containerPort": 9999, "protocol": "TCP"} in held["ports"]
    assert f"--webhook-service={service['metadata']['name']}" in held["args"]
    ingress = one(objects, "NetworkPolicy", OPERATOR)["spec"]["ingress"]
    assert 9999 in [port["port"] for rule in ingress for port in rule["ports"]]


def test_everything_that_is_set_arrives() -> None:
    objects = rendered(EVERYTHING)
    held = container(objects)
    for argument in (
        "--mesos=zk://zoo-1:2181,zoo-2:2181/mesos",
        "--mesos-role=mysql",
        "--refine-static",
        "--secret-name=mesos-credentials",
        "--mesos-ca=/etc/statefuldb/mesos-tls/ca.crt",
        "--mesos-key=/etc/statefuldb/mesos-tls/tls.key",
        "--framework-user=databases",
        "--keeper=/usr/bin/python3",
        "--allowed-root=/mnt/shared",
        "--fence-command=/fence/cut-off",
        "--watch-namespace=stock",
        "--metrics-port=9000",
        "--webhook-port=9999",
        "--webhook-secret=webhook-by-cert-manager",
    ):
        assert argument in held["args"]
    assert held["image"] == "statefuldb/operator@sha256:" + "0" * 64
    assert {mount["mountPath"] for mount in held["volumeMounts"]} >= {"/etc/statefuldb/mesos-tls", "/fence"}
    policy = one(objects, "NetworkPolicy", OPERATOR)["spec"]
    assert policy["ingress"][0]["from"] == EVERYTHING["networkPolicy"]["metricsFrom"]
    assert [peer["ipBlock"]["cidr"] for peer in policy["egress"][2]["to"]] == ["10.0.0.0/8", "fd00::/8"]
    monitor = one(objects, "ServiceMonitor")
    assert monitor["metadata"]["labels"]["release"] == "p"
    service = one(objects, "Service", f"{OPERATOR}-metrics")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]


def test_with_namespaces_named_nothing_elsewhere_can_be_read_or_written() -> None:
    objects = rendered(EVERYTHING)
    rules = one(objects, "ClusterRole", OPERATOR)["rules"]
    # StorageProfiles are of no namespace; by a list of them the operator learns what it may let databases use.
    profiles = {"apiGroups": ["statefuldb.dev"], "resources": ["storageprofiles"], "verbs": ["list"]}
    assert profiles in rules
    # So are the webhook's authority and the definitions.
    assert all(set(rule["verbs"]) <= {"get", "patch"} and rule["resourceNames"] for rule in rules if rule != profiles)
    for namespace in ("shop", "stock"):
        role = one([o for o in objects if o["metadata"].get("namespace") == namespace], "Role", f"{OPERATOR}-databases")
        assert any("databasevolumes" in rule["resources"] for rule in role["rules"])


def test_a_name_that_yaml_would_read_otherwise_stays_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Namespaces and Secrets may be called 2024, releases on or null; and a principal may have a # in it."""
    monkeypatch.setattr("chart.RELEASE", "on")
    monkeypatch.setattr("chart.NAMESPACE", "2024")
    mesos = {**MASTERS["mesos"], "credentialsSecret": "8", "principal": "ops #1: db"}
    named = {"watchNamespaces": ["2023", "on", "null"], "priorityClassName": "12", "serviceAccount": {"name": "3"}}
    sync = {"enabled": True, "source": "/manifests", "namespaces": ["77"], "credentialsSecret": "5"}
    objects = rendered({"mesos": mesos, **named, "sync": sync, "webhook": {"enabled": True, "secret": "9"}})
    validate = pytest.importorskip("kubernetes_validate", reason="make test installs it").validate
    for body in objects:
        metadata = body["metadata"]
        assert all(isinstance(text, str) for text in (metadata["name"], *metadata["labels"].values())), metadata
        assert metadata.get("namespace", "2024") in ("2024", "2023", "on", "null", "77")
        validate(body, KUBERNETES[-1], strict=True)
    deployment = one(objects, "Deployment", "on-statefuldb")["spec"]["template"]["spec"]
    assert "--principal=ops #1: db" in deployment["containers"][0]["args"]


def test_definitions_are_those_of_the_tree_and_outlive_the_release() -> None:
    objects = rendered(MASTERS)
    for file in sorted((ROOT / "crds").glob("*.yaml")):
        for wanted in yaml.safe_load_all(file.read_text()):
            found = one(objects, wanted["kind"], wanted["metadata"]["name"])
            assert found["metadata"]["annotations"].pop("helm.sh/resource-policy") == "keep"
            assert found["metadata"].get("labels", {})["app.kubernetes.io/managed-by"] == "Helm"
            without = {**found, "metadata": {k: v for k, v in found["metadata"].items() if k != "labels"}}
            if not without["metadata"]["annotations"]:
                del without["metadata"]["annotations"]
            assert without == wanted
    kinds = {body["kind"] for body in rendered({**MASTERS, "crds": {"install": False}})}
    assert "CustomResourceDefinition" not in kinds


def test_versions_are_in_step() -> None:
    project = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project is not None
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert about["version"] == about["appVersion"] == project[1]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "mesos.masters is required"),
        ({"mesos": {"masters": ["master-1"]}}, "/mesos/masters/0"),
        ({"mesos": {"masters": ["zk://user:secret@zoo:2181/mesos"]}}, "/mesos/masters/0"),
        ({"mesos": {"masters": "master-1:5050"}}, "want array"),
        ({"mesos": {**MASTERS["mesos"], "rol": "x"}}, "'rol' not allowed"),
        ({**MASTERS, "replica": 2}, "'replica' not allowed"),
        ({**MASTERS, "replicas": "two"}, "want integer"),
        ({**MASTERS, "replicas": -1}, "/replicas"),
        ({**MASTERS, "keeper": "python3"}, "/keeper"),
        ({**MASTERS, "image": {"digest": "latest"}}, "/image/digest"),
        ({**MASTERS, "metrics": {"port": 80}}, "/metrics/port"),
        ({**MASTERS, "watchNamespaces": ["Shop"]}, "/watchNamespaces/0"),
        ({**MASTERS, "networkPolicy": {"mesosCIDRs": ["everywhere"]}}, "/networkPolicy/mesosCIDRs/0"),
        ({"mesos": {**MASTERS["mesos"], "tls": {"clientCertificate": True}}}, "/mesos/tls"),
        ({**MASTERS, "metrics": {"service": False, "serviceMonitor": {"enabled": True}}}, "needs metrics.service"),
        ({**MASTERS, "webhook": {"enabled": True, "secret": ""}}, "/webhook/secret"),
        ({**MASTERS, "webhook": {"port": 443}}, "/webhook/port"),
        ({**MASTERS, "sync": {"enabled": True}}, "/sync/source"),
        ({**MASTERS, "sync": {"source": "https://me:secret@git.example/x.git"}}, "/sync/source"),
        ({**MASTERS, "sync": {"interval": "often"}}, "/sync/interval"),
        ({**MASTERS, "sync": {"password": "secret"}}, "'password' not allowed"),
        ({**MASTERS, "serviceAccount": {"create": False}}, "serviceAccount.name is required"),
    ],
)
def test_nonsense_is_refused_by_name(values: Any, said: str) -> None:
    with pytest.raises(helm().HelmError) as refused:
        rendered(values)
    assert said in str(refused.value)


def test_the_network_policy_lets_out_what_the_operator_speaks_to() -> None:
    ports = {
        port["port"] for rule in one(rendered(MASTERS), "NetworkPolicy")["spec"]["egress"] for port in rule["ports"]
    }
    assert ports == {53, 443, 6443, 5050, 5051, 2181, 31000}
    policy = one(rendered(SYNCING), "NetworkPolicy", SYNC)["spec"]
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 443, 6443, 22}
    assert policy["ingress"] == []


def test_a_single_operator_needs_no_disruption_budget() -> None:
    assert all(o["kind"] != "PodDisruptionBudget" for o in rendered({**MASTERS, "replicas": 1}))
    assert one(rendered(MASTERS), "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_everything_namespaced_is_in_the_release_or_a_watched_namespace() -> None:
    clusterwide = {
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
    for body in rendered(EVERYTHING):
        if body["kind"] not in clusterwide:
            assert body["metadata"]["namespace"] in (NAMESPACE, "shop", "stock"), body["kind"]
