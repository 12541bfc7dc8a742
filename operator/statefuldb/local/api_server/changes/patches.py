"""JSON merge patch (RFC 7396), JSON patch (RFC 6902) and Kubernetes' strategic merge patch of built-in kinds."""

import copy
from types import MappingProxyType
from typing import Any

import jsonpatch
import jsonpointer

from statefuldb.local.api_server.errors import ApiError

Json = dict[str, Any]
_REFUSED = "the server rejected our request due to an error in our request"
# Lists that are merged item by item, with the field that names an item; an empty one is a list of plain values.
_MERGED_LISTS = {"finalizers": "", "ownerReferences": "uid", "conditions": "type", "secrets": "name"}
_MERGED_LISTS["imagePullSecrets"] = "name"


class _Replace(jsonpatch.ReplaceOperation):
    """Replaces a field, or adds it where it is missing, as the library of a real server does."""

    def apply(self, obj: Any) -> Any:
        holder, name = self.pointer.to_last(obj)
        if isinstance(holder, dict) and name not in holder and "value" in self.operation:
            holder[name] = copy.deepcopy(self.operation["value"])
            return obj
        return super().apply(obj)


class _Patch(jsonpatch.JsonPatch):
    operations = MappingProxyType({**jsonpatch.JsonPatch.operations, "replace": _Replace})


def merge_patch(target: Any, patch: Any) -> Any:
    """Return `target` with a merge patch applied.

    What replaces no object comes without its nulls, also in lists; what replaces one, other than an object, as it is.
    """
    if not isinstance(target, dict):
        return _without_nulls(patch)
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _without_nulls(value: Any) -> Any:
    """Return a copy without fields that are null, wherever they are; a null in a list stays."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def json_patch(target: Json, patch: Any) -> Json:
    """Return `target`, which is changed, with a JSON patch applied. Raises ApiError.

    A failing `test` is 422, as kopf needs it.
    """
    if patch is None:
        return target
    if not isinstance(patch, list) or any(not isinstance(one, dict) for one in patch):
        text = "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        raise ApiError(400, text)
    try:
        return dict(_Patch(patch).apply(target, in_place=True))
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
        raise ApiError(422, _REFUSED, details={}) from error


def strategic_patch(target: Any, patch: Json) -> Json:
    """Return `target` with a strategic merge patch applied: known lists are merged by their keys."""
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    merged = dict(target) if isinstance(target, dict) else {}
    kept = patch.get("$retainKeys")
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            listed = name.partition("/")[2]
            merged[listed] = [item for item in merged.get(listed) or [] if item not in value]
        elif name.startswith("$"):
            continue
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = strategic_patch(merged.get(name), value)
        elif isinstance(value, list) and name in _MERGED_LISTS:
            merged[name] = _merge_list(merged.get(name) or [], value, _MERGED_LISTS[name])
        else:
            merged[name] = copy.deepcopy(value)
    return {name: value for name, value in merged.items() if kept is None or name in kept}


def _merge_list(items: list[Any], changes: list[Any], key: str) -> list[Any]:
    if any(isinstance(change, dict) and change.get("$patch") == "replace" for change in changes):
        return [change for change in changes if "$patch" not in change]
    merged = list(items)
    for change in changes:
        if not key:
            merged += [change] if change not in merged else []
            continue
        index = next((i for i, item in enumerate(merged) if item.get(key) == change.get(key)), None)
        if change.get("$patch") == "delete":
            if index is not None:
                del merged[index]
        elif index is None:
            merged.append(copy.deepcopy(change))
        else:
            merged[index] = strategic_patch(merged[index], change)
    return _patched_first(items, changes, merged, key)


def _patched_first(before: list[Any], changes: list[Any], merged: list[Any], key: str) -> list[Any]:
    """Return merged items with those of a patch in its order, ahead of others that did not come before them."""

    def named(item: Any) -> Any:
        return item.get(key) if key else item

    places = [named(item) for item in before]
    order = [named(change) for change in changes]
    patched = sorted((item for item in merged if named(item) in order), key=lambda item: order.index(named(item)))
    others = [item for item in merged if named(item) not in order]
    ordered: list[Any] = []
    for item in patched:
        name = named(item)
        while others and name in places and places.index(named(others[0])) < places.index(name):
            ordered.append(others.pop(0))
        ordered.append(item)
    return ordered + others
