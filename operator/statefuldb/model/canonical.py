"""The one way to write an accepted spec: what status, journal and approval hold of it, and its digests."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from statefuldb.model.quantity import render_bytes
from statefuldb.model.spec import DatabaseSpec, DfsSpec


def canonical(spec: DatabaseSpec) -> dict[str, object]:
    """Return the one way to write this spec; `parse_database` reads it back to the same value."""
    storage: dict[str, object] = {
        "strategy": str(spec.storage.strategy),
        "size": render_bytes(spec.storage.size_bytes),
        "onNodeLoss": {
            "action": str(spec.storage.on_node_loss),
            "afterSeconds": spec.storage.on_node_loss_after_seconds,
        },
    }
    if spec.storage.host_path is not None:
        host_path = spec.storage.host_path
        storage["hostPath"] = {"path": host_path.path, "create": host_path.create}
    if spec.storage.dfs is not None:
        storage["dfs"] = canonical_dfs(spec.storage.dfs)
    if spec.storage.persistent_volume is not None:
        storage["persistentVolume"] = {"diskType": str(spec.storage.persistent_volume.disk_type)}
    reconcile: dict[str, object] = {
        "mode": str(spec.reconcile.mode),
        "autoApprove": sorted(str(risk) for risk in spec.reconcile.auto_approve),
    }
    if spec.reconcile.approved_plan is not None:
        reconcile["approvedPlan"] = spec.reconcile.approved_plan
    placement: dict[str, object] = {
        "attributes": [{"name": a.name, "value": a.value} for a in spec.placement.attributes],
        "antiAffinity": str(spec.placement.anti_affinity),
    }
    if spec.placement.mesos_role is not None:
        placement["mesosRole"] = spec.placement.mesos_role
    whole: dict[str, object] = {
        "engine": {
            "type": str(spec.engine.type),
            "version": spec.engine.version,
            "config": dict(sorted(spec.engine.config.items())),
        },
        "replicas": spec.replicas,
        "resources": {
            "cpus": f"{spec.resources.cpus_milli}m",
            "memory": render_bytes(spec.resources.memory_bytes),
        },
        "storage": storage,
        "placement": placement,
        "retention": {
            "whenDeleted": str(spec.retention.when_deleted),
            "whenScaled": str(spec.retention.when_scaled),
        },
        "deletionProtection": "Enabled" if spec.deletion_protection else "Disabled",
        "reconcile": reconcile,
        "state": str(spec.state),
    }
    if spec.bootstrap_empty:
        whole["bootstrap"] = {"type": "Empty"}
    return whole


def canonical_dfs(dfs: DfsSpec) -> dict[str, object]:
    """Return the one way to write a `dfs` section."""
    written: dict[str, object] = {
        "type": dfs.type,
        "mountPoint": dfs.mount_point,
        "subPath": dfs.sub_path,
        "agentAttribute": {"name": dfs.agent_attribute.name, "value": dfs.agent_attribute.value},
    }
    if dfs.source is not None:
        written["source"] = dfs.source
    return written


def digest_of(written: Mapping[str, object]) -> str:
    """Return a digest of a spec in its canonical form."""
    return hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()[:16]


def target_of_spec(spec: DatabaseSpec) -> str:
    """Return a digest of what is asked for, which approving a plan does not change."""
    return digest_of(canonical(replace(spec, reconcile=replace(spec.reconcile, approved_plan=None))))
