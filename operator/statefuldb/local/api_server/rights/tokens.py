"""Tokens of ServiceAccounts: signed by the server, valid for a time, and only while the account is there."""

import base64
import hashlib
import hmac
import json
from typing import Any

Json = dict[str, Any]
DEFAULT_SECONDS, LEAST_SECONDS = 3600, 600


def sign(key: bytes, claims: Json) -> str:
    """Return a token of claims (`sub`, `uid`, `exp` in seconds since 1970)."""
    body = base64.urlsafe_b64encode(json.dumps(claims, sort_keys=True).encode()).decode().rstrip("=")
    return f"{body}.{_signature(key, body)}"


def verify(key: bytes, token: str, now_seconds: float) -> Json | None:
    """Return the claims of a token, or None where it is not ours or its time is over."""
    body, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(key, body).encode()):
        return None
    claims: Json = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims if now_seconds < claims["exp"] else None


def _signature(key: bytes, body: str) -> str:
    return hmac.new(key, body.encode(), hashlib.sha256).hexdigest()
