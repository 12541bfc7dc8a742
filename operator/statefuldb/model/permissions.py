"""What an operator does on the Kubernetes API: the rights that its account needs, and no more."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Verbs on one resource. `everywhere` means in every namespace, else in the operator's own."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    subresource: str = ""
    everywhere: bool = True

    def __str__(self) -> str:
        return "/".join(part for part in (self.resource, self.subresource) if part)


_READ = ("get", "list", "watch")
PERMISSIONS = (
    Permission(group="statefuldb.dev", resource="statefuldatabases", verbs=(*_READ, "patch")),
    Permission(group="statefuldb.dev", resource="statefuldatabases", subresource="status", verbs=("update",)),
    Permission(group="statefuldb.dev", resource="databasevolumes", verbs=(*_READ, "create", "update", "delete")),
    Permission(group="statefuldb.dev", resource="storageprofiles", verbs=("list", "watch")),
    Permission(group="apiextensions.k8s.io", resource="customresourcedefinitions", verbs=_READ),
    Permission(group="", resource="namespaces", verbs=_READ),
    Permission(group="", resource="events", verbs=("get", "create", "patch")),
    Permission(group="", resource="secrets", verbs=("get", "create", "patch", "delete")),
    Permission(group="", resource="configmaps", verbs=("get", "create", "update"), everywhere=False),
    Permission(group="coordination.k8s.io", resource="leases", verbs=("get", "create", "patch"), everywhere=False),
)
