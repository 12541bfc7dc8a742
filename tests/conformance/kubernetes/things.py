"""The kind that the suite works on: one of everything that a definition can say."""

import copy
from typing import Any

Json = dict[str, Any]
GROUP_NAME = "conformance.statefuldb.dev"
GROUP = f"/apis/{GROUP_NAME}/v1"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_TEXT = {"type": "string", "maxLength": 64}
_USER = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": _TEXT,
        "role": {**_TEXT, "default": "reader"},
        "tags": {"type": "array", "maxItems": 8, "items": _TEXT, "x-kubernetes-list-type": "set"},
    },
}
_SPEC: Json = {
    "type": "object",
    "description": "Desired state.",
    "required": ["engine"],
    "properties": {
        "engine": {**_TEXT, "enum": ["postgres", "mysql"], "description": "Database engine."},
        "version": {**_TEXT, "pattern": r"^[0-9]+(\.[0-9]+)*$", "default": "16"},
        "replicas": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 100, "default": 1},
        "minReplicas": {"type": "integer", "format": "int32", "default": 0},
        "storage": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        "options": {"type": "object", "maxProperties": 8, "additionalProperties": _TEXT},
        "template": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "users": {
            "type": "array",
            "maxItems": 8,
            "items": _USER,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "steps": {"type": "array", "maxItems": 3, "items": _TEXT},
        "comment": {**_TEXT, "nullable": True},
    },
    "x-kubernetes-validations": [
        {"rule": "self.engine == oldSelf.engine", "message": "engine is immutable"},
        {
            "rule": "self.replicas >= self.minReplicas",
            "messageExpression": "self.engine + ': replicas must be >= minReplicas'",
            "fieldPath": ".replicas",
        },
    ],
}
_CONDITION = {
    "type": "object",
    "required": ["type", "status"],
    "properties": {"type": _TEXT, "status": {**_TEXT, "enum": ["True", "False", "Unknown"]}, "message": _TEXT},
}
_STATUS: Json = {
    "type": "object",
    "x-kubernetes-preserve-unknown-fields": True,
    "properties": {
        "phase": _TEXT,
        "replicas": {"type": "integer"},
        "conditions": {
            "type": "array",
            "items": _CONDITION,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    },
}
_COLUMNS = [
    {"name": "Engine", "type": "string", "jsonPath": ".spec.engine"},
    {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
    {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
    {"name": "Version", "type": "string", "jsonPath": ".spec.version", "priority": 1},
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


def definition(plural: str = "things", group: str = GROUP_NAME) -> Json:
    """Return a definition; each test may change its own copy."""
    kind = plural.removesuffix("s").capitalize()
    schema = {
        "type": "object",
        "description": "A thing to test with.",
        "required": ["spec"],
        "properties": {"spec": _SPEC, "status": _STATUS},
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
        },
        "additionalPrinterColumns": _COLUMNS,
        "selectableFields": [{"jsonPath": ".spec.engine"}],
    }
    names = {"kind": kind, "plural": plural, "shortNames": [f"x{plural[:3]}"], "categories": ["all", "testing"]}
    return copy.deepcopy(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
        }
    )


def thing(name: str, **spec: Any) -> Json:
    """Return a thing."""
    return {
        "apiVersion": f"{GROUP_NAME}/v1",
        "kind": "Thing",
        "metadata": {"name": name},
        "spec": {"engine": "postgres", **spec},
    }


def labelled(name: str, labels: dict[str, str], **spec: Any) -> Json:
    """Return a thing with labels."""
    body = thing(name, **spec)
    body["metadata"]["labels"] = labels
    return body


def held(name: str, *finalizers: str) -> Json:
    """Return a thing that finalizers hold."""
    body = thing(name)
    body["metadata"]["finalizers"] = list(finalizers)
    return body


def names(listed: Json) -> list[str]:
    """Return the names in a list."""
    return [item["metadata"]["name"] for item in listed["items"]]


def fields(error: Json) -> list[str]:
    """Return the field paths that an error names, without repetition and without the note on rules left out."""
    found = dict.fromkeys(cause.get("field", "") for cause in error["details"].get("causes", []))
    return [field for field in found if field != "<nil>"]
