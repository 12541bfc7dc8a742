"""Status errors, as the API conventions write them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Json = dict[str, Any]

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    504: "Timeout",
}
NOT_CHECKED: Json = {
    "reason": "FieldValueInvalid",
    "message": "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
    "field": "<nil>",
}
_BLOCKING = frozenset(
    ("FieldValueRequired", "FieldValueNotSupported", "FieldValueTypeInvalid", "FieldValueTooLong", "FieldValueTooMany")
)


class ApiError(Exception):
    """An answer other than success. Without a `reason` it is that of the code."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        reason: str | None = None,
        details: Json | None = None,
        metadata: Json | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = _REASONS.get(code, "") if reason is None else reason
        self.warnings: Sequence[str] = warnings
        self.details = details
        self.metadata = metadata or {}

    def status(self) -> Json:
        """Return the Status object."""
        status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": str(self),
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return {**status, "code": self.code}


@contextmanager
def warning(warnings: Sequence[str]) -> Iterator[None]:
    """Let what is refused inside say these warnings too."""
    try:
        yield
    except ApiError as error:
        error.warnings = [*warnings, *error.warnings]
        raise


def shown_name(resource: str, group: str) -> str:
    """Return a resource or kind with its group, as messages have it."""
    return f"{resource}.{group}" if group else resource


def details_of(resource: str, group: str, name: str) -> Json:
    """Return what an error is about; empty parts are left out."""
    return {key: value for key, value in (("name", name), ("group", group), ("kind", resource)) if value}


def not_found(resource: str, group: str, name: str) -> ApiError:
    """Return 404 for an object."""
    text = f'{shown_name(resource, group)} "{name}" not found'
    return ApiError(404, text, details=details_of(resource, group, name))


def not_allowed(resource: str, group: str) -> ApiError:
    """Return 405 for a collection or an object."""
    text = "the server does not allow this method on the requested resource"
    return ApiError(405, text, details=details_of(resource, group, ""))


def conflict(resource: str, group: str, name: str, why: str = "") -> ApiError:
    """Return 409, by default for a stale resource version."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    return ApiError(
        409,
        f'Operation cannot be fulfilled on {shown_name(resource, group)} "{name}": {why}',
        details=details_of(resource, group, name),
    )


def forbidden(resource: str, group: str, name: str, why: str, causes: list[Json] | None = None) -> ApiError:
    """Return 403 for an object, or for a collection where `name` is empty."""
    shown = shown_name(resource, group) + (f' "{name}"' if name else "")
    details = details_of(resource, group, name) | ({"causes": causes} if causes else {})
    return ApiError(403, f"{shown} is forbidden: {why}", details=details)


def invalid(kind: str, group: str, name: str, causes: list[Json]) -> ApiError:
    """Return 422 with its causes, each with reason, message and field. A text that comes twice is said once."""
    texts = list(dict.fromkeys(f"{cause['field']}: {cause['message']}" for cause in causes))
    text = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    return ApiError(
        422,
        f'{shown_name(kind, group)} "{name}" is invalid: {text}',
        details={**details_of(kind, group, name), "causes": causes},
    )


def invalid_option(kind: str, *causes: Json) -> ApiError:
    """Return 422 for options of a request, such as CreateOptions."""
    return invalid(kind, "meta.k8s.io", "", list(causes))


def wrong(field: str, shown: str, text: str) -> Json:
    """Return the cause for an invalid value."""
    return {"reason": "FieldValueInvalid", "message": f"Invalid value: {shown}: {text}", "field": field}


def required(field: str, text: str = "") -> Json:
    """Return the cause for a missing value."""
    message = f"Required value: {text}" if text else "Required value"
    return {"reason": "FieldValueRequired", "message": message, "field": field}


def forbidden_field(field: str, text: str) -> Json:
    """Return the cause for a value that may not be there."""
    return {"reason": "FieldValueForbidden", "message": f"Forbidden: {text}", "field": field}


def unsupported(field: str, shown: str, supported: list[str]) -> Json:
    """Return the cause for a value that is not one of a closed list."""
    listed = ", ".join(f'"{item}"' for item in supported)
    message = f'Unsupported value: "{shown}": supported values: {listed}'
    return {"reason": "FieldValueNotSupported", "message": message, "field": field}


def blocks_rules(causes: list[Json]) -> bool:
    """Say whether CEL rules cannot be evaluated beside these causes."""
    return any(cause["reason"] in _BLOCKING for cause in causes)
