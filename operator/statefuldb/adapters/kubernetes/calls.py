"""Calls to the API, and their failures in our words. No value of a body ever gets into a message."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import kubernetes
import urllib3.exceptions

from statefuldb.reconcile.ports import EffectFailed, NotAnswered

Json = dict[str, Any]
T = TypeVar("T")
ApiException = kubernetes.client.exceptions.ApiException
FIELDS_NAMED = 3


def call(what: str, function: Callable[[], T]) -> T:
    """Return what `function` returns. Raises EffectFailed; a stale version is marked as a conflict.

    NotAnswered where the server is away, overloaded or broken.
    """
    try:
        return function()
    except ApiException as error:
        fields = _fields(error.body)
        message = f"{what}: {error.status} {error.reason}" + (f" ({', '.join(fields)})" if fields else "")
        if _may_pass(error.status):
            raise NotAnswered(message) from error
        raise EffectFailed(message, conflict=error.status == HTTPStatus.CONFLICT) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise NotAnswered(f"{what}: the API server does not answer: {cause(error)}") from error


def find(what: str, function: Callable[[], T]) -> T | None:
    """Return what `function` returns, or None where the object is not there. Raises EffectFailed.

    Only a Status says that it is not there. 404 is also the answer where the kind is not served, as for a definition
    that was changed or is not established yet, and that of whatever stands before the server: nothing is known then.
    """

    def looked() -> T:
        try:
            return function()
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND and not says_absent(error.body):
                raise NotAnswered(f"{what}: 404, and not for want of the object: its kind is not served now") from error
            raise

    return find_served(what, looked)


def find_served(what: str, function: Callable[[], T]) -> T | None:
    """Return what `function` returns, or None where what it asks for is not served. Raises EffectFailed."""

    def looked() -> T | None:
        try:
            return function()
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    return call(what, looked)


def says_absent(body: str | bytes | None) -> bool:
    """Say whether the body of a 404 is a Status by which the object is not there."""
    try:
        return bool(json.loads(body or "")["reason"] == "NotFound")
    except (KeyError, TypeError, ValueError):
        return False


def _fields(body: str | bytes | None) -> list[str]:
    """Return the paths of fields that a Status calls wrong: what stands in them may be a secret.

    They are sorted: a server that walks through a map has them in another order each time, which would be news.
    """
    try:
        causes = json.loads(body or "")["details"]["causes"]
        named = {str(each["field"]) for each in causes if each.get("field") not in (None, "<nil>")}
        return sorted(named)[:FIELDS_NAMED]
    except (AttributeError, KeyError, TypeError, ValueError):
        return []


def cause(error: BaseException) -> str:
    """Return in words why nobody answered: the libraries wrap the error of the socket several times."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        reason = getattr(seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else seen.__cause__ or seen.__context__
    return str(error) or type(error).__name__


def _may_pass(status: int | None) -> bool:
    """Whether the same request may be answered otherwise later. The client says 0 where TLS failed."""
    return not status or status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
