"""`StorageProfile`: what databases of some namespaces may use. Cluster-scoped, written by who runs the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statefuldb.model.quantity import parse_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageProfile:
    """One profile. An empty tuple, or None, bounds nothing; sizes are in bytes.

    It is meant for the namespaces that `namespaces` names or whose labels have all of `match_labels`; for all where it
    says neither. `must_retain` refuses `retention.whenDeleted: Delete`.
    """

    name: str
    namespaces: tuple[str, ...] = ()
    match_labels: Mapping[str, str] | None = None
    strategies: tuple[str, ...] = ()
    host_roots: tuple[str, ...] = ()
    mount_points: tuple[str, ...] = ()
    mesos_roles: tuple[str, ...] = ()
    disk_types: tuple[str, ...] = ()
    min_bytes: int = 0
    max_bytes: int | None = None
    must_retain: bool = False

    def applies_to(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Say whether a namespace is meant."""
        if not self.namespaces and self.match_labels is None:
            return True
        matched = self.match_labels is not None and all(labels.get(k) == v for k, v in self.match_labels.items())
        return namespace in self.namespaces or matched


def parse_profile(name: str, spec: Mapping[str, Any]) -> StorageProfile:
    """Return the profile in an object that the schema has let through. Raises ValueError where it is none."""
    meant, size = spec.get("namespaces") or {}, spec.get("size") or {}
    retention = spec.get("retention") or {}
    return StorageProfile(
        name=name,
        namespaces=tuple(meant.get("names") or ()),
        match_labels=meant.get("matchLabels"),
        strategies=tuple(spec.get("strategies") or ()),
        host_roots=tuple((spec.get("hostPath") or {}).get("roots") or ()),
        mount_points=tuple((spec.get("dfs") or {}).get("mountPoints") or ()),
        mesos_roles=tuple(spec.get("mesosRoles") or ()),
        disk_types=tuple((spec.get("persistentVolume") or {}).get("diskTypes") or ()),
        min_bytes=int(parse_quantity(size.get("min", 0))),
        max_bytes=int(parse_quantity(size["max"])) if "max" in size else None,
        must_retain=retention.get("whenDeleted") == "Retain",
    )
