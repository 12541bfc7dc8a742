"""Reading a request: which kind, which object, which part of it, in which form."""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.kinds import Kind

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names. `name` is empty for a collection."""

    kind: Kind
    namespace: str
    name: str
    subresource: str


def parse_path(path: str, kinds: dict[tuple[str, str, str], Kind]) -> Target | None:
    """Return what a path names, or None where nothing is served there."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and (group, version, rest[2]) in kinds:
        namespace, rest = rest[1], rest[2:]
    kind = kinds.get((group, version, rest[0]))
    if kind is None or len(rest) > 3:
        return None
    subresource = rest[2] if len(rest) > 2 else ""
    allowed = {"": True, "status": kind.status_subresource, "scale": kind.scale is not None}
    if not allowed.get(subresource, False):
        return None
    return Target(kind, namespace, rest[1] if len(rest) > 1 else "", subresource)


def parse_body(text: str, content_type: str) -> Any:
    """Return the body of a request; no content type counts as JSON. Raises ApiError."""
    if content_type in ("application/yaml", "application/apply-patch+yaml"):
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ApiError(400, f"error decoding YAML: {error}") from error
    if content_type == "application/vnd.kubernetes.protobuf":
        text = "protobuf bodies are not taken; use apply -f"
        raise ApiError(415, text)
    try:
        return json.loads(text) if text else {}
    except ValueError as error:
        raise ApiError(400, f"couldn't get version/kind; json parse error: {error}") from error
