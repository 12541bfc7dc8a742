"""Discovery: which groups, versions and resources are served, in the old form and the aggregated one."""

from collections.abc import Iterable
from typing import Any

from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]
_SUBRESOURCE_VERBS = ["get", "patch", "update"]
_OTHER_KINDS = {
    "scale": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
    "token": {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"},
}


def api_versions() -> Json:
    """Return the answer to GET /api."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group_list(kinds: Iterable[Kind]) -> Json:
    """Return the answer to GET /apis."""
    names = sorted({kind.group for kind in kinds if kind.group})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, kinds) for name in names]}


def group(name: str, kinds: Iterable[Kind]) -> Json:
    """Return the answer to GET /apis/GROUP."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, kinds)}


def _versions(name: str, kinds: Iterable[Kind]) -> list[str]:
    return sorted({kind.version for kind in kinds if kind.group == name})


def _group(name: str, kinds: Iterable[Kind]) -> Json:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in _versions(name, kinds)]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resource_list(api_version: str, kinds: Iterable[Kind]) -> Json:
    """Return the answer to GET /apis/GROUP/VERSION."""
    resources: list[Json] = []
    for kind in kinds:
        if kind.api_version != api_version:
            continue
        entry: Json = {
            "name": kind.plural,
            "singularName": kind.singular or kind.kind.lower(),
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": list(kind.verbs),
        }
        if kind.short_names:
            entry["shortNames"] = list(kind.short_names)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        resources.append(entry)
        for name in kind.subresources:
            about = _OTHER_KINDS.get(name, {"kind": kind.kind})
            below = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
            resources.append({**below, "verbs": _verbs(name), **about})
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources}


def aggregated(kinds: Iterable[Kind], *, core: bool) -> Json:
    """Return all resources of the core group, or of all others, in one document."""
    names = [""] if core else sorted({kind.group for kind in kinds if kind.group})
    items = [
        {
            "metadata": {"name": name} if name else {},
            "versions": [
                {
                    "version": version,
                    "resources": [_resource(k) for k in kinds if (k.group, k.version) == (name, version)],
                    "freshness": "Current",
                }
                for version in _versions(name, kinds)
            ],
        }
        for name in names
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _resource(kind: Kind) -> Json:
    about = {"group": kind.group, "version": kind.version} if kind.custom else {"group": "", "version": ""}
    about["kind"] = kind.kind
    entry: Json = {
        "resource": kind.plural,
        "responseKind": about,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular or kind.kind.lower(),
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if kind.subresources:
        entry["subresources"] = [
            {"subresource": name, "responseKind": _OTHER_KINDS.get(name, about), "verbs": _verbs(name)}
            for name in kind.subresources
        ]
    return entry


def _verbs(subresource: str) -> list[str]:
    return {"finalize": ["update"], "token": ["create"]}.get(subresource, _SUBRESOURCE_VERBS)
