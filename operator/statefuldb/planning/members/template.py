"""What takes a restart to change: a digest of it, and requests for a restart."""

import hashlib
import json

from statefuldb.model.spec import DatabaseSpec
from statefuldb.model.volume import Launch
from statefuldb.planning.context import Context


def template_of(spec: DatabaseSpec, restarted_at: str) -> str:
    """Return a digest of everything that takes a restart to change, to compare with what was launched."""
    parts: list[object] = [
        spec.engine.type,
        spec.engine.version,
        sorted(spec.engine.config.items()),
        spec.resources.cpus_milli,
        spec.resources.memory_bytes,
    ]
    if restarted_at:
        # Not there at all without a request: what was launched before requests existed must not be restarted.
        parts.append(restarted_at)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def restart_request(context: Context, launched: Launch | None) -> str:
    """Return the request for a restart that is in force. Taking one back asks for nothing."""
    database = context.observed.database
    asked = database.restarted_at if database is not None else ""
    return asked or (launched.restarted_at if launched is not None else "")
