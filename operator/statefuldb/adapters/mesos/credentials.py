"""How the framework proves who it is: HTTP Basic, from a principal and its secret (Mesos docs, authentication)."""

import base64


def authorization(credentials: tuple[str, str] | None) -> dict[str, str]:
    """Return the headers that carry principal and secret; none without credentials."""
    if credentials is None:
        return {}
    principal, secret = credentials
    return {"Authorization": f"Basic {base64.b64encode(f'{principal}:{secret}'.encode()).decode()}"}
