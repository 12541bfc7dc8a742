"""Rules about metadata: names, labels, finalizers, owners, and what may not change."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from statefuldb.local.api_server.copying import copied
from statefuldb.local.api_server.errors import forbidden_field, required, wrong
from statefuldb.local.api_server.schemas.validation import is_time, too_long

Json = dict[str, Any]
ANNOTATIONS_LIMIT_BYTES = 262_144
_quoted = json.JSONEncoder(ensure_ascii=False).encode
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_SUBDOMAIN_LIMIT, _PART_LIMIT = 253, 63
_PART = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_PART}(\.{_PART})*")
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/%]+")
_NAME_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_QUALIFIED = re.compile(rf"({_PART}(\.{_PART})*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
_WORDS = (
    "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_PREFIX_WORDS = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
_LABEL_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


_KINDS = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
_TEXTS = ("name", "generateName", "namespace", "uid", "resourceVersion", "selfLink")
_TIMES = ("creationTimestamp", "deletionTimestamp")
_NUMBERS = ("generation", "deletionGracePeriodSeconds")
_OWNER: dict[str, type] = {
    **dict.fromkeys(("apiVersion", "kind", "name", "uid"), str),
    **dict.fromkeys(("controller", "blockOwnerDeletion"), bool),
}
# The type of each field, and of what is in it, with what Go calls them.
_FIELDS: dict[str, tuple[Any, str, Any, str]] = {
    **dict.fromkeys((*_TEXTS, *_TIMES), (str, "string", None, "")),
    **dict.fromkeys(_NUMBERS, (int, "int64", None, "")),
    **dict.fromkeys(("labels", "annotations"), (dict, "map[string]string", str, "string")),
    "finalizers": (list, "[]string", str, "string"),
    "ownerReferences": (list, "[]v1.OwnerReference", dict, "v1.OwnerReference"),
    "managedFields": (list, "[]v1.ManagedFieldsEntry", dict, "v1.ManagedFieldsEntry"),
}


def undecodable(metadata: Any) -> str | None:
    """Return why metadata cannot be read at all, as a real server's decoder says it, or None."""
    if not isinstance(metadata, dict):
        return _unmarshalled(metadata, "metadata", "v1.ObjectMeta")
    for field, value in metadata.items():
        if value is None or field not in _FIELDS:
            continue
        wanted, named, part, named_part = _FIELDS[field]
        if not isinstance(value, wanted) or isinstance(value, bool):
            return _unmarshalled(value, f"ObjectMeta.metadata.{field}", named)
        if field in _TIMES and not is_time(value):
            return f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
        if part is None:
            continue
        for inner in value.values() if wanted is dict else value:
            if inner is not None and not isinstance(inner, part):
                return _unmarshalled(inner, f"ObjectMeta.metadata.{field}", named_part)
            if field == "ownerReferences" and (why := _undecodable_owner(inner or {})):
                return why
    return None


def _undecodable_owner(owner: Json) -> str | None:
    for field, wanted in _OWNER.items():
        if owner.get(field) is not None and not isinstance(owner[field], wanted):
            named = "bool" if wanted is bool else "string"
            return _unmarshalled(owner[field], f"OwnerReference.metadata.ownerReferences.{field}", named)
    return None


def _unmarshalled(value: Any, field: str, wanted: str) -> str:
    return f"json: cannot unmarshal {_KINDS.get(type(value), 'value')} into Go struct field {field} of type {wanted}"


def check_metadata(metadata: Json, *, any_name: bool = False, full_finalizers: bool = False) -> Iterator[Json]:
    """Yield a cause for each rule about metadata that is broken. RBAC names follow no RFC: `any_name`.

    With `full_finalizers` each has a domain before it, or is one of the server's own.
    """
    name = metadata.get("name")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif any_name and not _PATH_SEGMENT.fullmatch(name):
        yield wrong("metadata.name", _quoted(name), "may not contain '/' or '%'")
    elif not any_name and (problem := subdomain_problem(name)):
        yield wrong("metadata.name", _quoted(name), problem)
    yield from check_labels(metadata.get("labels") or {})
    yield from _check_annotations(metadata.get("annotations") or {})
    yield from _check_owners(metadata.get("ownerReferences") or ())
    for index, finalizer in enumerate(metadata.get("finalizers") or ()):
        yield from _check_key(finalizer, finalizer, "metadata.finalizers")
        if full_finalizers and "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            yield wrong(f"metadata.finalizers[{index}]", _quoted(finalizer), text)


def subdomain_problem(name: str) -> str:
    """Return what is wrong with the name of an object, or nothing."""
    if len(name) > _SUBDOMAIN_LIMIT:
        return f"must be no more than {_SUBDOMAIN_LIMIT} characters"
    return "" if _SUBDOMAIN.fullmatch(name) else _SUBDOMAIN_WORDS


