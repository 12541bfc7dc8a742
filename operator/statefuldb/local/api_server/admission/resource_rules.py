"""To which requests a rule of a policy or of a webhook applies (Kubernetes docs, extensible-admission-controllers)."""

from typing import Any

from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]


def covers(rule: Json, kind: Kind, operation: str, subresource: str) -> bool:
    """Say whether a rule covers a request. A resource without a slash is never one of its subresources."""
    resource = kind.plural
    names = {f"{resource}/{subresource}", f"{resource}/*", f"*/{subresource}"} if subresource else {resource, "*"}
    return (
        _among(rule["apiGroups"], kind.group)
        and _among(rule["apiVersions"], kind.version)
        and _among(rule["operations"], operation)
        and bool({*names, "*/*"} & set(rule["resources"]))
        and rule.get("scope", "*") in ("*", "Namespaced" if kind.namespaced else "Cluster")
    )


def _among(values: list[str], value: str) -> bool:
    return "*" in values or value in values
