"""The types of built-in kinds: what can be read at all, what is unknown, and what is owned whole.

Written as structural schemas. `inline` is a part that a real server always has, so that nobody owns that it is there.
Built-in kinds that are not listed are stored as they come.
"""

import re
from collections.abc import Iterator
from typing import Any

from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.schemas.validation import is_time

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_NUMBER: Json = {"type": "integer"}
_TRUTH: Json = {"type": "boolean"}
_TIME: Json = {"type": "string", "format": "date-time"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_MAP: Json = {"type": "object", "additionalProperties": _TEXT}
_BYTES: Json = {"type": "object", "additionalProperties": {"type": "string", "format": "byte"}}
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_KINDS = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
_TYPES: dict[str, tuple[type, ...]] = {
    **{"object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,)},
    "integer": (int,),
}


def _object(properties: Json, **more: Any) -> Json:
    return {"type": "object", "properties": properties, **more}


def _all(shape: Json, *names: str) -> Json:
    return dict.fromkeys(names, shape)


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


_WHOLE: Json = {"x-kubernetes-map-type": "atomic"}
_REFERENCE = _object(
    _all(_TEXT, "kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"), **_WHOLE
)
_RULES = _list(_object(_all(_TEXTS, "verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")))
_BINDING = _object(
    {
        "subjects": _list(_object(_all(_TEXT, "kind", "apiGroup", "name", "namespace"))),
        "roleRef": _object(_all(_TEXT, "apiGroup", "kind", "name"), **_WHOLE),
    }
)
_EXPRESSION = _object({"key": _TEXT, "operator": _TEXT, "values": _TEXTS})
_SELECTOR = _object({"matchLabels": _MAP, "matchExpressions": _list(_EXPRESSION)}, **_WHOLE)
_CONDITION = _object({**_all(_TEXT, "type", "status", "reason", "message"), "lastTransitionTime": _TIME})
_EVENT = _object(
    {
        "involvedObject": _REFERENCE,
        "related": _REFERENCE,
        "source": _object(_all(_TEXT, "component", "host"), inline=True),
        "series": _object({"count": _NUMBER, "lastObservedTime": _TIME}),
        "count": _NUMBER,
        **_all(_TIME, "firstTimestamp", "lastTimestamp", "eventTime"),
        **_all(_TEXT, "reason", "message", "type", "action", "reportingComponent", "reportingInstance"),
    }
)
_LEASE_SPEC = _object(
    {
        **_all(_TEXT, "holderIdentity", "strategy", "preferredHolder"),
        **_all(_NUMBER, "leaseDurationSeconds", "leaseTransitions"),
        **_all(_TIME, "acquireTime", "renewTime"),
    },
    inline=True,
)
_SECRETS: Json = {
    **_list(_REFERENCE),
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
}
_RBAC = "rbac.authorization.k8s.io"
_SHAPES: dict[str, Json] = {
    "namespaces": _object(
        {
            "spec": _object({"finalizers": _TEXTS}),
            "status": _object({"phase": _TEXT, "conditions": _list(_CONDITION)}),
        }
    ),
    "configmaps": _object({"data": _MAP, "binaryData": _BYTES, "immutable": _TRUTH}),
    "secrets": _object({"data": _BYTES, "stringData": _MAP, "type": _TEXT, "immutable": _TRUTH}),
    "events": _EVENT,
    "serviceaccounts": _object(
        {
            "secrets": _SECRETS,
            "imagePullSecrets": _list(_object({"name": _TEXT}, **_WHOLE)),
            "automountServiceAccountToken": _TRUTH,
        }
    ),
    "leases.coordination.k8s.io": _object({"spec": _LEASE_SPEC}),
    f"roles.{_RBAC}": _object({"rules": _RULES}),
    f"clusterroles.{_RBAC}": _object(
        {"rules": _RULES, "aggregationRule": _object({"clusterRoleSelectors": _list(_SELECTOR)})}
    ),
    f"rolebindings.{_RBAC}": _BINDING,
    f"clusterrolebindings.{_RBAC}": _BINDING,
}


def shape_of(kind: Kind) -> Json | None:
    """Return what is known of the types of a kind, by its definition or as built in."""
    return kind.schema if kind.custom else _SHAPES.get(kind.key)


def unreadable(kind: Kind, new: Json) -> str | None:
    """Return why an object of a built-in kind cannot be read, as a real server's decoder says it, or None."""
    shape = None if kind.custom else shape_of(kind)
    return None if shape is None else next(_unreadable(new, shape, kind.kind, ""), None)


def _unreadable(value: Any, shape: Json, holder: str, path: str) -> Iterator[str]:
    """Yield what is of another type than it should be; a null counts as absent."""
    if value is None:
        return
    wanted = shape["type"]
    if not isinstance(value, _TYPES[wanted]) or (wanted != "boolean" and isinstance(value, bool)):
        given = _KINDS.get(type(value), "value")
        yield f"json: cannot unmarshal {given} into Go struct field {holder}.{path} of type {wanted}"
    elif isinstance(value, dict):
        properties, others = shape.get("properties", {}), shape.get("additionalProperties")
        for name, item in value.items():
            inner = properties.get(name, others)
            if inner is not None:
                yield from _unreadable(item, inner, holder, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from _unreadable(item, shape["items"], holder, path)
    elif isinstance(value, str):
        yield from _unreadable_text(value, shape.get("format", ""))


def _unreadable_text(value: str, form: str) -> Iterator[str]:
    if form == "byte" and not _BASE64.fullmatch(value.replace("\n", "").replace("\r", "")):
        yield "illegal base64 data at input byte 0"
    if form == "date-time" and value and not is_time(value):
        yield f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'


def _goes_empty(shape: Json) -> bool:
    """Say whether a part is as good as absent where it holds nothing: a map or a list, but for rules."""
    return shape is not _RULES and ("additionalProperties" in shape or shape["type"] == "array")


def tidy(value: Any, shape: Json, path: str = "") -> list[str]:
    """Remove what is unknown, null or empty from a built-in kind's object in place; return paths of the unknown."""
    unknown: list[str] = []
    if isinstance(value, dict):
        properties, others = shape.get("properties", {}), shape.get("additionalProperties")
        for name, item in list(value.items()):
            if path == "" and name in ("apiVersion", "kind", "metadata"):
                continue
            here = f"{path}.{name}".lstrip(".")
            inner = properties.get(name, others)
            if inner is None:
                unknown.append(here)
                del value[name]
            elif (item is None and others is None) or (item in ({}, []) and _goes_empty(inner)):
                del value[name]
            elif item is None:
                value[name] = ""
            else:
                unknown += tidy(item, inner, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            unknown += tidy(item, shape["items"], f"{path}[{index}]")
    return unknown
