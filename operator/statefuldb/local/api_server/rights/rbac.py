"""Who may do what, by Roles, ClusterRoles and their bindings (Kubernetes docs, "Using RBAC Authorization"). Pure.

Rights only ever add up: what no rule grants is refused. A RoleBinding grants within its namespace, of a Role there or
of a ClusterRole; a ClusterRoleBinding grants everywhere. Members of system:masters may do everything.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from statefuldb.local.api_server.objects.selectors import label_selector_matches
from statefuldb.local.api_server.objects.stored import StoredObjects

Json = dict[str, Any]
Objects = StoredObjects
API_GROUP = "rbac.authorization.k8s.io"
MASTERS, AUTHENTICATED, UNAUTHENTICATED = "system:masters", "system:authenticated", "system:unauthenticated"
ACCOUNT_PREFIX, ACCOUNTS = "system:serviceaccount:", "system:serviceaccounts"


@dataclass(frozen=True, slots=True)
class User:
    """Who asks."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is asked for: a verb on a resource (with its subresource, `pods/log`), or on a path that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


def account(namespace: str, name: str, uid: str = "") -> User:
    """Return the user that a ServiceAccount is."""
    groups = (ACCOUNTS, f"{ACCOUNTS}:{namespace}", AUTHENTICATED)
    return User(f"{ACCOUNT_PREFIX}{namespace}:{name}", groups, uid)


def granted(objects: Objects, user: User, attempt: Attempt) -> str | None:
    """Return by what an attempt is allowed (empty for system:masters), or None where it is refused."""
    if MASTERS in user.groups:
        return ""
    for why, rule in _rules(objects, user, attempt.namespace):
        if covers(rule, attempt):
            return why
    return None


def rules_of(objects: Objects, user: User, namespace: str) -> list[Json]:
    """Return the rules that hold for a user in a namespace."""
    if MASTERS in user.groups:
        everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        return [everything, {"verbs": ["*"], "nonResourceURLs": ["*"]}]
    return [rule for _, rule in _rules(objects, user, namespace)]


def _rules(objects: Objects, user: User, namespace: str) -> Iterator[tuple[str, Json]]:
    everywhere = objects.of_kind(f"clusterrolebindings.{API_GROUP}")
    here = objects.of_kind(f"rolebindings.{API_GROUP}")
    near = [(address, binding) for address, binding in here.items() if namespace and address[1] == namespace]
    for (_, place, name), binding in (*everywhere.items(), *near):
        subject = _subject(binding, user, place)
        if subject is None:
            continue
        role = binding["roleRef"]
        kind = "RoleBinding" if place else "ClusterRoleBinding"
        shown = f"{name}/{place}" if place else name
        why = f'RBAC: allowed by {kind} "{shown}" of {role["kind"]} "{role["name"]}" to {subject}'
        for rule in role_rules(objects, role, place):
            yield why, rule


def role_rules(objects: Objects, reference: Json, namespace: str) -> Iterable[Json]:
    """Return the rules of the role that a binding in a namespace refers to; none where there is no such role."""
    if reference["kind"] == "Role":
        role = objects.get((f"roles.{API_GROUP}", namespace, reference["name"]), {})
        return role.get("rules") or ()
    key = f"clusterroles.{API_GROUP}"
    role = objects.get((key, "", reference["name"]), {})
    selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
    if not selectors:
        return role.get("rules") or ()
    return [
        rule
        for other in objects.of_kind(key).values()
        if any(label_selector_matches(s, other["metadata"].get("labels") or {}) for s in selectors)
        for rule in other.get("rules") or ()
    ]


def _subject(binding: Json, user: User, namespace: str) -> str | None:
    """Return how a binding names a user, or None where it does not."""
    for subject in binding.get("subjects") or ():
        kind, name = subject["kind"], subject["name"]
        if kind == "ServiceAccount":
            place = subject.get("namespace") or namespace
            if account(place, name).name == user.name:
                return f'ServiceAccount "{name}/{place}"'
        elif (kind == "User" and name == user.name) or (kind == "Group" and name in user.groups):
            return f'{kind} "{name}"'
    return None


def covers(rule: Json, attempt: Attempt) -> bool:
    """Say whether a rule grants an attempt."""

    def names(field: str, *values: str) -> bool:
        return any(value in (rule.get(field) or ()) for value in ("*", *values))

    if not names("verbs", attempt.verb):
        return False
    if attempt.path:
        return any(_path_matches(pattern, attempt.path) for pattern in rule.get("nonResourceURLs") or ())
    _, _, subresource = attempt.resource.partition("/")
    any_with = (f"*/{subresource}",) if subresource else ()
    wanted = rule.get("resourceNames") or ()
    return (
        names("apiGroups", attempt.group)
        and names("resources", attempt.resource, *any_with)
        and (not wanted or attempt.name in wanted)
    )


def _path_matches(pattern: str, path: str) -> bool:
    return pattern == path or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def _first(kind: str, name: str, **more: Any) -> Json:
    metadata = {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}
    return {"apiVersion": f"{API_GROUP}/v1", "kind": kind, "metadata": metadata, **more}


def _first_binding(name: str, *groups: str) -> Json:
    subjects = [{"kind": "Group", "apiGroup": API_GROUP, "name": group} for group in groups]
    reference = {"apiGroup": API_GROUP, "kind": "ClusterRole", "name": name}
    return _first("ClusterRoleBinding", name, subjects=subjects, roleRef=reference)


_HEALTH = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_HEALTH]
_REVIEWS = {
    "verbs": ["create"],
    "apiGroups": ["authorization.k8s.io"],
    "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
}
_WHO_AM_I = {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]}
_EVERYTHING = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
# What every cluster has from its first start, by the names that charts and people bind to.
FIRST_ROLES: tuple[Json, ...] = (
    _first("ClusterRole", "cluster-admin", rules=[_EVERYTHING, {"verbs": ["*"], "nonResourceURLs": ["*"]}]),
    _first("ClusterRole", "system:discovery", rules=[{"verbs": ["get"], "nonResourceURLs": _DISCOVERY}]),
    _first("ClusterRole", "system:public-info-viewer", rules=[{"verbs": ["get"], "nonResourceURLs": _HEALTH}]),
    _first("ClusterRole", "system:basic-user", rules=[_REVIEWS, _WHO_AM_I]),
)
FIRST_BINDINGS: tuple[Json, ...] = (
    _first_binding("cluster-admin", MASTERS),
    _first_binding("system:discovery", AUTHENTICATED),
    _first_binding("system:public-info-viewer", AUTHENTICATED, UNAUTHENTICATED),
    _first_binding("system:basic-user", AUTHENTICATED),
)
