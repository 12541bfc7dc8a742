"""Protobuf bodies of the few built-in kinds that kubectl sends in no other form (`create namespace`, `auth can-i`).

kubectl does not fall back to JSON where protobuf is refused. Each message is a table of field numbers, from the
`generated.proto` files of k8s.io/api.
"""

import base64
from collections.abc import Iterator
from typing import Any

from statefuldb.local.api_server.errors import ApiError

Json = dict[str, Any]
MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_Message = dict[int, tuple[str, Any]]
# A field is text, bytes, a flag, a number, a message (a table), a list of one of these, or a map of texts or bytes.
_OWNER: _Message = {1: ("kind", str), 3: ("name", str), 4: ("uid", str), 5: ("apiVersion", str)}
_OWNER |= {6: ("controller", bool), 7: ("blockOwnerDeletion", bool)}
_METADATA: _Message = {1: ("name", str), 2: ("generateName", str), 3: ("namespace", str), 5: ("uid", str)}
_METADATA |= {6: ("resourceVersion", str), 11: ("labels", ("map", str)), 12: ("annotations", ("map", str))}
_METADATA |= {13: ("ownerReferences", [_OWNER]), 14: ("finalizers", [str])}
_RULE: _Message = {1: ("verbs", [str]), 2: ("apiGroups", [str]), 3: ("resources", [str])}
_RULE |= {4: ("resourceNames", [str]), 5: ("nonResourceURLs", [str])}
_BINDING: _Message = {
    2: ("subjects", [{1: ("kind", str), 2: ("apiGroup", str), 3: ("name", str), 4: ("namespace", str)}]),
    3: ("roleRef", {1: ("apiGroup", str), 2: ("kind", str), 3: ("name", str)}),
}
_ATTRIBUTES: _Message = {1: ("namespace", str), 2: ("verb", str), 3: ("group", str), 4: ("version", str)}
_ATTRIBUTES |= {5: ("resource", str), 6: ("subresource", str), 7: ("name", str)}
_REVIEW: _Message = {
    1: ("resourceAttributes", _ATTRIBUTES),
    2: ("nonResourceAttributes", {1: ("path", str), 2: ("verb", str)}),
}
_KINDS: dict[str, _Message] = {
    "Namespace": {2: ("spec", {1: ("finalizers", [str])}), 3: ("status", {1: ("phase", str)})},
    "ConfigMap": {2: ("data", ("map", str)), 3: ("binaryData", ("map", bytes)), 4: ("immutable", bool)},
    "Secret": {2: ("data", ("map", bytes)), 3: ("type", str), 4: ("stringData", ("map", str)), 5: ("immutable", bool)},
    "ServiceAccount": {2: ("secrets", [{3: ("name", str)}]), 3: ("imagePullSecrets", [{1: ("name", str)}])},
    "Role": {2: ("rules", [_RULE])},
    "ClusterRole": {2: ("rules", [_RULE])},
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "SelfSubjectAccessReview": {2: ("spec", _REVIEW)},
    "SelfSubjectRulesReview": {2: ("spec", {1: ("namespace", str)})},
    "SubjectAccessReview": {2: ("spec", _REVIEW | {3: ("user", str), 4: ("groups", [str]), 6: ("uid", str)})},
    "SelfSubjectReview": {},
    "DeleteOptions": {
        1: ("gracePeriodSeconds", int),
        2: ("preconditions", {1: ("uid", str), 2: ("resourceVersion", str)}),
        3: ("orphanDependents", bool),
        4: ("propagationPolicy", str),
        5: ("dryRun", [str]),
    },
    "TokenRequest": {2: ("spec", {1: ("audiences", [str]), 4: ("expirationSeconds", int)})},
}


def decode(body: bytes) -> Json:
    """Return the object in a protobuf body. Raises ApiError: 415 for a kind that is not known in this form."""
    if not body.startswith(_MAGIC):
        raise ApiError(400, "the body is not in the protobuf form of Kubernetes")
    try:
        envelope = _message(
            body[len(_MAGIC) :], {1: ("type", {1: ("apiVersion", str), 2: ("kind", str)}), 2: ("raw", 0)}
        )
        kind = envelope.get("type", {}).get("kind", "")
        if kind not in _KINDS:
            text = f"protobuf bodies of kind {kind} are not taken - accepted media types include: "
            raise ApiError(415, text + "application/json, application/yaml")
        found = _message(envelope.get("raw", b""), {1: ("metadata", _METADATA), **_KINDS[kind]})
    except (IndexError, UnicodeDecodeError, ValueError) as error:
        raise ApiError(400, f"the protobuf body cannot be decoded: {error}") from error
    return {**envelope["type"], "metadata": {}, **found}


def _message(data: bytes, table: _Message) -> Json:
    found: Json = {}
    for number, raw in _fields(data):
        if number not in table:
            continue
        name, kind = table[number]
        match kind:
            case list():
                found.setdefault(name, []).append(_value(raw, kind[0]))
            case ("map", inner):
                pair = _message(_bytes(raw), {1: ("key", str), 2: ("value", inner)})
                found.setdefault(name, {})[pair.get("key", "")] = pair.get("value", "")
            case _:
                value = _value(raw, kind)
                if value not in ("", {}, False):
                    found[name] = value
    return found


def _value(raw: bytes | int, kind: Any) -> Any:
    if isinstance(kind, dict):
        return _message(_bytes(raw), kind)
    if kind is str:
        return _bytes(raw).decode()
    if kind is bytes:
        return base64.b64encode(_bytes(raw)).decode()
    return bool(raw) if kind is bool else raw


def _bytes(raw: bytes | int) -> bytes:
    if isinstance(raw, int):
        raise ValueError("a number where bytes are due")
    return raw


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        match key & 7:
            case 0:
                number, position = _varint(data, position)
                yield key >> 3, number
            case 2:
                length, position = _varint(data, position)
                if position + length > len(data):
                    raise ValueError("it ends too early")
                yield key >> 3, data[position : position + length]
                position += length
            case 1 | 5 as width:
                position += 8 if width == 1 else 4
            case width:
                raise ValueError(f"wire type {width} is unknown")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, position
        if shift > 63:
            raise ValueError("a number is too long")
