"""Lists: what is selected, as of which version, and in pages that fit together."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.objects.selectors import field_selector, label_selector
from statefuldb.local.api_server.objects.store import Store
from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]
_TOKEN = "meta.k8s.io/v1"
_TOO_OLD = "The resourceVersion for the provided list is too old."
_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter."
)


def selector(kind: Kind, query: Mapping[str, str]) -> Callable[[Json], bool]:
    """Return the predicate of a list or watch. Raises ApiError(400)."""
    tests = []
    if query.get("labelSelector"):
        tests.append(label_selector(query["labelSelector"]))
    if query.get("fieldSelector"):
        tests.append(field_selector(query["fieldSelector"], kind))
    return lambda o: all(test(o) for test in tests)


def page(store: Store, kind: Kind, namespace: str, query: Mapping[str, str]) -> tuple[list[Json], Json]:
    """Return the objects that a list asks for and the list's metadata. Raises ApiError."""
    matches = selector(kind, query)
    wanted, after = query.get("resourceVersion") or "0", ["", ""]
    version = store.version
    if int(wanted) > store.version:
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        text = f"Timeout: Too large resource version: {wanted}, current: {store.version}"
        raise ApiError(504, text, details={"causes": causes, "retryAfterSeconds": 1})
    limit = int(query.get("limit") or 0)
    match = query.get("resourceVersionMatch")
    # A page of a version is one of just that version, but where the client says that a newer one will do.
    exact = match == "Exact" or (limit > 0 and wanted != "0" and not match)
    if query.get("continue"):
        version, after = _position(query["continue"])
    elif exact:
        version = int(wanted)
    found = store.list_at(kind, namespace, version)
    if found is None:
        raise ApiError(410, _TOO_OLD if exact else _EXPIRED)
    objects = [o for o in found if matches(o) and _place(o) > after]
    metadata: Json = {"resourceVersion": str(version), "continue": ""}
    whole = query.get("resourceVersion") == "0" and not exact
    if 0 < limit < len(objects) and not whole:
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(objects) - limit
        objects = objects[:limit]
        metadata["continue"] = _token(version, _place(objects[-1]))
    return objects, metadata


def _place(stored: Json) -> list[str]:
    return [stored["metadata"].get("namespace", ""), stored["metadata"]["name"]]


def _token(version: int, place: list[str]) -> str:
    text = json.dumps({"v": _TOKEN, "rv": version, "start": "/".join(place)}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(token: str) -> tuple[int, list[str]]:
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(found["rv"]), str(found["start"]).split("/", 1)
    except (ValueError, KeyError, TypeError) as error:
        raise ApiError(400, f"invalid continue token: continue key is not valid: {error}") from error
