"""From a manifest's `spec` to a typed one, or to the list of everything that is wrong with it."""

from collections.abc import Mapping
from decimal import Decimal

from statefuldb.model.check import check
from statefuldb.model.errors import FieldError
from statefuldb.model.quantity import parse_quantity
from statefuldb.model.rules import Spec, check_rules, lacks_place, section
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

    It is held to the schema only, and to say where data lies: a rule that has become stricter since must not leave a
    running database without its target.
    """
    damaged = any(check(spec, DATABASE_SPEC, "spec")) or lacks_place(section(spec, "storage"))
    return None if damaged else _build(spec)


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
