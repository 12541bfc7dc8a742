"""JSON merge patch (RFC 7396) and JSON patch (RFC 6902)."""

import copy
from typing import Any

import jsonpatch
import jsonpointer

from statefuldb.local.api_server.errors import ApiError

Json = dict[str, Any]


def merge_patch(target: Any, patch: Any) -> Any:
    """Return `target` with a merge patch applied."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def json_patch(target: Json, patch: Any) -> Json:
    """Return `target` with a JSON patch applied. A failing `test` is 422, as kopf needs it. Raises ApiError."""
    if not isinstance(patch, list):
        raise ApiError(400, "cannot unmarshal object into Go value of type jsonpatch.Patch")
    try:
        return dict(jsonpatch.apply_patch(target, patch))
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
        text = "the server rejected our request due to an error in our request"
        raise ApiError(422, text, reason="Invalid") from error
