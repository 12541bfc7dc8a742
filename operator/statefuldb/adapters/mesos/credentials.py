"""How the framework proves who it is: HTTP Basic, from a principal and its secret (Mesos docs, authentication)."""

import base64
import stat
from pathlib import Path

from statefuldb.reconcile.ports import EffectFailed

Credentials = tuple[str, str]


def authorization(credentials: Credentials | None) -> dict[str, str]:
    """Return the headers that carry principal and secret; none without credentials. Raises EffectFailed."""
    if credentials is None:
        return {}
    principal, secret = credentials
    if ":" in principal or ":" in secret:
        # libprocess splits at every colon and takes two parts only: such a secret is answered with 401 for ever.
        raise EffectFailed(
            "Mesos takes no principal and no secret with a colon in it; give the principal another secret"
        )
    return {"Authorization": f"Basic {base64.b64encode(f'{principal}:{secret}'.encode()).decode()}"}


def read_secret(path: Path) -> str:
    """Return the text of a file that nobody but its owner may read. Raises EffectFailed."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise EffectFailed(f"{path} has mode {mode:04o}: others may read the secret; chmod 600 {path}")
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EffectFailed(f"{path} cannot be read: {error}") from error
    if not text:
        raise EffectFailed(f"{path} is empty; it must hold the secret")
    return text
