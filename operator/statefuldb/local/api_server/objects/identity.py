"""Do body and URL name the same thing? And a name, where one is to be made."""

import json
from typing import Any

from statefuldb.local.api_server.errors import ApiError, invalid, wrong
from statefuldb.local.api_server.objects.metadata import undecodable
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.schemas.shapes import unreadable

Json = dict[str, Any]
# How much of a body is shown that cannot be read.
_SHOWN = 30


def identify(kind: Kind, namespace: str, new: Json, suffix: str) -> None:
    """Check kind, version and namespace of a whole object, and complete them in place. Raises ApiError(400)."""
    if not new.get("kind") and kind.custom:
        text = json.dumps(new)
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
        why = f"Object 'Kind' is missing in '{text}' ({shown})"
        raise ApiError(400, f"the object provided is unrecognized (must be of type {kind.kind}): {why}")
    new["kind"] = new.get("kind") or kind.kind
    given = new["apiVersion"] = new.get("apiVersion") or ("" if kind.custom else kind.api_version)
    if given != kind.api_version:
        why = f"does not match the expected API version ({kind.api_version})"
        raise ApiError(400, f"the API version in the data ({given}) {why}")
    if new["kind"] != kind.kind and not kind.custom:
        shown = f'{new["kind"]} in version "{kind.version}" cannot be handled as a {kind.kind}'
        raise ApiError(400, f"{shown}: converting is not possible")
    metadata = new["metadata"] = {} if new.get("metadata") is None else new["metadata"]
    _read(kind, new)
    _place(kind, namespace, metadata)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + suffix


def identify_change(kind: Kind, namespace: str, name: str, new: Json, *, patch: bool = False) -> None:
    """Check that a changed object still has the name and namespace of the URL. Raises ApiError(400, 422)."""
    metadata = new.setdefault("metadata", {})
    _read(kind, new, patch=patch)
    if metadata.get("name") != name:
        given = metadata.get("name") or ""
        raise ApiError(400, f"the name of the object ({given}) does not match the name on the URL ({name})")
    _place(kind, namespace, metadata)


def _read(kind: Kind, new: Json, *, patch: bool = False) -> None:
    """Refuse what is not of the types that all objects share, or those of its kind. Raises ApiError(400, 422)."""
    if why := undecodable(new["metadata"]) or unreadable(kind, new):
        if patch:
            raise invalid("", "", "", [wrong("patch", json.dumps(json.dumps(new)), why)])
        shown = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
        raise ApiError(400, f"{shown}: {why}")


def _place(kind: Kind, namespace: str, metadata: Json) -> None:
    if not kind.namespaced:
        metadata.pop("namespace", None)
        return
    if (metadata.get("namespace") or namespace) != namespace:
        text = "the namespace of the provided object does not match the namespace sent on the request"
        raise ApiError(400, text)
    metadata["namespace"] = namespace
