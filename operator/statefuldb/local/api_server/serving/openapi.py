"""OpenAPI v3 documents of the served kinds: enough for kubectl's `apply`, `explain` and `edit`."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_TEXT = {"type": "string"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_SHARED: Json = {
    f"{_META}.ObjectMeta": {
        "type": "object",
        "description": "ObjectMeta is metadata that all persisted resources must have.",
        "properties": {
            **{n: _TEXT for n in ("name", "generateName", "namespace", "uid", "resourceVersion", "selfLink")},
            **{n: {"type": "string", "format": "date-time"} for n in ("creationTimestamp", "deletionTimestamp")},
            **{n: {"type": "integer", "format": "int64"} for n in ("generation", "deletionGracePeriodSeconds")},
            "labels": {"description": "Keys and values by which objects are selected.", **_TEXTS},
            "annotations": {"description": "Keys and values that tools keep with an object.", **_TEXTS},
            "finalizers": {
                "type": "array",
                "items": _TEXT,
                "x-kubernetes-list-type": "set",
                "x-kubernetes-patch-strategy": "merge",
            },
            "ownerReferences": {
                "type": "array",
                "items": _OPEN,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["uid"],
                "x-kubernetes-patch-merge-key": "uid",
                "x-kubernetes-patch-strategy": "merge",
            },
            "managedFields": {"type": "array", "items": _OPEN, "x-kubernetes-list-type": "atomic"},
        },
    },
    f"{_META}.ListMeta": {
        "type": "object",
        "properties": {"resourceVersion": _TEXT, "continue": _TEXT, "remainingItemCount": {"type": "integer"}},
    },
}
_API_VERSION = "APIVersion defines the versioned schema of this representation of an object."
_KIND = "Kind is a string value representing the REST resource this object represents."
_MAPS: dict[str, tuple[str, ...]] = {
    "ConfigMap": ("data", "binaryData"),
    "Secret": ("data", "stringData"),
}
_FLAT: dict[str, tuple[str, ...]] = {
    "Event": ("type", "reason", "message", "action", "firstTimestamp", "lastTimestamp", "eventTime", "note"),
    "Secret": ("type",),
}
_WRITE_OPTIONS = ("dryRun", "fieldManager", "fieldValidation")


def index(kinds: Iterable[Kind]) -> Json:
    """Return the answer to GET /openapi/v3."""
    paths = {}
    for api_version in sorted({kind.api_version for kind in kinds}):
        path = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
        text = json.dumps(document(api_version, kinds), sort_keys=True)
        digest = hashlib.sha512(text.encode()).hexdigest().upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def document(api_version: str, kinds: Iterable[Kind]) -> Json:
    """Return the OpenAPI v3 document of one group and version."""
    schemas, paths = dict(_SHARED), {}
    for kind in kinds:
        if kind.api_version != api_version:
            continue
        name = _schema_name(kind)
        schemas[name] = _schema(kind)
        schemas[f"{name}List"] = _list_schema(kind, name)
        base = f"/apis/{api_version}" if kind.group else f"/api/{api_version}"
        place = f"{base}/namespaces/{{namespace}}" if kind.namespaced else base
        if "list" not in kind.verbs:
            paths[f"{place}/{kind.plural}"] = _operations(kind, name, "post")
            continue
        paths[f"{place}/{kind.plural}"] = _operations(kind, name, "get", "post", "delete")
        paths[f"{place}/{kind.plural}/{{name}}"] = _operations(kind, name, "get", "put", "patch", "delete")
        for below in kind.subresources:
            methods = ("post",) if below == "token" else ("get", "put", "patch")
            paths[f"{place}/{kind.plural}/{{name}}/{below}"] = _operations(kind, name, *methods)
        if kind.namespaced:
            paths[f"{base}/{kind.plural}"] = _operations(kind, name, "get")
    return {
        "openapi": "3.0.0",
        "info": {"title": "statefuldb embedded API server", "version": "v1.32.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _schema_name(kind: Kind) -> str:
    if kind.custom:
        return f"{'.'.join(reversed(kind.group.split('.')))}.{kind.version}.{kind.kind}"
    return f"io.k8s.api.{kind.group.split('.')[0] or 'core'}.{kind.version}.{kind.kind}"


def _schema(kind: Kind) -> Json:
    schema = dict(kind.schema or {"type": "object", "description": f"{kind.kind}, as Kubernetes documents it."})
    properties = dict(schema.get("properties", {}))
    if kind.schema is None:
        properties |= {name: _OPEN for name in ("spec", "status")}
        properties |= {name: _TEXTS for name in _MAPS.get(kind.kind, ())}
        properties |= {name: _TEXT for name in _FLAT.get(kind.kind, ())}
        schema["x-kubernetes-preserve-unknown-fields"] = True
    properties["apiVersion"] = {"description": _API_VERSION, **_TEXT}
    properties["kind"] = {"description": _KIND, **_TEXT}
    shared = {"allOf": [{"$ref": f"#/components/schemas/{_META}.ObjectMeta"}], "default": {}}
    properties["metadata"] = {"description": "Standard object's metadata.", **shared}
    schema["properties"] = properties
    schema["x-kubernetes-group-version-kind"] = [_kind_of(kind)]
    return schema


def _list_schema(kind: Kind, name: str) -> Json:
    properties: Json = {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "metadata": {"$ref": f"#/components/schemas/{_META}.ListMeta"},
        "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
    }
    about = {**_kind_of(kind), "kind": f"{kind.kind}List"}
    return {
        "type": "object",
        "required": ["items"],
        "properties": properties,
        "x-kubernetes-group-version-kind": [about],
    }


def _kind_of(kind: Kind) -> Json:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _operations(kind: Kind, schema: str, *verbs: str) -> Json:
    return {verb: _operation(kind, schema, verb) for verb in verbs}


def _operation(kind: Kind, schema: str, verb: str) -> Json:
    options = {"post": _WRITE_OPTIONS, "put": _WRITE_OPTIONS, "patch": (*_WRITE_OPTIONS, "force")}.get(verb, ())
    answer = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    operation: Json = {
        "x-kubernetes-action": verb,
        "x-kubernetes-group-version-kind": _kind_of(kind),
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for name in options
        ],
        "responses": {"200": {"description": "OK", "content": answer}},
    }
    if verb == "patch":
        types = ["json-patch+json", "merge-patch+json", "apply-patch+yaml"]
        types += [] if kind.custom else ["strategic-merge-patch+json"]
        operation["requestBody"] = {"content": {f"application/{name}": {"schema": _OPEN} for name in types}}
    return operation
