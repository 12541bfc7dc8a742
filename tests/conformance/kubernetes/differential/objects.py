"""What sequences are about: each kind with valid objects of it, as users, the operator and kopf write them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from conformance.kubernetes.ledger import entry

Json = dict[str, Any]
MANIFESTS = Path(__file__).parents[4] / "manifests"
_GOOD = tuple(yaml.safe_load(path.read_text()) for path in sorted(MANIFESTS.glob("*.yaml")))
_BAD = tuple(
    body
    for path in sorted((MANIFESTS / "bad").rglob("*.yaml"))
    for body in yaml.safe_load_all(path.read_text())
    if body.get("kind") == "StatefulDatabase"
)


@dataclass(frozen=True)
class Subject:
    """A kind. `group` is the path of its group and version; `make` makes a valid object without a name."""

    group: str
    plural: str
    make: Callable[[Random], Json]
    namespaced: bool = True
    custom: bool = False
    status: Callable[[Random], Json] | None = None
    scale: bool = False
    collections: bool = True

    def path(self, namespace: str) -> str:
        """Return the path of the collection."""
        return (
            f"{self.group}/namespaces/{namespace}/{self.plural}" if self.namespaced else f"{self.group}/{self.plural}"
        )


def _database(rng: Random) -> Json:
    body: Json = rng.choice(_GOOD if rng.random() < 0.9 else _BAD)
    spec = {**body["spec"], "deletionProtection": rng.choice(["Disabled", "Disabled", "Enabled"])}
    if rng.random() < 0.3:
        spec["placement"] = {"attributes": [{"name": "rack", "value": "r1"}, {"name": "zone", "value": "z"}]}
    if rng.random() < 0.3:
        spec["engine"] = {**spec["engine"], "config": {"max_connections": 100, "sql_mode": "ANSI"}}
    if rng.random() < 0.2:
        spec["replication"] = {"synchronization": "SemiSync", "unknown": [1, {"a": None}]}
    return {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": {}, "spec": spec}


def _database_status(rng: Random) -> Json:
    def condition(kind: str) -> Json:
        told = {"type": kind, "status": rng.choice(["True", "False", "Unknown"]), "reason": "R", "message": "m"}
        return {**told, "observedGeneration": rng.randint(1, 3), "lastTransitionTime": "2026-11-24T00:06:42Z"}

    def member(ordinal: int) -> Json:
        return {"ordinal": ordinal, "phase": "Running", "ready": rng.random() < 0.5, "agent": "a1", "port": 31000}

    kinds = rng.sample(["Ready", "Accepted", "Placed", "DataAtRisk"], rng.randint(1, 4))
    data = [{"name": f"v{n}", "agent": "a1"} for n in range(rng.randint(0, 2))]
    return {
        "observedGeneration": rng.randint(1, 3),
        "summary": rng.choice(["Ready", "Waiting"]),
        "conditions": [condition(kind) for kind in kinds],
        "members": [member(ordinal) for ordinal in range(rng.randint(0, 3))],
        "replicas": 1,
        "storage": {"strategy": "DFS", "capabilities": {"movable": True}, "volumes": ["v0"], "data": data},
        "accepted": {"generation": 1, "hash": "h", "spec": {"a": {"b": [1, None]}}},
    }


def _volume(rng: Random) -> Json:
    body = entry("", rng.choice(["DFS", "PersistentVolume"]))
    del body["metadata"]["name"]
    return {**body, "spec": {**body["spec"], "intent": rng.choice(["Use", "Retain"])}}


def _profile(rng: Random) -> Json:
    spec: Json = {"namespaces": {"names": ["a", "b"], "matchLabels": {"team": "x"}}, "strategies": ["DFS"]}
    spec = {name: spec[name] for name in rng.sample(sorted(spec), rng.randint(1, 2))}
    return {"apiVersion": "statefuldb.dev/v1alpha1", "kind": "StorageProfile", "metadata": {}, "spec": spec}


def _config_map(rng: Random) -> Json:
    body: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {"a": "1", "b.conf": "x=y\n"}}
    return {**body, **({"binaryData": {"bin": "AAEC"}} if rng.random() < 0.3 else {})}


def _secret(rng: Random) -> Json:
    body: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": {"password": "c2VjcmV0"}}
    body |= {"stringData": {"uri": "mysql://x"}} if rng.random() < 0.5 else {}
    return {**body, **({"type": "Opaque"} if rng.random() < 0.5 else {})}


def _lease(rng: Random) -> Json:
    now = rng.choice(["2026-11-24T00:06:42.332149Z", "2026-11-24T01:06:42.000000+01:00"])
    spec = {"holderIdentity": "op-1", "leaseDurationSeconds": 15, "renewTime": now, "leaseTransitions": 1}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {},
        "spec": {**spec, "acquireTime": now},
    }


def _event(rng: Random) -> Json:
    now = "2026-11-24T00:06:42.332149Z"
    about = {"apiVersion": "statefuldb.dev/v1alpha1", "kind": "StatefulDatabase", "name": "db1", "uid": "u"}
    body: Json = {"apiVersion": "v1", "kind": "Event", "metadata": {}, "involvedObject": about, "reason": "Waiting"}
    body |= {"message": "m", "type": rng.choice(["Normal", "Warning"]), "source": {"component": "kopf"}, "count": 1}
    body |= {"firstTimestamp": now, "lastTimestamp": now}
    modern = {"action": "Act", "reportingComponent": "kopf", "reportingInstance": "dev", "eventTime": now}
    return {**body, **(modern if rng.random() < 0.6 else {})}


def _role(kind: str, rng: Random) -> Json:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    rules += [{"apiGroups": ["statefuldb.dev"], "resources": ["*"], "verbs": ["*"]}] if rng.random() < 0.5 else []
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {}, "rules": rules}


def _binding(kind: str, rng: Random) -> Json:
    subject: Json = {"kind": "ServiceAccount", "name": "op", "namespace": "default"}
    if rng.random() < 0.5:
        subject = {"kind": "User", "name": "ada", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    body: Json = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {}}
    return {**body, "subjects": [subject], "roleRef": role}


def _plain(kind: str) -> Callable[[Random], Json]:
    return lambda rng: {"apiVersion": "v1", "kind": kind, "metadata": {}}


_OURS, _CORE = "/apis/statefuldb.dev/v1alpha1", "/api/v1"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
DATABASES = Subject(_OURS, "statefuldatabases", _database, custom=True, status=_database_status, scale=True)
VOLUMES = Subject(_OURS, "databasevolumes", _volume, custom=True)
# What sequences are about, as often as it stands here.
SUBJECTS: tuple[Subject, ...] = (
    *(DATABASES,) * 6,
    *(VOLUMES,) * 4,
    *(Subject(_OURS, "storageprofiles", _profile, custom=True, namespaced=False),) * 2,
    *(Subject(_CORE, "configmaps", _config_map),) * 3,
    *(Subject(_CORE, "secrets", _secret),) * 2,
    *(Subject(_CORE, "events", _event),) * 2,
    *(Subject("/apis/coordination.k8s.io/v1", "leases", _lease),) * 2,
    Subject(_CORE, "namespaces", _plain("Namespace"), namespaced=False, collections=False),
    Subject(_CORE, "serviceaccounts", _plain("ServiceAccount")),
    Subject(_RBAC, "roles", lambda rng: _role("Role", rng)),
    Subject(_RBAC, "rolebindings", lambda rng: _binding("RoleBinding", rng)),
    Subject(_RBAC, "clusterroles", lambda rng: _role("ClusterRole", rng), namespaced=False),
)
