"""Structural schemas at work: pruning and defaulting (Kubernetes docs, custom-resource-definitions)."""

import copy
from typing import Any

Json = dict[str, Any]
ANYTHING: Json = {"x-kubernetes-preserve-unknown-fields": True}
_METADATA = frozenset(
    (
        *("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation"),
        *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations"),
        *("ownerReferences", "finalizers", "managedFields"),
    )
)


def prune(value: Any, schema: Json, path: str = "") -> list[str]:
    """Remove unknown fields in place; return their paths."""
    removed: list[str] = []
    if schema is ANYTHING:
        return removed
    if isinstance(value, dict):
        properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
        keep = schema.get("x-kubernetes-preserve-unknown-fields") or extra is True
        for name in list(value):
            inner = f"{path}.{name}".lstrip(".")
            if path == "" and name in ("apiVersion", "kind", "metadata"):
                continue
            if name in properties:
                removed += prune(value[name], properties[name], inner)
            elif isinstance(extra, dict):
                removed += prune(value[name], extra, inner)
            elif not keep:
                removed.append(inner)
                del value[name]
    elif isinstance(value, list):
        for index, item in enumerate(value):
            removed += prune(item, schema.get("items", {}), f"{path}[{index}]")
    return removed


def prune_metadata(metadata: Json) -> list[str]:
    """Remove what is not metadata in place; return the paths."""
    unknown = [name for name in metadata if name not in _METADATA]
    for name in unknown:
        del metadata[name]
    return [f"metadata.{name}" for name in unknown]


def default(value: Any, schema: Json) -> None:
    """Fill in defaults in place. A null that may not be there counts as missing."""
    if isinstance(value, dict):
        properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
        for name in [n for n, v in value.items() if v is None and n in properties]:
            if not properties[name].get("nullable"):
                del value[name]
        for name, inner in properties.items():
            if "default" in inner and name not in value:
                value[name] = copy.deepcopy(inner["default"])
        for name in value:
            found = properties.get(name, extra if isinstance(extra, dict) else None)
            if found is not None:
                default(value[name], found)
    elif isinstance(value, list):
        for item in value:
            default(item, schema.get("items", {}))
