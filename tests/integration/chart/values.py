"""Values for the chart, and what it starts with them."""

import re
import subprocess
import sys

from chart import MASTERS, Json, one

EVERYTHING: Json = {
    "replicas": 3,
    "image": {"digest": "sha256:" + "0" * 64, "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "registry"}],
    "mesos": {
        "masters": ["zk://zoo-1:2181,zoo-2:2181/mesos"],
        "role": "mysql",
        "refineStatic": True,
        "credentialsSecret": "mesos-credentials",
        "tls": {"enabled": True, "secret": "mesos-tls", "clientCertificate": True},
        "frameworkUser": "databases",
    },
    "keeper": "/usr/bin/python3",
    "allowedRoots": ["/data", "/mnt/shared"],
    "fenceCommand": "/fence/cut-off",
    "watchNamespaces": ["shop", "stock"],
    "serviceAccount": {"name": "operator", "annotations": {"a": "b"}},
    "metrics": {"port": 9000, "serviceMonitor": {"enabled": True, "interval": "10s", "labels": {"release": "p"}}},
    "webhook": {"enabled": True, "port": 9999, "secret": "webhook-by-cert-manager"},
    "networkPolicy": {
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
        "mesosCIDRs": ["10.0.0.0/8", "fd00::/8"],
        "apiServerCIDRs": ["10.96.0.1/32"],
        "apiServerPorts": [443],
    },
    "sync": {
        "enabled": True,
        "source": "ssh://git@git.example/databases.git",
        "revision": "v1.2",
        "path": "prod/databases",
        "interval": "5m",
        "prune": True,
        "name": "production",
        "namespace": "shop",
        "configMaps": True,
        "createNamespaces": True,
        "credentialsSecret": "git",
    },
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "databases"},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "infra", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "system-cluster-critical",
    "extraVolumes": [{"name": "fence", "configMap": {"name": "fence", "defaultMode": 0o555}}],
    "extraVolumeMounts": [{"name": "fence", "mountPath": "/fence", "readOnly": True}],
}


OPERATOR, SYNC = "demo-statefuldb", "demo-statefuldb-sync"
SYNCING: Json = {**MASTERS, "sync": {"enabled": True, "source": "https://git.example/databases.git"}}


def container(objects: list[Json], deployment: str = OPERATOR) -> Json:
    (found,) = one(objects, "Deployment", deployment)["spec"]["template"]["spec"]["containers"]
    return dict(found)


def options(*command: str) -> set[str]:
    """Return the options that a command has, as its help names them."""
    done = subprocess.run(
        [sys.executable, "-m", "statefuldb", *command, "--help"],
        capture_output=True,
        text=True,
        env={"COLUMNS": "300", "PATH": "/usr/bin:/bin", "TERM": "dumb"},
        check=True,
    )
    return set(re.findall(r"--[a-z-]+", done.stdout))
