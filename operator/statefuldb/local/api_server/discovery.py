"""Discovery and OpenAPI documents, from the served kinds."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from statefuldb.local.api_server.kinds import Kind

Json = dict[str, Any]
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_SUBRESOURCE_VERBS = ["get", "patch", "update"]


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


def _group(name: str, kinds: Iterable[Kind]) -> Json:
    versions = sorted({kind.version for kind in kinds if kind.group == name})
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resource_list(api_version: str, kinds: Iterable[Kind]) -> Json:
    """Return the answer to GET /apis/GROUP/VERSION."""
    resources: list[Json] = []
    for kind in kinds:
        if kind.api_version != api_version:
            continue
        entry: Json = {
            "name": kind.plural,
            "singularName": kind.kind.lower(),
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": _VERBS,
        }
        if kind.short_names:
            entry["shortNames"] = list(kind.short_names)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        resources.append(entry)
        if kind.status_subresource:
            resources.append(_subresource(kind, "status", {"kind": kind.kind}))
        if kind.scale:
            scale = {"kind": "Scale", "group": "autoscaling", "version": "v1"}
            resources.append(_subresource(kind, "scale", scale))
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources}


def _subresource(kind: Kind, name: str, more: Json) -> Json:
    return {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "verbs": _SUBRESOURCE_VERBS,
        **more,
    }


def openapi_index(kinds: Iterable[Kind]) -> Json:
    """Return the answer to GET /openapi/v3."""
    paths = {}
    for api_version in sorted({kind.api_version for kind in kinds}):
        path = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
        text = json.dumps(openapi_document(api_version, kinds), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:32].upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def openapi_document(api_version: str, kinds: Iterable[Kind]) -> Json:
    """Return the OpenAPI v3 document of one group and version, enough for kubectl's validation and explain."""
    schemas, paths = {}, {}
    for kind in kinds:
        if kind.api_version != api_version:
            continue
        name = f"{'.'.join(reversed(kind.group.split('.'))) or 'io.k8s.api.core'}.{kind.version}.{kind.kind}"
        schema = dict(kind.schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
        properties = dict(schema.get("properties", {}))
        if kind.schema is not None:
            for field in ("apiVersion", "kind"):
                properties.setdefault(field, {"type": "string"})
            properties["metadata"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
            schema["properties"] = properties
        schema["x-kubernetes-group-version-kind"] = [{"group": kind.group, "version": kind.version, "kind": kind.kind}]
        schemas[name] = schema
        base = f"/apis/{api_version}" if kind.group else f"/api/{api_version}"
        scope = "/namespaces/{namespace}" if kind.namespaced else ""
        paths[f"{base}{scope}/{kind.plural}"] = {"post": _operation(kind, name, "post")}
        paths[f"{base}{scope}/{kind.plural}/{{name}}"] = {
            verb: _operation(kind, name, verb) for verb in ("get", "put", "patch")
        }
    return {
        "openapi": "3.0.0",
        "info": {"title": "statefuldb embedded API server", "version": "v1.32.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(kind: Kind, schema: str, verb: str) -> Json:
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for name in ("dryRun", "fieldManager", "fieldValidation", "force")
    ]
    action = {"post": "post", "get": "get", "put": "put", "patch": "patch"}[verb]
    return {
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "parameters": [] if verb == "get" else parameters,
        "responses": {
            "200": {
                "description": "OK",
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
            }
        },
    }
