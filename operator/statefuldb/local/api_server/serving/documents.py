"""What is served beside objects: version, discovery, OpenAPI."""

from typing import Any

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.serving import discovery, openapi
from statefuldb.local.api_server.serving.representation import DISCOVERY

Json = dict[str, Any]
_VERSION = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0+statefuldb",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "linux/amd64",
}


def document(path: str, form: str, kinds: list[Kind]) -> Json | None:
    """Return the document at a path, or None. Raises ApiError(404) where the real server answers in JSON."""
    path = path.rstrip("/")
    parts = path.strip("/").split("/")
    match parts:
        case ["version"]:
            return _VERSION
        case ["api"]:
            return discovery.aggregated(kinds, core=True) if form == DISCOVERY else discovery.api_versions()
        case ["apis"]:
            return discovery.aggregated(kinds, core=False) if form == DISCOVERY else discovery.group_list(kinds)
        case ["openapi", "v3"]:
            return openapi.index(kinds)
        case ["openapi", "v3", "api" | "apis", *rest]:
            return openapi.document("/".join(rest), kinds) if _served("/".join(rest), kinds) else None
        case ["apis", name]:
            return discovery.group(name, kinds) if any(kind.group == name for kind in kinds) else None
        case ["api" | "apis", *rest]:
            version = "/".join(rest)
            if _served(version, kinds):
                return discovery.resource_list(version, kinds)
            if parts[0] == "api" or any(kind.group == rest[0] and not kind.custom for kind in kinds):
                raise ApiError(404, "the server could not find the requested resource", details={})
    return None


def _served(api_version: str, kinds: list[Kind]) -> bool:
    return any(kind.api_version == api_version for kind in kinds)
