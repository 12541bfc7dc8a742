"""From a manifest's `spec` to a typed one, or to the list of everything that is wrong with it; and back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from statefuldb.model.check import check, shown
from statefuldb.model.errors import FieldError
from statefuldb.model.quantity import parse_quantity, render_bytes
from statefuldb.model.rules import Spec, check_rules, not_supported_yet, section
from statefuldb.model.schema import DATABASE_SPEC
from statefuldb.model.spec import (
    DFS_ATTRIBUTE,
    AgentAttribute,
    AntiAffinity,
    DatabaseSpec,
    DesiredState,
    DfsSpec,
    DiskType,
    EngineSpec,
    EngineType,
    HostPathSpec,
    NodeLossAction,
    PersistentVolumeSpec,
    PlacementSpec,
    ReconcileMode,
    ReconcileSpec,
    ResourcesSpec,
    Retention,
    RetentionSpec,
    RiskClass,
    StorageSpec,
    Strategy,
)

DFS_SUB_PATH = "statefuldb"


def parse_database(
    spec: Mapping[str, object], *, allowed_roots: tuple[str, ...] = ()
) -> DatabaseSpec | tuple[FieldError, ...]:
    """Return the typed spec, or every error. `allowed_roots` bounds HostPath and DFS paths (empty: no system path)."""
    errors = tuple(check(spec, DATABASE_SPEC, "spec"))
    errors = errors or tuple(check_rules(spec, allowed_roots))
    return errors or _build(spec)


def read_accepted(spec: Mapping[str, object]) -> DatabaseSpec | None:
    """Return a spec that was accepted once (its canonical form), or None where it is damaged.

    It is held to the schema only: a rule that has become stricter since must not leave a running database without
    its target.
    """
    return None if any(check(spec, DATABASE_SPEC, "spec")) else _build(spec)


def transition_errors(
    old: DatabaseSpec, new: DatabaseSpec, *, initialised: bool, begun: bool = False, held_bytes: int | None = None
) -> tuple[FieldError, ...]:
    """Return what may not change from `old` to `new`.

    Before there is data (`initialised`) anything may, but for the strategy once a member was launched (`begun`): what
    that left on agents is found and given back by its strategy.
    `held_bytes` is the size that volumes have by now, where that is known: a growth that has not taken place yet may
    be taken back.
    """
    if old.storage.strategy is not new.storage.strategy and (begun or initialised):
        possible = f"{old.storage.strategy}; migration between strategies is not built yet"
        return (not_supported_yet("spec.storage.strategy", new.storage.strategy, possible),)
    if not initialised:
        return ()
    smallest = old.storage.size_bytes if held_bytes is None else min(held_bytes, old.storage.size_bytes)
    errors = [
        FieldError(
            path=path,
            value=shown(after),
            allowed=f"it stays {'absent' if before is None else shown(before)}",
            fix="create another database, or delete this one with its data retained and begin anew",
            reason="Immutable",
        )
        for path, before, after in (
            ("spec.engine.type", old.engine.type, new.engine.type),
            ("spec.placement.mesosRole", old.placement.mesos_role, new.placement.mesos_role),
            ("spec.storage.hostPath.path", _root(old), _root(new)),
            ("spec.storage.dfs", _mount(old), _mount(new)),
            ("spec.storage.persistentVolume.diskType", _disk(old), _disk(new)),
        )
        if before != after
    ]
    if new.storage.size_bytes < smallest:
        errors.append(
            FieldError(
                path="spec.storage.size",
                value=shown(render_bytes(new.storage.size_bytes)),
                allowed=f"{render_bytes(smallest)} or more: storage never shrinks",
            )
        )
    elif new.storage.size_bytes > old.storage.size_bytes and _disk(old) == DiskType.MOUNT:
        kept = (
            f"{render_bytes(old.storage.size_bytes)}; a Mount disk is one volume, as large as it is, so a larger one "
        )
        kept += "needs a replacement of the member, which is not built yet"
        errors.append(not_supported_yet("spec.storage.size", render_bytes(new.storage.size_bytes), kept))
    if old.engine.version != new.engine.version:
        errors.append(not_supported_yet("spec.engine.version", new.engine.version, old.engine.version))
    return tuple(errors)


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


def parse_dfs(dfs: Spec) -> DfsSpec:
    """Return a typed `dfs` section of a spec that was checked."""
    attribute = section(dfs, "agentAttribute")
    mount_point = str(dfs["mountPoint"])
    return DfsSpec(
        type=str(dfs["type"]),
        mount_point=mount_point,
        sub_path=str(dfs.get("subPath", DFS_SUB_PATH)),
        source=str(dfs["source"]) if "source" in dfs else None,
        agent_attribute=AgentAttribute(
            name=str(attribute.get("name", DFS_ATTRIBUTE)),
            value=str(attribute.get("value", mount_point)),
        ),
    )


def _root(spec: DatabaseSpec) -> str | None:
    return spec.storage.host_path.path if spec.storage.host_path else None


def _mount(spec: DatabaseSpec) -> tuple[str, str] | None:
    return (spec.storage.dfs.mount_point, spec.storage.dfs.sub_path) if spec.storage.dfs else None


def _disk(spec: DatabaseSpec) -> str | None:
    volume = spec.storage.persistent_volume
    return str(volume.disk_type) if volume else None


def _build(spec: Spec) -> DatabaseSpec:
    engine, resources = section(spec, "engine"), section(spec, "resources")
    retention = section(spec, "retention")
    return DatabaseSpec(
        engine=EngineSpec(
            type=EngineType(str(engine["type"])),
            version=str(engine["version"]),
            config={str(k): str(v) for k, v in section(engine, "config").items()},
        ),
        replicas=int(str(spec.get("replicas", 1))),
        resources=ResourcesSpec(
            cpus_milli=int(parse_quantity(resources["cpus"]) * Decimal(1000)),
            memory_bytes=int(parse_quantity(resources["memory"])),
        ),
        storage=_storage(section(spec, "storage")),
        placement=_placement(section(spec, "placement")),
        retention=RetentionSpec(
            when_deleted=Retention(str(retention.get("whenDeleted", "Retain"))),
            when_scaled=Retention(str(retention.get("whenScaled", "Retain"))),
        ),
        deletion_protection=spec.get("deletionProtection", "Enabled") != "Disabled",
        reconcile=_reconcile(section(spec, "reconcile")),
        state=DesiredState(str(spec.get("state", "Running"))),
        bootstrap_empty=section(spec, "bootstrap").get("type") == "Empty",
    )


def _storage(storage: Spec) -> StorageSpec:
    strategy = Strategy(str(storage["strategy"]))
    node_loss = section(storage, "onNodeLoss")
    host_path = section(storage, "hostPath")
    disk_type = section(storage, "persistentVolume").get("diskType", "Root")
    return StorageSpec(
        strategy=strategy,
        size_bytes=int(parse_quantity(storage["size"])),
        host_path=HostPathSpec(path=str(host_path["path"]), create=bool(host_path.get("create", False)))
        if strategy is Strategy.HOST_PATH
        else None,
        dfs=parse_dfs(section(storage, "dfs")) if strategy is Strategy.DFS else None,
        persistent_volume=PersistentVolumeSpec(disk_type=DiskType(str(disk_type)))
        if strategy is Strategy.PERSISTENT_VOLUME
        else None,
        on_node_loss=NodeLossAction(str(node_loss.get("action", "Wait"))),
        on_node_loss_after_seconds=int(str(node_loss.get("afterSeconds", 0))),
    )


def _placement(placement: Spec) -> PlacementSpec:
    attributes = placement.get("attributes") or []
    assert isinstance(attributes, list | tuple)
    role = placement.get("mesosRole")
    return PlacementSpec(
        mesos_role=str(role) if role else None,
        attributes=tuple(AgentAttribute(name=str(a["name"]), value=str(a["value"])) for a in attributes),
        anti_affinity=AntiAffinity(str(placement.get("antiAffinity", "Preferred"))),
    )


def _reconcile(reconcile: Spec) -> ReconcileSpec:
    approve = reconcile.get("autoApprove")
    usual = ReconcileSpec()
    approved = reconcile.get("approvedPlan")
    return ReconcileSpec(
        mode=ReconcileMode(str(reconcile.get("mode", "Apply"))),
        auto_approve=frozenset(RiskClass(str(risk)) for risk in approve)
        if isinstance(approve, list | tuple)
        else usual.auto_approve,
        approved_plan=str(approved) if approved else None,
    )
