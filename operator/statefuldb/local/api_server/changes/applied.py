"""What is applied, read: is it of its kind, and does it have each item once? Whole writes tell later what is wrong."""

from typing import Any

from statefuldb.local.api_server.changes.fields import METADATA
from statefuldb.local.api_server.copying import copied
from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.objects.identity import identify_change
from statefuldb.local.api_server.schemas import schema
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.schemas.shapes import shape_of, tidy
from statefuldb.local.api_server.schemas.validation import duplicates

Json = dict[str, Any]


def read_applied(kind: Kind, namespace: str, name: str, body: Any) -> Json:
    """Return a copy of what is applied, named in full. Raises ApiError(400, 500)."""
    if not isinstance(body, dict) or not body.get("kind") or not body.get("apiVersion"):
        raise ApiError(400, "invalid object type: /, Kind=")
    wanted: Json = copied(body)
    metadata = wanted.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        text = f"failed to create typed patch object ({kind.api_version}, Kind={kind.kind}): .metadata"
        raise ApiError(500, text)
    if metadata.get("managedFields") is not None:
        raise ApiError(400, "metadata.managedFields must be nil")
    shown = f"({metadata.get('namespace', '')}/{name}; {kind.api_version}, Kind={kind.kind})"
    metadata.setdefault("name", name)
    identify_change(kind, namespace, name, wanted)
    shape = shape_of(kind)
    unknown = schema.prune_metadata(copied(metadata))
    if shape is not None:
        unknown += (schema.prune if kind.custom else tidy)(copied(wanted), shape)
    if unknown:
        text = f"failed to create typed patch object {shown}: .{unknown[0]}: field not declared in schema"
        raise ApiError(500, text)
    for twice in (*duplicates(metadata, METADATA, path="metadata"), *duplicates(wanted, shape or {})):
        which = f".{twice['field'].rpartition('[')[0]}: duplicate entries: {twice['message']}"
        raise ApiError(500, f"failed to create typed patch object {shown}: {which}")
    return wanted
