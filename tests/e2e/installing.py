"""The chart installed by Helm on the embedded API, and one operator started as its Deployment says."""

import base64
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import kubernetes
import yaml

from chart import CHART, RELEASE, helm
from e2e.conftest import Cluster, Json, eventually
from statefuldb.adapters.kubernetes.connection import api_client
from statefuldb.local.supervisor import Daemon

HOME = "databases"
OPERATOR = f"{RELEASE}-statefuldb"


class Installed:
    """One release in the namespace `databases`, and what its ServiceAccounts have asked the API for."""

    def __init__(self, cluster: Cluster, values: Json) -> None:
        self.cluster = cluster
        cluster.parts.plan(agents=2, dfs=())
        mesos = {**values.get("mesos", {}), "masters": [cluster.master]}
        self.values = {**values, "mesos": mesos, "keeper": sys.executable}
        self._audit = cluster.state_dir / "audit.jsonl"

    def start_cluster(self, *, mesos: bool = True) -> None:
        """Start API and Mesos alone: whatever is in the API comes from the chart. The API keeps an audit log.

        Where there is no Helm nothing is started, which nobody would stop.
        """
        helm()
        for daemon in self.cluster.parts.daemons():
            api = daemon.name == "api-server"
            logging = ("--audit-log-path", str(self._audit)) if api else ()
            if api or (mesos and daemon.name != "operator"):
                self.cluster.parts.start_one(Daemon(name=daemon.name, arguments=(*daemon.arguments, *logging)))

    def install(self, chart: Path = CHART) -> list[Json]:
        """Install the release; return its objects as Helm sent them."""
        with self._helm() as release:
            done = release.install(str(chart), RELEASE, self.values, create_namespace=True)
        return [body for body in yaml.safe_load_all(done["manifest"]) if body]

    def upgrade(self) -> None:
        with self._helm() as release:
            release.upgrade(str(CHART), RELEASE, self.values)

    def uninstall(self) -> None:
        with self._helm() as release:
            release.uninstall(RELEASE)

    def start(self, deployment: Json, until: str = "operator is running") -> None:
        """Start the operator as in its pod: arguments, ServiceAccount, no kubeconfig. Wait for a line of its log."""
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        ours = {
            "--state": str(self.cluster.state_dir / "charted"),
            "--metrics-port": "0",
            "--metrics-host": "127.0.0.1",
        }
        if any(a.startswith("--webhook-port=") for a in container["args"]):
            ours |= {"--webhook-port": "0", "--webhook-host": "127.0.0.1"}
        arguments = [a for a in container["args"] if a.partition("=")[0] not in ours]
        arguments += [f"{name}={value}" for name, value in ours.items()]
        account, environment = self.account(OPERATOR, self.cluster.state_dir)
        with mock.patch.dict(os.environ, environment):
            self.cluster.parts.supervisor.start(
                Daemon(name="charted", arguments=("e2e.in_pod", str(account), *arguments))
            )
        eventually(lambda: until in self.cluster.log("charted"), 60, lambda: self.cluster.log("charted"))

    def lead_to_webhook(self) -> None:
        """Have the API server reach the webhook by its Service, as a cluster's network would."""
        client = self.cluster.client
        served = re.compile(r"webhook is served at https://127\.0\.0\.1:(\d+)")
        ports = eventually(lambda: served.findall(self.cluster.log("charted")))
        outside = {"spec": {"type": "ExternalName", "externalName": "127.0.0.1"}}
        client.merge("Service", HOME, f"{OPERATOR}-webhook", outside)
        stored = client.get("ValidatingWebhookConfiguration", "", OPERATOR)
        assert stored is not None
        (hook,) = stored["webhooks"]
        hook["clientConfig"]["service"]["port"] = int(ports[-1])
        # What comes too late is let through, and other tests may have the machine.
        hook["timeoutSeconds"] = 30
        client.replace(stored)

    def stop(self) -> None:
        self.cluster.parts.supervisor.stop("charted")

    def asked(self, account: str = OPERATOR) -> list[Json]:
        """Return what a ServiceAccount asked for, allowed or not, without paths that name no resource."""
        name = f"system:serviceaccount:{HOME}:{account}"
        entries = [json.loads(line) for line in self._audit.read_text().splitlines()]
        return [e for e in entries if e["user"]["username"] == name and "objectRef" in e]

    @contextmanager
    def _helm(self) -> Iterator[Any]:
        with helm().Config(kubeconfig_path=str(self.cluster.parts.kubeconfig), namespace=HOME) as release:
            yield release

    def account(self, name: str, room: Path) -> tuple[Path, dict[str, str]]:
        """Write what a pod finds of its ServiceAccount; return the folder, and the environment for `e2e.in_pod`."""
        kubeconfig = self.cluster.parts.kubeconfig
        config = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
        core = kubernetes.client.CoreV1Api(api_client(kubeconfig))
        wanted = {"spec": {"expirationSeconds": 3600, "audiences": []}}
        made = core.create_namespaced_service_account_token(name, HOME, wanted)
        folder = room / "account"
        folder.mkdir(exist_ok=True)
        (folder / "ca.crt").write_bytes(base64.b64decode(config["certificate-authority-data"]))
        (folder / "namespace").write_text(HOME)
        (folder / "token").write_text(made.status.token)
        address = urlsplit(config["server"])
        return folder, {
            "KUBERNETES_SERVICE_HOST": str(address.hostname),
            "KUBERNETES_SERVICE_PORT": str(address.port),
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
