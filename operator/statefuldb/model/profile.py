"""`StorageProfile`: what databases of some namespaces may use. Cluster-scoped, written by who runs the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statefuldb.model.quantity import parse_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageProfile:
    """One profile. None bounds nothing, an empty tuple of what may be chosen allows none; sizes are in bytes.

    It is meant for the namespaces that `namespaces` names or whose labels have all of `match_labels`; for all where it
    names none and asks for no label. `must_retain` refuses `retention.whenDeleted: Delete`.
    """

    name: str
    namespaces: tuple[str, ...] = ()
    match_labels: Mapping[str, str] | None = None
    strategies: tuple[str, ...] | None = None
    host_roots: tuple[str, ...] | None = None
    mount_points: tuple[str, ...] | None = None
    mesos_roles: tuple[str, ...] | None = None
    disk_types: tuple[str, ...] | None = None
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
        strategies=_choice(spec, "strategies"),
        host_roots=_choice(spec.get("hostPath"), "roots"),
        # A manifest names it without a slash at its end.
        mount_points=_choice(spec.get("dfs"), "mountPoints", end="/"),
        mesos_roles=_choice(spec, "mesosRoles"),
        disk_types=_choice(spec.get("persistentVolume"), "diskTypes"),
        min_bytes=int(parse_quantity(size.get("min", 0))),
        max_bytes=int(parse_quantity(size["max"])) if "max" in size else None,
        must_retain=retention.get("whenDeleted") == "Retain",
    )


def _choice(part: Mapping[str, Any] | None, name: str, end: str = "") -> tuple[str, ...] | None:
    """Return what may be chosen, without what it may end with; None where that is not bounded.

    An empty list is there, and allows nothing.
    """
    allowed = (part or {}).get(name)
    return tuple(each.removesuffix(end) for each in allowed) if allowed is not None else None
