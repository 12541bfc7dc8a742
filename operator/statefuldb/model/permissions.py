"""What an operator does on the Kubernetes API: the rights that its account needs, and no more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from statefuldb.model.identity import FRAMEWORK_CONFIG_MAP, OPERATOR_IDENTITY_SECRET, OPERATOR_LEASE
from statefuldb.model.schema.crd import GROUP


class Scope(StrEnum):
    """Where a right is needed."""

    CLUSTER = "cluster"
    DATABASES = "wherever databases are"
    OPERATOR = "the operator's namespace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Verbs on one resource; of one object alone where it is named (a creation names nothing yet)."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    scope: Scope
    subresource: str = ""
    name: str = ""

    def __str__(self) -> str:
        whole = "/".join(part for part in (self.resource, self.subresource) if part)
        return f"{whole} {self.name}" if self.name else whole


_READ = ("get", "list", "watch")
PERMISSIONS = (
    Permission(group=GROUP, resource="statefuldatabases", verbs=(*_READ, "patch"), scope=Scope.DATABASES),
    Permission(
        group=GROUP, resource="statefuldatabases", subresource="status", verbs=("update",), scope=Scope.DATABASES
    ),
    Permission(
        group=GROUP,
        resource="databasevolumes",
        verbs=("list", "watch", "create", "update", "delete"),
        scope=Scope.DATABASES,
    ),
    Permission(group="", resource="events", verbs=("get", "create", "patch"), scope=Scope.DATABASES),
    Permission(group="", resource="secrets", verbs=("get", "create", "patch", "delete"), scope=Scope.DATABASES),
    Permission(group=GROUP, resource="storageprofiles", verbs=("list", "watch"), scope=Scope.CLUSTER),
    Permission(group="apiextensions.k8s.io", resource="customresourcedefinitions", verbs=_READ, scope=Scope.CLUSTER),
    Permission(group="", resource="namespaces", verbs=_READ, scope=Scope.CLUSTER),
    Permission(group="", resource="configmaps", verbs=("create",), scope=Scope.OPERATOR),
    Permission(
        group="", resource="configmaps", name=FRAMEWORK_CONFIG_MAP, verbs=("get", "update"), scope=Scope.OPERATOR
    ),
    Permission(group="", resource="secrets", verbs=("create",), scope=Scope.OPERATOR),
    Permission(group="", resource="secrets", name=OPERATOR_IDENTITY_SECRET, verbs=("get",), scope=Scope.OPERATOR),
    Permission(group="coordination.k8s.io", resource="leases", verbs=("create",), scope=Scope.OPERATOR),
    Permission(
        group="coordination.k8s.io",
        resource="leases",
        name=OPERATOR_LEASE,
        verbs=("get", "patch"),
        scope=Scope.OPERATOR,
    ),
)
_DEFINITIONS = (f"statefuldatabases.{GROUP}", f"databasevolumes.{GROUP}")


def questions(namespace: str, watched: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield, for each right, its words and the resource attributes of an access review.

    `namespace` is the operator's own. An operator that is confined to the namespaces in `watched` needs its rights
    there, and of the cluster only to get those namespaces and the definitions by name, and to list the profiles.
    """
    named = {"namespaces": watched, "customresourcedefinitions": _DEFINITIONS}
    for permission in PERMISSIONS:
        for verb in permission.verbs:
            if watched and permission.scope is Scope.CLUSTER and verb == "watch":
                continue
            names = named.get(permission.resource)
            if names is not None and watched:
                places = [("", name) for name in names] if verb == "get" else []
            elif permission.scope is Scope.DATABASES and watched:
                places = [(each, "") for each in watched]
            else:
                places = [(namespace if permission.scope is Scope.OPERATOR else "", permission.name)]
            for place, name in places:
                words = f"{verb} {permission}" + (f" in {place}" if place else "")
                yield (
                    words,
                    {
                        "verb": verb,
                        "group": permission.group,
                        "resource": permission.resource,
                        "subresource": permission.subresource,
                        "namespace": place,
                        "name": name,
                    },
                )
