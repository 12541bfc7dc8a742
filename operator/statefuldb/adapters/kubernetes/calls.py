"""Calls to the API, and their failures in our words. No body ever gets into a message."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import kubernetes
import urllib3.exceptions

from statefuldb.reconcile.ports import EffectFailed

Json = dict[str, Any]
ApiException = kubernetes.client.exceptions.ApiException


def call(what: str, function: Callable[[], Any]) -> Any:
    """Return what `function` returns. Raises EffectFailed; a stale version is marked as a conflict."""
    try:
        return function()
    except ApiException as error:
        conflict = error.status == HTTPStatus.CONFLICT
        raise EffectFailed(f"{what}: {error.status} {error.reason}", conflict=conflict) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise EffectFailed(f"{what}: {type(error).__name__}") from error


def find(what: str, function: Callable[[], Any]) -> Any:
    """Return what `function` returns, or None where the object is not there. Raises EffectFailed."""

    def looked() -> Any:
        try:
            return function()
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    return call(what, looked)