def check_labels(labels: Json) -> Iterator[Json]:
    """Yield a cause for each name or value that is none of a label."""
    for key, value in labels.items():
        yield from _check_key(key, key, "metadata.labels")
        if isinstance(value, str) and len(value) > _PART_LIMIT:
            yield wrong("metadata.labels", _quoted(value), f"must be no more than {_PART_LIMIT} bytes")
        if not isinstance(value, str) or (value and not _NAME_PART.fullmatch(value)):
            yield wrong("metadata.labels", _quoted(value), _LABEL_WORDS)


def _check_key(key: str, meant: str, field: str) -> Iterator[Json]:
    """Yield a cause for each part of a label's key, or of what has the form of one, that is not as it should be."""
    if not _QUALIFIED.fullmatch(meant):
        for problem in _problems(meant):
            yield wrong(field, _quoted(key), problem)


def _problems(key: str) -> Iterator[str]:
    *prefixes, name = key.split("/")
    if len(prefixes) > 1:
        yield f"a valid label key must {_WORDS} {_PREFIX_WORDS}"
        return
    for prefix in prefixes:
        problem = subdomain_problem(prefix) if prefix else "must be non-empty"
        if problem:
            yield f"prefix part {problem}"
    if not name:
        yield "name part must be non-empty"
    elif len(name) > _PART_LIMIT:
        yield f"name part must be no more than {_PART_LIMIT} bytes"
    if not _NAME_PART.fullmatch(name):
        yield f"name part must {_WORDS}"


def finalizer_warnings(metadata: Json, old: Json | None) -> list[str]:
    """Return what to tell of finalizers that are new and have no domain before them."""
    before = (old or {}).get("metadata", {}).get("finalizers") or ()
    why = "prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
    return [
        f'metadata.finalizers: "{name}": {why}'
        for name in metadata.get("finalizers") or ()
        if "/" not in name and name not in _STANDARD_FINALIZERS and name not in before
    ]


def leave_out_same_owners(metadata: Json) -> list[str]:
    """Leave out, in place, each owner that is there a second time as it is; return the uids of those."""
    owners: list[Json] = metadata.get("ownerReferences") or []
    again = [index for index, owner in enumerate(owners) if owner in owners[:index]]
    if again:
        metadata["ownerReferences"] = [owner for index, owner in enumerate(owners) if index not in again]
    return [str(owners[index].get("uid", "")) for index in again]


def _check_owners(owners: Sequence[Json]) -> Iterator[Json]:
    for owner in owners:
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                text = "version must not be empty" if field == "apiVersion" else "must not be empty"
                yield wrong(f"metadata.ownerReferences.{field}", '""', text)
    in_charge = [f"{owner.get('kind')}/{owner.get('name')}" for owner in owners if owner.get("controller") is True]
    if len(in_charge) > 1:
        text = f'Only one reference can have Controller set to true. Found "true" in references for {in_charge[0]}'
        shown = json.dumps(owners, separators=(",", ":"))
        yield wrong("metadata.ownerReferences", shown, f"{text} and {in_charge[1]}")


def _check_annotations(annotations: Json) -> Iterator[Json]:
    for key in annotations:
        yield from _check_key(key, key.lower(), "metadata.annotations")
    if (
        sum(len(key.encode()) + len(str(value).encode()) for key, value in annotations.items())
        > ANNOTATIONS_LIMIT_BYTES
    ):
        yield too_long("metadata.annotations", ANNOTATIONS_LIMIT_BYTES)


def check_change(new: Json, old: Json) -> Iterator[Json]:
    """Yield a cause for each change of metadata that is not allowed. A missing value is not a change."""
    for field in ("uid", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if new.get(field) not in (None, "") and not _same(new[field], old.get(field)):
            yield wrong(f"metadata.{field}", _quoted(new[field]), "field is immutable")
    if "deletionTimestamp" in old:
        added = [f for f in new.get("finalizers") or () if f not in (old.get("finalizers") or ())]
        if added:
            listed = "[]string{" + ", ".join(_quoted(f) for f in added) + "}"
            text = "no new finalizers can be added if the object is being deleted, found new finalizers "
            yield forbidden_field("metadata.finalizers", text + listed)


def changeable(metadata: Json) -> Json:
    """Return a copy that may be changed, but for who owns which field: that is only ever replaced."""
    return {name: value if name == "managedFields" else copied(value) for name, value in metadata.items()}


def keep_deletion(new: Json, old: Json) -> None:
    """Take up again what a client cannot remove, in place, so that its absence counts as no change."""
    for field in ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if field in old:
            new[field] = old[field]


def _same(new: Any, old: Any) -> bool:
    """Say whether two values are equal: the Python client writes times with +00:00 where the server wrote Z."""
    if isinstance(new, str) and isinstance(old, str):
        return new.replace("+00:00", "Z") == old.replace("+00:00", "Z")
    return bool(new == old)
