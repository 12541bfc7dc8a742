"""CustomResourceDefinitions: what makes one valid, and what the server adds to it."""

import json
import re
from collections.abc import Iterator
from typing import Any

from statefuldb.local.api_server.errors import forbidden_field, required, unsupported, wrong
from statefuldb.local.api_server.schemas.cel import CelFailed, check_syntax
from statefuldb.local.api_server.schemas.validation import validate

Json = dict[str, Any]
_SELF = re.compile(r"\b(?:self|oldSelf)\.(\w+)\b(?!\()")
_APPROVAL = "api-approved.kubernetes.io"
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_JUNCTORS = ("allOf", "anyOf", "oneOf")


def check_definition(crd: Json) -> Iterator[Json]:
    """Yield a cause for each rule about definitions that is broken."""
    spec = crd.get("spec") or {}
    names, group = spec.get("names") or {}, spec.get("group", "")
    if not group:
        yield required("spec.group")
    for field in ("plural", "kind"):
        if not names.get(field):
            yield required(f"spec.names.{field}")
    name = crd["metadata"].get("name", "")
    if names.get("plural") and name != f"{names['plural']}.{group}":
        yield wrong("metadata.name", f'"{name}"', 'must be spec.names.plural+"."+spec.group')
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        yield unsupported("spec.scope", str(spec.get("scope", "")), ["Cluster", "Namespaced"])
    protected = group in ("k8s.io", "kubernetes.io") or group.endswith((".k8s.io", ".kubernetes.io"))
    if protected and not (crd["metadata"].get("annotations") or {}).get(_APPROVAL):
        text = f'protected groups must have approval annotation "{_APPROVAL}", see '
        link = "https://github.com/kubernetes/enhancements/pull/1111"
        yield required(f"metadata.annotations[{_APPROVAL}]", text + link)
    versions = spec.get("versions") or []
    if sum(1 for version in versions if version.get("storage")) != 1:
        names_of = json.dumps([v.get("name") for v in versions])
        yield wrong("spec.versions", names_of, "must have exactly one version marked as storage version")
    for index, version in enumerate(versions):
        yield from _check_version(version, index, single=len(versions) == 1)


def _check_version(version: Json, index: int, *, single: bool) -> Iterator[Json]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    path = f"spec.versions[{index}].schema.openAPIV3Schema"
    if schema is None:
        yield required(path)
        return
    yield from _check_schema(schema, "spec.validation.openAPIV3Schema" if single else path, structural=True)
    columns = "spec.additionalPrinterColumns" if single else f"spec.versions[{index}].additionalPrinterColumns"
    for number, column in enumerate(version.get("additionalPrinterColumns") or ()):
        found = str(column.get("jsonPath", ""))
        if not found.startswith("."):
            yield wrong(f"{columns}[{number}].JSONPath", f'"{found}"', "must be a simple json path starting with .")


def _check_schema(schema: Json, path: str, *, structural: bool) -> Iterator[Json]:
    yield from _check_structure(schema, path) if structural else _check_junctor(schema, path)
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        yield from _check_rule(rule, schema, f"{path}.x-kubernetes-validations[{index}].rule")
    for name, inner in (schema.get("properties") or {}).items():
        yield from _check_schema(inner, f"{path}.properties[{name}]", structural=structural)
    for field in ("items", "additionalProperties"):
        if isinstance(schema.get(field), dict):
            yield from _check_schema(schema[field], f"{path}.{field}", structural=structural)
    for field in _JUNCTORS:
        if schema.get("x-kubernetes-int-or-string") and schema.get(field) == _INT_OR_STRING:
            continue  # the one junctor that may name types
        for index, inner in enumerate(schema.get(field) or ()):
            yield from _check_schema(inner, f"{path}.{field}[{index}]", structural=False)


def _check_structure(schema: Json, path: str) -> Iterator[Json]:
    untyped = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not schema.get("type") and not untyped:
        yield required(f"{path}.type", "must not be empty for specified object fields")
    if schema.get("properties") and schema.get("additionalProperties"):
        yield forbidden_field(
            f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"
        )
    if "default" in schema:
        for cause in validate(schema["default"], schema):
            yield {**cause, "field": f"{path}.default"}


def _check_junctor(schema: Json, path: str) -> Iterator[Json]:
    for field in ("type", "default", "additionalProperties", "nullable"):
        if field in schema:
            yield forbidden_field(f"{path}.{field}", "must be empty to be structural")


def _check_rule(rule: Json, schema: Json, path: str) -> Iterator[Json]:
    shown = json.dumps({"Rule": rule.get("rule", "")})
    if not rule.get("rule"):
        yield required(path)
        return
    try:
        check_syntax(rule["rule"])
    except CelFailed as error:
        yield wrong(path, shown, f"compilation failed: ERROR: {error}")
        return
    properties = schema.get("properties")
    if properties is None or schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    known = {re.sub(r"\W", "_", name) for name in properties} | set(properties) | {"metadata", "apiVersion", "kind"}
    for name in _SELF.findall(rule["rule"]):
        if name not in known and not name.startswith("__"):
            yield wrong(path, shown, f"compilation failed: ERROR: undefined field '{name}'")
            return


def complete_definition(new: Json, old: Json | None, now: str) -> None:
    """Fill in names and conversion, and say at once that it is established: nothing here takes time."""
    spec = new["spec"]
    names = spec["names"]
    names.setdefault("listKind", f"{names['kind']}List")
    names.setdefault("singular", names["kind"].lower())
    spec.setdefault("conversion", {"strategy": "None"})
    before = (old or {}).get("status", {})
    stored = list(before.get("storedVersions", []))
    stored += [v["name"] for v in spec["versions"] if v.get("storage") and v["name"] not in stored]
    new["status"] = {
        "acceptedNames": names,
        "storedVersions": stored,
        "conditions": before.get("conditions")
        or [
            _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
            _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
        ],
    }


def terminating(crd: Json, now: str) -> None:
    """Say in its status that a definition is being deleted, in place."""
    conditions = crd["status"].setdefault("conditions", [])
    if not any(condition["type"] == "Terminating" for condition in conditions):
        text = "CustomResource deletion is in progress"
        conditions.append(_condition("Terminating", "InstanceDeletionInProgress", text, now))


def _condition(kind: str, reason: str, message: str, now: str) -> Json:
    return {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}
