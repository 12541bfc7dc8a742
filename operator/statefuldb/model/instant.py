"""Times the way Kubernetes writes them."""

from datetime import UTC, datetime


def instant(seconds: float) -> str:
    """Return Unix seconds as RFC 3339, in whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
