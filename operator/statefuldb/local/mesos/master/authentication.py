"""Basic credentials, as the master's flags ask for them."""

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PRINCIPAL = "principal"
FRAMEWORKS = ("/api/v1/scheduler", "mesos-master-scheduler")
OPERATORS = ("/api/v1", "mesos-master-readwrite")


def read_credentials(path: Path) -> dict[str, str]:
    """Return the secrets by principal of a file for `--credentials`, in the JSON form."""
    content: Any = json.loads(path.read_text())
    return {one["principal"]: one["secret"] for one in content["credentials"]}


def authenticated(realms: dict[str, str], secrets: dict[str, str]) -> Any:
    """Return a middleware that lets nobody without credentials on to the paths in `realms`.

    Whoever comes through is known to the handler as `request[PRINCIPAL]`; None where nothing is asked of the path.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[PRINCIPAL] = None
        realm = realms.get(request.path)
        if realm is not None:
            request[PRINCIPAL] = _principal(request.headers.get("Authorization", ""), secrets)
            if request[PRINCIPAL] is None:
                challenge = {"WWW-Authenticate": f'Basic realm="{realm}"'}
                return web.Response(status=401, text="401 Unauthorized.", headers=challenge)
        return await handler(request)

    return middleware


def _principal(header: str, secrets: dict[str, str]) -> str | None:
    """Return who proves to be whom by a header, or None."""
    scheme, _, encoded = header.partition(" ")
    try:
        parts = base64.b64decode(encoded, validate=True).decode().split(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if scheme != "Basic" or len(parts) != 2 or parts[0] not in secrets:
        # A secret with a colon in it is never the right one: Mesos cannot tell where it begins.
        return None
    principal, secret = parts
    known = secrets[principal]
    return principal if hmac.compare_digest(secret.encode(), known.encode()) else None
