"""ValidatingAdmissionPolicy: rules about a request, told in CEL (Kubernetes docs, validating-admission-policy)."""

from collections.abc import Iterable
from typing import Any

from statefuldb.local.api_server.admission.resource_rules import covers
from statefuldb.local.api_server.errors import ApiError, details_of, shown_name
from statefuldb.local.api_server.schemas.cel import CelFailed, evaluate
from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]


def admit(
    policies: Iterable[Json],
    bindings: Iterable[Json],
    kind: Kind,
    operation: str,
    new: Json | None,
    old: Json | None,
    *,
    subresource: str = "",
) -> None:
    """Raise ApiError where a bound policy denies the request."""
    bound = {b["spec"]["policyName"]: b for b in bindings if "Deny" in b["spec"].get("validationActions", [])}
    for policy in policies:
        name = policy["metadata"]["name"]
        if name not in bound or not _matches(policy["spec"], kind, operation, subresource):
            continue
        for validation in policy["spec"].get("validations", []):
            _check(name, validation, kind, operation, new, old)


def _matches(spec: Json, kind: Kind, operation: str, subresource: str) -> bool:
    rules = spec.get("matchConstraints", {}).get("resourceRules", [])
    return any(covers(rule, kind, operation, subresource) for rule in rules)


def _check(policy: str, validation: Json, kind: Kind, operation: str, new: Json | None, old: Json | None) -> None:
    metadata = (new or old or {}).get("metadata", {})
    name = metadata.get("name", "")
    request = {"operation": operation, "name": name, "namespace": metadata.get("namespace", "")}
    try:
        holds = evaluate(validation["expression"], {"object": new, "oldObject": old, "request": request})
        text = validation.get("message") or f"failed expression: {validation['expression']}"
    except CelFailed as error:
        holds, text = False, f"expression failed: {error}"
    if holds is not True:
        shown = shown_name(kind.plural, kind.group)
        why = f"ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request: {text}"
        raise ApiError(
            403 if validation.get("reason") == "Forbidden" else 422,
            f'{shown} "{name}" is forbidden: {why}',
            details={**details_of(kind.plural, kind.group, name), "causes": [{"message": why}]},
        )
