"""Options of requests, from the query or the body: each either fits or is refused in the real server's words."""

import json
from collections.abc import Mapping
from typing import Any

from statefuldb.local.api_server.errors import (
    ApiError,
    forbidden_field,
    invalid_option,
    required,
    unsupported,
    wrong,
)

Json = dict[str, Any]
Query = Mapping[str, str]
_VALIDATIONS = ["", "Ignore", "Strict", "Warn"]
_POLICIES = ["Foreground", "Background", "Orphan", "nil"]
_MATCH = "resourceVersionMatch"
MANAGER_LIMIT = 128
_OPTIONS: dict[str, type] = {
    **{"gracePeriodSeconds": int, "preconditions": dict, "orphanDependents": bool, "propagationPolicy": str},
    "dryRun": list,
}


def check_write(query: Query, method: str, *, apply: bool) -> None:
    """Raise ApiError(422) for options that a writing request may not have."""
    kind = {"POST": "CreateOptions", "PUT": "UpdateOptions"}.get(method, "PatchOptions")
    validation, dry_run = query.get("fieldValidation", ""), query.get("dryRun", "")
    causes = []
    if method == "PATCH" and not apply and query.get("force"):
        causes.append(forbidden_field("force", "may not be specified for non-apply patch"))
    if apply and not query.get("fieldManager"):
        causes.append(required("fieldManager", "is required for apply patch"))
    if len(query.get("fieldManager", "")) > MANAGER_LIMIT:
        cause = {"reason": "FieldValueTooLong", "message": f"Too long: may not be more than {MANAGER_LIMIT} bytes"}
        causes.append({**cause, "field": "fieldManager"})
    if dry_run not in ("", "All"):
        causes.append(_no_dry_run(dry_run))
    if validation not in _VALIDATIONS:
        causes.append(unsupported("fieldValidation", validation, _VALIDATIONS))
    if causes:
        raise invalid_option(kind, *causes)


def _no_dry_run(given: str) -> Json:
    cause = unsupported("dryRun", "", ["All"])
    return {**cause, "message": cause["message"].replace('""', json.dumps([given]), 1)}


def delete_options(query: Query, body: Any) -> Json:
    """Return the options of a deletion: the body's, or the query's where there is none. Raises ApiError."""
    if body is None:
        options: Json = {name: query[name] for name in ("propagationPolicy", "gracePeriodSeconds") if name in query}
        options |= {"dryRun": [query["dryRun"]]} if query.get("dryRun") else {}
    else:
        _check_types(body)
        options = dict(body)
    for value in options.get("dryRun") or ():
        if value != "All":
            raise invalid_option("DeleteOptions", _no_dry_run(value))
    policy = options.get("propagationPolicy")
    if policy is not None and options.get("orphanDependents") is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        raise invalid_option("DeleteOptions", wrong("propagationPolicy", f'"{policy}"', text))
    if policy is not None and policy not in _POLICIES[:3]:
        raise invalid_option("DeleteOptions", unsupported("propagationPolicy", str(policy), _POLICIES))
    return options


def _check_types(body: Any) -> None:
    if not isinstance(body, dict):
        raise ApiError(400, "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value")
    kind = body.get("kind") or "DeleteOptions"
    if kind != "DeleteOptions":
        raise ApiError(400, f'no kind "{kind}" is registered for version "{body.get("apiVersion") or "v1"}"')
    for field, wanted in _OPTIONS.items():
        held = body.get(field)
        if held is not None and (not isinstance(held, wanted) or (wanted is int and isinstance(held, bool))):
            raise ApiError(400, f"json: cannot unmarshal into Go struct field DeleteOptions.{field}")


def check_list(query: Query, *, watch: bool) -> None:
    """Raise ApiError for options that a list or watch may not have."""
    version, match = query.get("resourceVersion", ""), query.get(_MATCH, "")
    initial = query.get("sendInitialEvents")
    for name in ("limit", "timeoutSeconds"):
        text = query.get(name, "") or "0"
        if not text.lstrip("-").isdigit():
            raise ApiError(400, f'strconv.ParseInt: parsing "{text}": invalid syntax')
    known = ["NotOlderThan"] if watch else ["Exact", "NotOlderThan", ""]
    causes = []
    if watch and initial is not None and match != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        causes.append(forbidden_field(_MATCH, text))
    if watch and initial is None and match:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        causes.append(forbidden_field(_MATCH, text))
    if not watch and match and not version:
        text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        causes.append(forbidden_field(_MATCH, text))
    if (watch or match) and query.get("continue"):
        causes.append(forbidden_field(_MATCH, "resourceVersionMatch is forbidden when continue is provided"))
    if match and match not in known:
        causes.append(unsupported(_MATCH, match, known))
    if not watch and match == "Exact" and version == "0":
        causes.append(forbidden_field(_MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if not watch and initial is not None:
        causes.append(forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if causes:
        raise invalid_option("ListOptions", *causes)
    if version and not version.isdigit():
        text = f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
        raise ApiError(500, text)
