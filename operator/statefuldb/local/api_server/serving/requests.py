"""Reading a request: which kind, which object, which part of it, in which form."""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.serving import protobuf

Json = dict[str, Any]
_JSON_LIKE = (
    *("application/json", "application/json-patch+json", "application/merge-patch+json"),
    "application/strategic-merge-patch+json",
)
_YAML_LIKE = ("application/yaml", "application/apply-patch+yaml")
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names. `name` is empty for a collection; `legacy_watch` for the old paths that begin with watch."""

    kind: Kind
    namespace: str
    name: str
    subresource: str
    legacy_watch: bool = False


def parse_path(path: str, kinds: dict[tuple[str, str, str], Kind]) -> Target | None:
    """Return what a path names, or None where nothing is served there."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    legacy = rest[0] == "watch" and len(rest) > 1
    rest = rest[1:] if legacy else rest
    namespace = ""
    inner = kinds.get((group, version, rest[2])) if len(rest) >= 3 else None
    if rest[0] == "namespaces" and inner is not None and inner.namespaced:
        namespace, rest = rest[1], rest[2:]
    kind = kinds.get((group, version, rest[0]))
    if kind is None or len(rest) > 3 or (namespace == "" and kind.namespaced and len(rest) > 1):
        return None
    return Target(kind, namespace, rest[1] if len(rest) > 1 else "", rest[2] if len(rest) > 2 else "", legacy)


def parse_body(body: bytes, content_type: str) -> tuple[Any, tuple[str, ...]]:
    """Return a body and the paths of fields that it has twice. Raises ApiError."""
    if content_type in _YAML_LIKE:
        try:
            return _plain(_numbers(_from_yaml(body)), "", []), ()
        except yaml.YAMLError as error:
            raise ApiError(400, f"error decoding YAML: {error}") from error
    if content_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(body), ()
    if content_type not in _JSON_LIKE:
        raise unsupported_type()
    try:
        twice: list[str] = []
        parsed = json.loads(body, object_pairs_hook=_Pairs) if body else {}
        return _plain(parsed, "", twice), tuple(twice)
    except (ValueError, RecursionError) as error:
        prefix = (
            "error decoding patch: " if "patch" in content_type else "couldn't get version/kind; json parse error: "
        )
        raise ApiError(400, f"{prefix}{error}") from error


def unsupported_type() -> ApiError:
    """Return 415 for a body that is to be an object."""
    accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    return ApiError(415, f"the body of the request was in an unknown format - accepted media types include: {accepted}")


def _from_yaml(body: bytes) -> Any:
    """Return what YAML says, which is often JSON: that is read as such, for less, and with numbers such as 1e30."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return yaml.safe_load(body)


def _numbers(value: Any) -> Any:
    """Return what was read from YAML with 3.0 as 3: a real server makes JSON of it first, which does not tell them."""
    if isinstance(value, dict):
        return {name: _numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST else value


class _Pairs(list[tuple[str, Any]]):
    """The fields of one JSON object, as they came."""


def _plain(value: Any, path: str, twice: list[str]) -> Any:
    if isinstance(value, _Pairs):
        found: Json = {}
        for name, inner in value:
            here = f"{path}.{name}".lstrip(".")
            if name in found:
                twice.append(here)
            found[name] = _plain(inner, here, twice)
        return found
    if isinstance(value, list):
        return [_plain(item, f"{path}[{index}]", twice) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {name: _plain(inner, path, twice) for name, inner in value.items()}
    # Go keeps what is too large for an integer as a float.
    return float(value) if isinstance(value, int) and not -_LARGEST <= value < _LARGEST else value
