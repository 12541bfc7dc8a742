"""Principals with secrets, for the masters that ask for them."""

import base64
import json
from pathlib import Path

from conformance.mesos.things import PRINCIPAL

GUEST, COLON = "guest", "colon"
SECRETS = {PRINCIPAL: "s3cret", GUEST: "other", COLON: "se:cret"}
ASKING = {
    "authenticate_http_frameworks": "true",
    "http_framework_authenticators": "basic",
    "authenticate_http_readwrite": "true",
}


def basic(principal: str, secret: str | None = None) -> str:
    """Return the header of a principal, with its own secret or another."""
    text = f"{principal}:{SECRETS[principal] if secret is None else secret}"
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def credentials(path: Path) -> str:
    """Write the file for `--credentials`, readable by its owner only, and return its name."""
    listed = [{"principal": principal, "secret": secret} for principal, secret in SECRETS.items()]
    path.touch(mode=0o600)
    path.write_text(json.dumps({"credentials": listed}))
    return str(path)
