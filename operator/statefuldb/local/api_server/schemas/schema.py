"""Structural schemas at work: pruning and defaulting (Kubernetes docs, custom-resource-definitions)."""

import copy
from typing import Any

from statefuldb.local.api_server.copying import fields_not_of, items_not_of

Json = dict[str, Any]
_METADATA = frozenset(
    (
        *("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation"),
        *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations"),
        *("ownerReferences", "finalizers", "managedFields"),
    )
)
_HOLDING = ("labels", "annotations", "finalizers", "ownerReferences", "managedFields")
_OWNER = frozenset(("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"))


def prune(value: Any, schema: Json, old: Any = None, path: str = "") -> list[str]:
    """Remove unknown fields in place, but for parts that are those of `old` itself; return their paths."""
    removed: list[str] = []
    if isinstance(value, dict):
        properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
        others = extra if isinstance(extra, dict) else None
        keep = schema.get("x-kubernetes-preserve-unknown-fields") or extra is True
        for name, part, before in list(fields_not_of(old, value)):
            if path == "" and name in ("apiVersion", "kind", "metadata"):
                continue
            known = properties.get(name, others)
            if known is not None:
                if isinstance(part, dict | list):
                    removed += prune(part, known, before, f"{path}.{name}".lstrip("."))
            elif not keep:
                removed.append(f"{path}.{name}".lstrip("."))
                del value[name]
    elif isinstance(value, list):
        for index, item, before in items_not_of(old, value):
            removed += prune(item, schema.get("items", {}), before, f"{path}[{index}]")
    return removed


def prune_metadata(metadata: Json) -> list[str]:
    """Remove what is not metadata, and what is empty, in place; return the paths of what is not metadata."""
    unknown = [name for name in metadata if name not in _METADATA]
    for name in [*unknown, *(name for name in _HOLDING if name in metadata and not metadata[name])]:
        del metadata[name]
    for texts in (metadata.get("labels") or {}, metadata.get("annotations") or {}):
        for name in [name for name, value in texts.items() if value is None]:
            texts[name] = ""  # as Go reads a null
    found = [f"metadata.{name}" for name in unknown]
    for index, owner in enumerate(metadata.get("ownerReferences") or ()):
        for name in [name for name in owner if name not in _OWNER]:
            del owner[name]
            found.append(f"metadata.ownerReferences[{index}].{name}")
    return found


def default(value: Any, schema: Json, old: Any = None) -> None:
    """Fill in defaults in place, but for parts that are those of `old` itself.

    A null that may not be there counts as missing.
    """
    if isinstance(value, dict):
        properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
        for name in [n for n, v in value.items() if v is None and n in properties]:
            if not properties[name].get("nullable"):
                del value[name]
        for name, inner in properties.items():
            if "default" in inner and name not in value:
                value[name] = copy.deepcopy(inner["default"])
        others = extra if isinstance(extra, dict) else None
        for name, part, before in fields_not_of(old, value):
            found = properties.get(name, others)
            if found is not None and isinstance(part, dict | list):
                default(part, found, before)
    elif isinstance(value, list):
        for _, item, before in items_not_of(old, value):
            default(item, schema.get("items", {}), before)
