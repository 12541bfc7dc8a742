"""In which form an answer goes out: as asked for by Accept, or 406."""

from datetime import datetime
from typing import Any

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.objects.event_view import to_view
from statefuldb.local.api_server.objects.tables import table
from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]
PLAIN, TABLE, PARTIAL, YAML = "plain", "table", "partial", "yaml"
DISCOVERY = "discovery"
DISCOVERY_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_AS = {"Table": TABLE, "PartialObjectMetadata": PARTIAL, "PartialObjectMetadataList": PARTIAL}


def form_of(accept: str, *, discovery: bool = False) -> str:
    """Return the first form of an Accept header that is served. Raises ApiError(406)."""
    for choice in (accept or "*/*").split(","):
        media, *parameters = (part.strip() for part in choice.split(";"))
        given = dict(p.split("=", 1) for p in parameters if "=" in p)
        form = given.get("as", "")
        if media in ("application/json", "application/*", "*/*") and not form:
            return PLAIN
        if media == "application/yaml" and not form:
            return YAML
        if media != "application/json":
            continue
        if discovery and form == "APIGroupDiscoveryList" and given.get("v") == "v2":
            return DISCOVERY
        if not discovery and form in _AS and given.get("g") == "meta.k8s.io":
            return _AS[form]
    accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    raise ApiError(406, f"only the following media types are accepted: {accepted}")


def one(kind: Kind, stored: Json, form: str, now: datetime, include: str = "Metadata") -> Json:
    """Return one object in a form."""
    shown = to_view(stored) if kind.storage else stored
    if form == TABLE and shown.get("kind") == kind.kind:
        metadata = {"resourceVersion": shown["metadata"].get("resourceVersion", "")}
        return table(kind, [stored], metadata, now, include=include)
    return partial(shown) if form == PARTIAL else shown


def many(kind: Kind, objects: list[Json], metadata: Json, form: str, now: datetime, include: str) -> Json:
    """Return a list in a form."""
    if form == TABLE:
        return table(kind, objects, metadata, now, include=include)
    shown = [to_view(o) if kind.storage else o for o in objects]
    if form == PARTIAL:
        items = [partial(o) for o in shown] or None  # so does Go write a list that was never begun
        held = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
        return {**held, "metadata": _of_list(metadata), "items": items}
    if not kind.custom:
        metadata = _of_list(metadata)
        shown = [{k: v for k, v in o.items() if k not in ("apiVersion", "kind")} for o in shown]
    return {"apiVersion": kind.api_version, "kind": f"{kind.kind}List", "metadata": metadata, "items": shown}


def _of_list(metadata: Json) -> Json:
    """Return a list's metadata as Go types have it: what is empty is left out."""
    return {name: value for name, value in metadata.items() if value or name != "continue"}


def partial(stored: Json) -> Json:
    """Return an object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": stored["metadata"]}
