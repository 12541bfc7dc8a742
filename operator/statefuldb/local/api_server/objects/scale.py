"""The scale subresource: replicas of a custom resource, by the paths that its definition gives."""

import copy
from collections.abc import Iterator
from typing import Any

from statefuldb.local.api_server.errors import ApiError, conflict, invalid, wrong
from statefuldb.local.api_server.objects.tables import json_path
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.schemas.validation import shown_value

Json = dict[str, Any]
_TYPES = {str: "string", float: "float64", bool: "bool", int: "int64", list: "[]interface {}"}
_TYPES[dict] = "map[string]interface {}"


def scale_of(kind: Kind, stored: Json, *, whole: bool = False) -> Json:
    """Return the Scale of an object. Raises ApiError(500) where it must be `whole` and no replicas are wanted."""
    paths = kind.scale or {}
    if whole and json_path(stored, paths["specReplicasPath"]) is None:
        why = f'the spec replicas field "{paths["specReplicasPath"]}" does not exist'
        details = {"causes": [{"message": why}]}
        raise ApiError(500, f"Internal error occurred: {why}", reason="InternalError", details=details)
    metadata = stored["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: Json = {"replicas": json_path(stored, paths["statusReplicasPath"]) or 0}
    if paths.get("labelSelectorPath"):
        status["selector"] = json_path(stored, paths["labelSelectorPath"]) or ""
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {k: metadata[k] for k in kept if k in metadata},
        "spec": {"replicas": json_path(stored, paths["specReplicasPath"]) or 0},
        "status": status,
    }


def scaled(kind: Kind, old: Json, scale: Json) -> Json:
    """Return an object with the replicas of a Scale. Raises ApiError."""
    name = old["metadata"]["name"]
    version = scale.get("metadata", {}).get("resourceVersion")
    if version not in (None, "", "0", old["metadata"]["resourceVersion"]):
        raise conflict(kind.plural, kind.group, name)
    given = (scale.get("kind") or "Scale", scale.get("apiVersion") or "autoscaling/v1")
    if given != ("Scale", "autoscaling/v1"):
        raise ApiError(400, f'no kind is registered for "{given[0]}" in version "{given[1]}": must be a Scale')
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise ApiError(400, 'Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer')
    if replicas < 0:
        cause = wrong("spec.replicas", str(replicas), "must be greater than or equal to 0")
        raise invalid("Scale", "autoscaling", name, [cause])
    new = copy.deepcopy(old)
    target = new
    *above, last = (kind.scale or {})["specReplicasPath"].strip(".").split(".")
    for part in above:
        target = target.setdefault(part, {})
    target[last] = replicas
    return new


def check_scale(kind: Kind, new: Json) -> Iterator[Json]:
    """Yield a cause for replicas that the scale subresource could not show."""
    if kind.scale is None:
        return
    for path in (str(kind.scale["specReplicasPath"]), str(kind.scale["statusReplicasPath"])):
        value: Any = new
        for part in path.strip(".").split("."):
            if value is not None and not isinstance(value, dict):
                yield _inaccessible(path, value, "map[string]interface{}")
                break
            value = (value or {}).get(part)
        else:
            if isinstance(value, int) and not isinstance(value, bool):
                if value < 0:
                    yield wrong(path, str(value), "should be a non-negative integer")
            elif value is not None:
                yield _inaccessible(path, value, "int64")


def _inaccessible(path: str, value: Any, wanted: str) -> Json:
    shown = value if isinstance(value, str) else shown_value(value)
    text = f"{path} accessor error: {shown} is of the type {_TYPES[type(value)]}, expected {wanted}"
    return wrong(path, "0", text)
