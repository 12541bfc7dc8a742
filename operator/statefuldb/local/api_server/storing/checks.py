"""All that is checked before an object is stored: decoding, metadata, schema, rules of its kind, CEL."""

from collections.abc import Iterator
from typing import Any

from statefuldb.local.api_server.errors import NOT_CHECKED, ApiError, blocks_rules, invalid, wrong
from statefuldb.local.api_server.objects.metadata import check_change, check_metadata, leave_out_same_owners
from statefuldb.local.api_server.objects.scale import check_scale
from statefuldb.local.api_server.schemas import schema
from statefuldb.local.api_server.schemas.definitions import check_definition
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.schemas.rules import check_rules
from statefuldb.local.api_server.schemas.shapes import shape_of, tidy
from statefuldb.local.api_server.schemas.validation import duplicates, validate
from statefuldb.local.api_server.storing import builtins

Json = dict[str, Any]
_TWINS = (
    "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your "
    "requests; duplicate UID(s) observed: "
)
_WITH_FULL_FINALIZERS = frozenset(("", "apps", "networking.k8s.io", "rbac.authorization.k8s.io"))
_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


def decode(
    kind: Kind, new: Json, old: Json | None, twice: tuple[str, ...], validation: str, *, patch: bool = False
) -> list[str]:
    """Drop unknown fields in place and fill in defaults, but not in parts of `old`; return warnings.

    Raises ApiError where strict.
    """
    unknown = schema.prune_metadata(new["metadata"])
    shape = None if kind.custom else shape_of(kind)
    if shape is not None:
        unknown += tidy(new, shape)
    if kind.schema is not None:
        untouched = _untouched(new, old)
        unknown += schema.prune(new, kind.schema, untouched)
        schema.default(new, kind.schema, untouched)
    problems = [f'duplicate field "{path}"' for path in twice]
    # Built-in kinds are read field by field as they come.
    problems += [f'unknown field "{path}"' for path in (sorted(unknown) if kind.custom else unknown)]
    if problems and validation == "Strict":
        listed = "strict decoding error: " + ", ".join(problems)
        if patch:
            raise invalid("", "", "", [wrong("patch", '"the patched object"', listed)])
        shown = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
        raise ApiError(400, f"{shown}: {listed}")
    twins = leave_out_same_owners(new["metadata"])
    told = [] if validation == "Ignore" else problems
    if twins:
        when = " after mutating admission happens" if patch else ""
        told.append(f".metadata.ownerReferences contains duplicate entries{when}; {_TWINS}{', '.join(twins)}")
    return told


def check(kind: Kind, new: Json, old: Json | None, subresource: str = "") -> None:
    """Raise ApiError(422) with every way in which an object may not be stored."""
    causes = list(_of_another_kind(kind, new))
    if causes and kind.custom:
        raise _invalid(new, causes)
    causes += _causes(kind, new, old)
    if subresource == "status":
        causes = [*map(_as_in_status, causes)]
    if kind.rules:
        if blocks_rules(causes):
            causes.append(NOT_CHECKED)
        else:
            causes += check_rules(_seen_by_schema(new), old, _of_what_changed(kind.rules, new, old))
    if causes:
        raise _invalid(new, causes)


def _invalid(new: Json, causes: list[Json]) -> ApiError:
    group, _, _ = str(new["apiVersion"]).rpartition("/")
    return invalid(str(new["kind"]), group, new["metadata"].get("name") or "", causes)


def _of_another_kind(kind: Kind, new: Json) -> Iterator[Json]:
    for field, wanted in (("kind", kind.kind), ("apiVersion", kind.api_version)):
        if new[field] != wanted:
            yield wrong(field, f'"{new[field]}"', f"must be {wanted}")


def _as_in_status(cause: Json) -> Json:
    """Return a cause as a write of the status has it: texts of the schema name paths within that."""
    field = cause["field"]
    inside = field.removeprefix("status").removeprefix(".")
    return {**cause, "message": cause["message"].replace(f": {field} in body", f": {inside} in body", 1)}


def _causes(kind: Kind, new: Json, old: Json | None) -> Iterator[Json]:
    any_name = kind.key.endswith("rbac.authorization.k8s.io")
    full_finalizers = kind.group in _WITH_FULL_FINALIZERS and kind.key != "events"
    yield from check_metadata(new["metadata"], any_name=any_name, full_finalizers=full_finalizers)
    if old is not None:
        yield from check_change(new["metadata"], old["metadata"])
    if kind.schema is not None:
        untouched = _untouched(new, old)
        yield from validate(_seen_by_schema(new), kind.schema, untouched)
        yield from check_scale(kind, new)
        yield from duplicates(new, kind.schema, untouched)
    if kind.key == _DEFINITIONS:
        yield from check_definition(new)
    yield from builtins.check(kind, new, old)


def _untouched(new: Json, old: Json | None) -> Json:
    """Return of `old` that in which a write takes parts over as they are: what it leaves alone, and `status`.

    They were judged when they were written (a real server "ratchets": what is unchanged is not refused).
    """
    before = old or {}
    return {name: before[name] for name in new if name in before and (name == "status" or new[name] is before[name])}


def _of_what_changed(rules: Json, new: Json, old: Json | None) -> Json:
    """Return rules without those about parts that a write takes over as they are, of `status` too.

    Further down all are evaluated: one about `oldSelf` may fail on what is unchanged.
    """
    if old is None:
        return rules
    properties = rules.get("properties", {})
    judged: Json = {name: {} for name in new if name in old and new[name] is old[name]}
    if "status" in properties and all(isinstance(each.get("status"), dict) for each in (new, old)):
        judged.setdefault("status", _of_what_changed(properties["status"], new["status"], old["status"]))
    return {**rules, "properties": {**properties, **judged}}


def _seen_by_schema(new: Json) -> Json:
    """Return an object as its schema sees it: of metadata only the names."""
    metadata = {name: new["metadata"][name] for name in ("name", "generateName") if name in new["metadata"]}
    return {**new, "metadata": metadata}
